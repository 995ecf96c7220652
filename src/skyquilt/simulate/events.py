"""Photons one by one, drawn from the densities of an event-wise problem.

The background is a Poisson process of exactly the density that the fit is given: proposals, even in
solid angle within pixels, of a rate that is nowhere exceeded, of which each is kept with the
probability that the density asks for.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from skyquilt.errors import RunError
from skyquilt.problem.band_density import BandDensity
from skyquilt.problem.event_density import EventDensity, node_positions
from skyquilt.problem.event_wise import EventWise
from skyquilt.problem.profiles import linear_integral
from skyquilt.problem.sky_grid import known_values
from skyquilt.simulate.draws import draw_angles, draw_between, turn_away
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.sky.neighbours import neighbours
from skyquilt.sky.pixels import MAX_NSIDE, nest_to_ring

_PROPOSALS = 1 << 19  # looked at together: 4 million numbers where there are 8 bands


class Photons(NamedTuple):
    """Measured photons.

    Attributes
    ----------
    direction : ndarray of float64, shape (n, 3)
        Unit vectors.
    energy : ndarray of float64, shape (n,)
        Energies [keV].
    """

    direction: np.ndarray
    energy: np.ndarray


def known_density(wise: EventWise) -> EventDensity:
    """What is expected where an expectation has no events.

    Raises
    ------
    RunError
        If it does not know.
    """
    if wise.density is None:
        raise RunError(
            "the problem does not know what is expected where it has no events: make it with "
            "`skyquilt prepare --all-bins`."
        )
    return wise.density


def draw_background(density: EventDensity, rng: np.random.Generator) -> Photons:
    """Photons of the background, in the frame of the events."""
    most = _most_counts(density.background, density.span)
    ipix = np.repeat(np.arange(most.size), rng.poisson(most))
    parts = [
        _keep_proposals(density, most, ipix[first : first + _PROPOSALS], rng)
        for first in range(0, max(ipix.size, 1), _PROPOSALS)
    ]
    return Photons(*map(np.concatenate, zip(*parts, strict=True)))


def _keep_proposals(
    density: EventDensity, most: np.ndarray, ipix: np.ndarray, rng: np.random.Generator
) -> Photons:
    """Photons among proposals in pixels, each kept by what the density is at its position."""
    spread, fraction = density.background, density.background.fractions(density.span)
    nside = int(np.sqrt(most.size / 12))
    n_inside = (MAX_NSIDE // nside) ** 2
    position = nest_to_vec(MAX_NSIDE, ipix * n_inside + rng.integers(n_inside, size=ipix.size))
    # counts of each band, were the whole pixel as the sky is at this position
    values = np.nan_to_num(spread.grid.at(position))  # 0 where there is no background
    counts = values * fraction * spread.scale * (spread.grid.nside / nside) ** 2
    is_kept = rng.uniform(size=ipix.size) * most[ipix] < counts.sum(axis=1)
    position, counts = position[is_kept], counts[is_kept]
    upto = np.cumsum(counts, axis=1)
    chance = rng.uniform(size=len(position))[:, np.newaxis] * upto[:, -1:]
    band = np.sum(upto <= chance, axis=1)
    energy = _draw_powers(density, band, rng)
    direction = rotate(rotation(density.background_frame, density.frame), position)
    inside = density.is_inside(direction)
    return Photons(direction[inside], energy[inside])


def draw_source(
    wise: EventWise, directions: np.ndarray, fluxes: np.ndarray, rng: np.random.Generator
) -> Photons:
    """Photons of points; those outside the circles of the events are left out.

    Parameters
    ----------
    wise : EventWise
        Expectation of a point, which knows its density.
    directions : ndarray of float64, shape (m, 3)
        Unit vectors to the points.
    fluxes : ndarray of float64, shape (m,)
        Multiples of unit flux.
    rng : numpy.random.Generator
        Random numbers.
    """
    density = known_density(wise)
    steps, amount = np.log(density.energy), _photons_per_step(wise, directions, fluxes)
    n = rng.poisson(amount.sum(axis=1))
    drawn = [draw_between(steps, amount[k], n[k], rng) for k in np.flatnonzero(n)]
    energy = np.clip(np.exp(np.concatenate([np.empty(0), *drawn])), *density.span)
    angle = draw_angles(node_positions(density.psf_energy, energy), wise.theta, wise.profile, rng)
    azimuth = rng.uniform(0, 2 * np.pi, energy.size)
    measured = turn_away(np.repeat(directions, n, axis=0), angle, azimuth)
    kept = density.is_inside(measured)
    return Photons(measured[kept], energy[kept])


def observe_photons(wise: EventWise, photons: Photons) -> tuple[np.ndarray, EventWise]:
    """Expected background at photons, and the expectation of a source there.

    Photons where no background is expected are left out, as bins without background are.

    Returns
    -------
    background : ndarray of float64, shape (n,)
        Expected density [sr-1 keV-1] at each event.
    wise : EventWise
        The expectation.
    """
    density = known_density(wise)
    background = density.background_at(*photons)
    kept = background > 0
    direction, energy = photons.direction[kept], photons.energy[kept]
    observed, order = wise.with_events(
        direction,
        density.spectrum_at(energy),
        node_positions(density.psf_energy, energy),
        node_positions(density.exposure_energy, energy),
    )
    return background[kept][order], observed


def _photons_per_step(wise: EventWise, directions: np.ndarray, fluxes: np.ndarray) -> np.ndarray:
    """Expected photons of points between the energies of the spectrum, shape (m, n - 1)."""
    density = known_density(wise)
    energy = density.energy
    exposure = known_values(wise.exposure, directions)[0]
    seen = exposure @ _node_weights(density.exposure_energy, energy).T
    inside = _node_weights(density.psf_energy, energy) @ linear_integral(wise.theta, wise.profile)
    rate = fluxes[:, np.newaxis] * seen * (density.spectrum * inside * energy)
    return (rate[:, 1:] + rate[:, :-1]) / 2 * np.diff(np.log(energy))


def _node_weights(nodes: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Linear interpolation between nodes as a matrix, shape (n, n_node)."""
    position = node_positions(nodes, energy)[:, np.newaxis]
    return np.maximum(0, 1 - np.abs(position - np.arange(len(nodes))))


@lru_cache(maxsize=8)  # the same for all skies of a problem
def _most_counts(spread: BandDensity, span: tuple[float, float]) -> np.ndarray:
    """Counts that pixels would have at the largest density in each, nested, of half the nside.

    The density at a position is a mean of four pixels, all within or next to twice as large ones.
    """
    grid = spread.grid
    per_pixel = np.zeros(12 * grid.nside**2)
    ipix = slice(None) if grid.ipix is None else grid.ipix
    per_pixel[ipix] = spread.scale * grid.values @ spread.fractions(span)
    if grid.nside == 1:
        return np.full(12, per_pixel.max())
    nside = grid.nside // 2
    coarse = np.arange(12 * nside**2)
    children = nest_to_ring(grid.nside, 4 * coarse[:, np.newaxis] + np.arange(4))
    largest = per_pixel[children].max(axis=1)
    around = neighbours(nside, coarse)
    beside = np.where(around >= 0, largest[around], 0.0).max(axis=1)
    return 4 * np.maximum(largest, beside)


def _draw_powers(density: EventDensity, band: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Energies from the power laws of bands [keV], within the span."""
    edges = np.clip(density.background.edges, *density.span)
    low, high = edges[band], edges[band + 1]
    index = density.background.slope[band] + 1
    part, ratio = rng.uniform(size=band.size), np.log(high / low)
    # (E / low)^index is even between its ends; log(E / low) where the index is 0
    is_flat = np.abs(index * ratio) < 1e-9
    power = np.where(is_flat, 1.0, index)
    steps = np.log1p(part * np.expm1(power * ratio)) / power
    energy = low * np.exp(np.where(is_flat, part * ratio, steps))
    # below the upper edge, which belongs to the next band
    return np.minimum(energy, np.nextafter(high, 0))
