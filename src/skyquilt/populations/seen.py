"""What an imaging telescope sees of populations: densities at events one by one, and totals."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from skyquilt.problem.event_wise import EventWise
from skyquilt.problem.profiles import tabulate
from skyquilt.problem.sky_grid import HealpixGrid, known_values
from skyquilt.sky.healpix import ring_to_vec
from skyquilt.sky.pixels import nside_to_npix
from skyquilt.sky.tangent import from_tangent, tangent_axes

_N_RADIUS, _N_AROUND = 8, 8
"""Directions that stand for a point spread: 8 radii of equal fractions, 8 angles each. Templates
of a degree or more are folded to 1e-3 of their values."""
_BLOCK = 1 << 14  # events at a time
_POLE = np.array([0.0, 0.0, 1.0])


class Seen(NamedTuple):
    """What is seen of a brightness on the sky, before its spectrum is known.

    Attributes
    ----------
    response : ndarray of float64, shape (n_event,)
        Exposure times folded brightness at each event [cm2 s sr-1].
    total_weight : ndarray of float64, shape (n_energy,)
        Weight of the spectrum at each energy of the totals in the expected number of events
        [cm2 s keV].
    """

    response: np.ndarray
    total_weight: np.ndarray


def see_template(expectation: EventWise, brightness: HealpixGrid) -> Seen:
    """Fold a brightness of all of the sky with the point spread at each event.

    The point spread is symmetric, so that what an event sees is the brightness around it, weighted
    with the point spread of its energy; the exposure is taken at the event.

    Parameters
    ----------
    expectation : EventWise
        The events, with nodes of true energy.
    brightness : HealpixGrid
        One value per pixel, in its frame [sr-1].
    """
    n = expectation.n_hit
    response = np.empty(n)
    psf = tabulate(expectation.theta, expectation.profile, expectation.lost_fraction)
    radius, seen = _radii(psf.contained, psf.step, psf.reach)
    is_even = np.ptp(brightness.values) == 0
    for start in range(0, n, _BLOCK):
        events = slice(start, min(start + _BLOCK, n))
        direction = np.asarray(expectation.direction[events])
        own = _between(np.asarray(expectation.psf_node[events]))
        folded = sum(weight * seen[number] for number, weight in own)
        if is_even:
            folded = folded * brightness.values[0, 0]
        else:
            # radii of equal fractions between two energies are between theirs
            own_radius = sum(weight[:, np.newaxis] * radius[number] for number, weight in own)
            around = _around(direction, own_radius).reshape(-1, 3)
            folded = folded * brightness.at(around).reshape(len(direction), -1).mean(axis=1)
        exposure, _ = known_values(expectation.exposure, direction)
        of_event = np.zeros(len(direction))
        for number, weight in _between(np.asarray(expectation.exposure_node[events])):
            of_event += weight * exposure[np.arange(len(direction)), number]
        response[events] = of_event * folded
    return Seen(response, _total_weight(expectation, _exposed(expectation, brightness)))


def _exposed(expectation: EventWise, brightness: HealpixGrid) -> np.ndarray:
    """Brightness times exposure, added up over the sky, at each energy of the exposure [cm2 s]."""
    nside = max(brightness.nside, expectation.exposure.nside)
    area = 4 * np.pi / nside_to_npix(nside)
    found = np.zeros(expectation.exposure.n_quantity)
    for start in range(0, nside_to_npix(nside), _BLOCK):
        ipix = np.arange(start, min(start + _BLOCK, nside_to_npix(nside)))
        direction = ring_to_vec(nside, ipix)
        exposure, _ = known_values(expectation.exposure, direction)
        found += area * (brightness.at(direction)[:, 0] @ exposure)
    return found


def _total_weight(expectation: EventWise, exposed: np.ndarray) -> np.ndarray:
    own = expectation.by_energy
    assert own is not None
    return own.total.matrix.T @ exposed[own.quantity]


def _radii(contained: np.ndarray, step: float, reach: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Radii of equal fractions [deg], shape (n_profile, n), and the fraction within the reach."""
    chord = (step * np.arange(contained.shape[1])) ** 2
    angle = 2 * np.arcsin(np.minimum(chord / 2, 1.0))
    at = (np.arange(_N_RADIUS) + 0.5) / _N_RADIUS
    radius, seen = np.empty((len(contained), _N_RADIUS)), np.empty(len(contained))
    for number, (inside, end) in enumerate(zip(contained, reach, strict=True)):
        seen[number] = np.interp(end, angle, inside)
        radius[number] = np.interp(at * seen[number], inside, angle)
    return np.degrees(radius), seen


def _between(node: np.ndarray) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Numbers of the two neighbours of positions among energies, and their weights."""
    low = np.floor(node).astype(np.int64)
    high = np.ceil(node).astype(np.int64)
    return (low, 1 - (node - low)), (high, node - low)


def _around(direction: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Directions around others, shape (n, n_direction, 3); rings are turned against each other."""
    angle = 2 * np.pi * (np.arange(_N_AROUND) + 0.5 * (np.arange(_N_RADIUS) % 2)[:, np.newaxis])
    angle /= _N_AROUND
    x = (radius[:, :, np.newaxis] * np.cos(angle)).reshape(len(direction), -1)
    y = (radius[:, :, np.newaxis] * np.sin(angle)).reshape(len(direction), -1)
    return from_tangent(direction, tangent_axes(direction, _POLE), x, y)


@dataclass(frozen=True, eq=False)
class PowerLaws:
    """Spectra of the sources of a catalogue.

    Attributes
    ----------
    direction : ndarray of float64, shape (n, 3)
        Unit vectors in the frame of the events.
    norm : ndarray of float64, shape (n,)
        Photon flux density at the pivot [ph cm-2 s-1 keV-1].
    index : ndarray of float64, shape (n,)
        Indices, negative for falling spectra.
    pivot : float
        Energy of the norms [keV].
    """

    direction: np.ndarray
    norm: np.ndarray
    index: np.ndarray
    pivot: float


def see_sources(expectation: EventWise, sources: PowerLaws) -> tuple[np.ndarray, float]:
    """Density of all sources of a catalogue at each event, and their expected events.

    Returns
    -------
    density : ndarray of float64, shape (n_event,)
        Expected events per solid angle and energy [sr-1 keV-1].
    expected : float
        Their number.
    """
    own = expectation.by_energy
    assert own is not None
    nodes = expectation.nodes(sources.direction)
    row = np.repeat(np.arange(len(sources.norm)), np.diff(nodes.seen.indptr))
    event = nodes.seen.bin
    ratio = np.log(np.asarray(own.energy)[event] / sources.pivot)
    density = sources.norm[row] * np.exp(sources.index[row] * ratio) * nodes.seen.unit_counts
    shape = np.exp(sources.index[:, np.newaxis] * np.log(own.total.energy / sources.pivot))
    flux = (own.total.matrix @ shape.T).T * sources.norm[:, np.newaxis]
    expected = float(np.sum(nodes.exposure * flux))
    return np.bincount(event, density, minlength=expectation.n_hit), expected


def power_laws(
    direction: np.ndarray, flux: np.ndarray, index: np.ndarray, span: tuple[float, float]
) -> PowerLaws:
    """Power laws of some photon fluxes [ph cm-2 s-1] between two energies [keV].

    Examples
    --------
    >>> one = power_laws(np.eye(3)[:1], np.array([3.0]), np.array([-2.0]), (1.0, 4.0))
    >>> one.norm * one.pivot**2 * (1 / 1.0 - 1 / 4.0)
    array([3.])
    """
    pivot = float(np.sqrt(span[0] * span[1]))
    low, high = np.log(span[0] / pivot), np.log(span[1] / pivot)
    slope = index + 1
    is_flat = np.abs(slope) < 1e-9
    safe = np.where(is_flat, 1.0, slope)
    per_norm = np.where(is_flat, high - low, (np.exp(safe * high) - np.exp(safe * low)) / safe)
    return PowerLaws(direction, flux / (per_norm * pivot), index, pivot)
