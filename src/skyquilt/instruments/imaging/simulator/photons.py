"""Photons of a simulated sky: true directions and energies, and where they are measured."""

from typing import NamedTuple

import numpy as np

from skyquilt.config.imager import Epoch, SimulatedSkySource
from skyquilt.config.shape import Disk, EllipticalGaussian, Gaussian, Point, Ring, Shape
from skyquilt.config.spectrum import Spectrum
from skyquilt.instruments.imaging.simulator.telescope import Telescope
from skyquilt.problem.profiles import contained_in
from skyquilt.sky.frames import position_to_vec, rotation
from skyquilt.sky.tangent import tangent_axes
from skyquilt.spectra.models import evaluate

_N_ENERGY = 4001  # energies of the inverse of the cumulative spectrum


class Photons(NamedTuple):
    """Measured photons.

    Attributes
    ----------
    direction : ndarray of float64, shape (n, 3)
        Unit vectors, galactic.
    energy : ndarray of float64, shape (n,)
        Energies [keV].
    """

    direction: np.ndarray
    energy: np.ndarray


def expected_photons(spectrum: Spectrum, telescope: Telescope) -> np.ndarray:
    """Photons on the axis of a telescope at the steps of `energy_grid`, of each step.

    Returns
    -------
    ndarray of float64, shape (n - 1,)
        Expected counts between an energy of the grid and the next.
    """
    energy = energy_grid(telescope)
    density = evaluate(spectrum, energy) * telescope.exposure_at(energy) * energy
    return (density[1:] + density[:-1]) / 2 * np.diff(np.log(energy))


def energy_grid(telescope: Telescope) -> np.ndarray:
    """Energies [keV] from the first to the last edge, and all edges, shape (n,)."""
    even = np.geomspace(telescope.edges[0], telescope.edges[-1], _N_ENERGY)
    return np.unique(np.concatenate([even[1:-1], telescope.edges]))


def draw_energies(
    spectrum: Spectrum, telescope: Telescope, n: int, rng: np.random.Generator
) -> np.ndarray:
    """Energies [keV] of photons that are seen, even in the logarithm between those of the grid."""
    grid, expected = energy_grid(telescope), expected_photons(spectrum, telescope)
    cumulative = np.concatenate([[0.0], np.cumsum(expected)])
    return np.exp(np.interp(rng.uniform(0, cumulative[-1], n), cumulative, np.log(grid)))


def draw_source(
    source: SimulatedSkySource, telescope: Telescope, rng: np.random.Generator
) -> Photons:
    """Photons of a source: a Poisson number, each where the point spread function puts it."""
    n = rng.poisson(expected_photons(source.spectrum, telescope).sum())
    place = source.position
    center = position_to_vec(place.lon, place.lat, place.frame, "galactic")
    true = draw_shape(source.shape, center, n, rng)
    is_seen = rng.uniform(size=n) < telescope.acceptance(true)
    energy = draw_energies(source.spectrum, telescope, int(is_seen.sum()), rng)
    return Photons(spread(true[is_seen], energy, telescope, rng), energy)


def draw_shape(shape: Shape, center: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Directions from the brightness of a shape around a centre, shape (n, 3)."""
    turn, part = rng.uniform(0, 2 * np.pi, n), rng.uniform(size=n)
    east, north = np.cos(turn), np.sin(turn)
    if isinstance(shape, EllipticalGaussian):
        east, north = _on_ellipse(shape, east, north)
    angle = _radius(shape, part)
    pole = rotation("icrs", "galactic")[:, 2]
    to_east, to_north = (axis[0] for axis in tangent_axes(center[np.newaxis], pole))
    sine = np.sin(angle)[:, np.newaxis] * np.column_stack([east, north])
    along = np.sqrt(np.maximum(1 - np.sum(sine**2, axis=1), 0.0))[:, np.newaxis]
    return along * center + sine[:, :1] * to_east + sine[:, 1:] * to_north


def spread(
    true: np.ndarray, energy: np.ndarray, telescope: Telescope, rng: np.random.Generator
) -> np.ndarray:
    """Directions at which photons are measured, shape (n, 3)."""
    theta = _draw_angles(energy, telescope, rng)[:, np.newaxis]
    turn = rng.uniform(0, 2 * np.pi, energy.size)[:, np.newaxis]
    east, north = tangent_axes(true, np.array([0.0, 0.0, 1.0]))
    return np.cos(theta) * true + np.sin(theta) * (np.cos(turn) * east + np.sin(turn) * north)


def draw_times(epochs: tuple[Epoch, ...], n: int, rng: np.random.Generator) -> np.ndarray:
    """Times [UNIX s], even within each epoch, of each in proportion to its livetime."""
    length = np.array([one.stop - one.start for one in epochs])
    live = length * [one.live_fraction for one in epochs]
    epoch = rng.choice(len(epochs), n, p=live / live.sum())
    return np.array([one.start for one in epochs])[epoch] + rng.uniform(size=n) * length[epoch]


def _radius(shape: Shape, part: np.ndarray) -> np.ndarray:
    """Angles from the centre within which parts of the brightness lie [rad]."""
    match shape:
        case Point():
            return np.zeros_like(part)
        case Gaussian() | EllipticalGaussian():
            sine = np.sqrt(np.minimum(-np.log1p(-part) * np.radians(shape.sigma) ** 2 / 2, 1.0))
            return 2 * np.arcsin(sine)
        case Disk():
            first, last = 0.0, np.radians(shape.radius)
        case Ring():
            first, last = np.radians([shape.inner, shape.outer])
    low, high = np.sin(first / 2) ** 2, np.sin(last / 2) ** 2
    return 2 * np.arcsin(np.sqrt(low + part * (high - low)))


def _on_ellipse(
    shape: EllipticalGaussian, across: np.ndarray, along: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Parts to the east and the north, of those across and along the long axis."""
    across, angle = across * shape.ratio, np.radians(shape.angle)
    return (
        across * np.cos(angle) + along * np.sin(angle),
        along * np.cos(angle) - across * np.sin(angle),
    )


def _draw_angles(energy: np.ndarray, telescope: Telescope, rng: np.random.Generator) -> np.ndarray:
    """Angles from the point spread function, of the mean of those at the energies around [rad]."""
    place = np.interp(
        np.log(energy), np.log(telescope.energy), np.arange(float(telescope.energy.size))
    )
    node = np.floor(place + rng.uniform(size=energy.size)).astype(int)
    theta = telescope.theta
    fine = np.unique(np.concatenate([theta, (theta[1:] + theta[:-1]) / 2]))
    contained = contained_in(fine, theta, telescope.profile)
    angle, part = np.empty(energy.size), rng.uniform(size=energy.size)
    for number in np.unique(node):
        is_here = node == number
        inside = contained[number]
        # even in solid angle between the angles of the table
        height = np.interp(part[is_here] * inside[-1], inside, np.sin(fine / 2) ** 2)
        angle[is_here] = 2 * np.arcsin(np.sqrt(height))
    return angle
