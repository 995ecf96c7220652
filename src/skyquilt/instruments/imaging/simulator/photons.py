"""Photons of a simulated sky: true directions and energies, and where they are measured."""

from typing import NamedTuple

import numpy as np

from skyquilt.config.imager import Epoch, SimulatedSkySource
from skyquilt.config.light_curve import LightCurve
from skyquilt.config.shape import BrightnessMap, Shape
from skyquilt.config.spectrum import Spectrum
from skyquilt.instruments.imaging.brightness_file import read_brightness
from skyquilt.instruments.imaging.simulator.telescope import SimulatedTelescope
from skyquilt.light_curves.factors import draw_times as draw_within
from skyquilt.light_curves.factors import integrate_factor
from skyquilt.problem.event_density import node_positions
from skyquilt.simulate.draws import draw_angles, draw_between
from skyquilt.simulate.shapes import draw_brightness, draw_shape
from skyquilt.sky.frames import position_to_vec
from skyquilt.sky.tangent import tangent_axes
from skyquilt.spectra.models import evaluate

_N_ENERGY = 4001  # energies of the inverse of the cumulative spectrum


class MeasuredPhotons(NamedTuple):
    """Measured photons.

    Attributes
    ----------
    direction : ndarray of float64, shape (n, 3)
        Unit vectors, galactic.
    energy, true_energy : ndarray of float64, shape (n,)
        Measured and true energies [keV].
    """

    direction: np.ndarray
    energy: np.ndarray
    true_energy: np.ndarray

    def keep(self, is_kept: np.ndarray) -> "MeasuredPhotons":
        """Some of the photons."""
        return MeasuredPhotons(*(values[is_kept] for values in self))


def expected_photons(spectrum: Spectrum, telescope: SimulatedTelescope) -> np.ndarray:
    """Photons on the axis of a telescope at the steps of `energy_grid`, of each step.

    Returns
    -------
    ndarray of float64, shape (n - 1,)
        Expected counts between an energy of the grid and the next.
    """
    energy = energy_grid(telescope)
    density = evaluate(spectrum, energy) * telescope.exposure_at(energy) * energy
    return (density[1:] + density[:-1]) / 2 * np.diff(np.log(energy))


def energy_grid(telescope: SimulatedTelescope) -> np.ndarray:
    """True energies [keV] that may be measured, and the edges of the bands, shape (n,)."""
    even = np.geomspace(*telescope.span, _N_ENERGY)
    return np.unique(np.concatenate([even[1:-1], telescope.span, telescope.edges]))


def draw_energies(
    spectrum: Spectrum, telescope: SimulatedTelescope, n: int, rng: np.random.Generator
) -> np.ndarray:
    """Energies [keV] of photons that are seen, even in the logarithm between those of the grid."""
    grid, expected = energy_grid(telescope), expected_photons(spectrum, telescope)
    return np.exp(draw_between(np.log(grid), expected, n, rng))


def expected_bands(spectrum: Spectrum, telescope: SimulatedTelescope) -> np.ndarray:
    """Photons on the axis of a telescope that are measured in each band, shape (n_band,)."""
    steps, energy = expected_photons(spectrum, telescope), energy_grid(telescope)
    if telescope.dispersion.settings is None:
        return np.add.reduceat(steps, np.searchsorted(energy, telescope.edges[:-1]))
    middle = np.sqrt(energy[1:] * energy[:-1])
    return steps @ telescope.dispersion.to_bands(middle, telescope.edges)


def draw_source(
    source: SimulatedSkySource,
    telescope: SimulatedTelescope,
    factor: float,
    rng: np.random.Generator,
) -> MeasuredPhotons:
    """Photons of a source: a Poisson number, each where the point spread function puts it.

    Parameters
    ----------
    source : SimulatedSkySource
        The source.
    telescope : SimulatedTelescope
        The telescope.
    factor : float
        Mean of its light curve over the livetime.
    rng : numpy.random.Generator
        Random numbers.
    """
    n = rng.poisson(factor * expected_photons(source.spectrum, telescope).sum())
    position = source.position
    center = position_to_vec(position.lon, position.lat, position.frame, "galactic")
    true = _draw_positions(source.shape, center, n, rng)
    is_seen = rng.uniform(size=n) < telescope.acceptance(true)
    energy = draw_energies(source.spectrum, telescope, int(is_seen.sum()), rng)
    return measure(spread(true[is_seen], energy, telescope, rng), energy, telescope, rng)


def _draw_positions(
    shape: Shape, center: np.ndarray, n: int, rng: np.random.Generator
) -> np.ndarray:
    """True directions of photons of a source, galactic."""
    if not isinstance(shape, BrightnessMap):
        return draw_shape(shape, center, n, rng)
    brightness, position = read_brightness(shape), shape.center
    if position is None:
        return draw_brightness(brightness, brightness.center(), center, n, rng)
    origin = position_to_vec(position.lon, position.lat, position.frame, "icrs")
    return draw_brightness(brightness, origin, center, n, rng)


def measure(
    direction: np.ndarray,
    energy: np.ndarray,
    telescope: SimulatedTelescope,
    rng: np.random.Generator,
) -> MeasuredPhotons:
    """Photons of measured directions and true energies that are measured within the bands."""
    if telescope.dispersion.settings is None:
        return MeasuredPhotons(direction, energy, energy)
    measured = telescope.dispersion.draw(energy, rng)
    is_in = (measured >= telescope.edges[0]) & (measured < telescope.edges[-1])
    return MeasuredPhotons(direction, measured, energy).keep(is_in)


def spread(
    true: np.ndarray, energy: np.ndarray, telescope: SimulatedTelescope, rng: np.random.Generator
) -> np.ndarray:
    """Directions at which photons are measured, shape (n, 3)."""
    position = node_positions(telescope.energy, energy)
    theta = draw_angles(position, telescope.theta, telescope.profile, rng)[:, np.newaxis]
    turn = rng.uniform(0, 2 * np.pi, energy.size)[:, np.newaxis]
    east, north = tangent_axes(true, np.array([0.0, 0.0, 1.0]))
    return np.cos(theta) * true + np.sin(theta) * (np.cos(turn) * east + np.sin(turn) * north)


def mean_factor(curve: LightCurve | None, epochs: tuple[Epoch, ...]) -> float:
    """Mean of a light curve over the livetime of some epochs."""
    if curve is None:
        return 1.0
    live = [one.live_fraction * (one.stop - one.start) for one in epochs]
    return float(_seen(curve, epochs).sum() / np.sum(live))


def draw_times(
    curve: LightCurve | None, epochs: tuple[Epoch, ...], n: int, rng: np.random.Generator
) -> np.ndarray:
    """Times [UNIX s] within epochs, in proportion to livetime and light curve."""
    seen = _seen(curve, epochs)
    epoch = rng.choice(len(epochs), n, p=seen / seen.sum())
    start, stop = (np.array([getattr(one, end) for one in epochs]) for end in ("start", "stop"))
    return draw_within(curve, start[epoch], stop[epoch], rng)


def _seen(curve: LightCurve | None, epochs: tuple[Epoch, ...]) -> np.ndarray:
    """Livetime times factor of each epoch [s]."""
    whole = [integrate_factor(curve, one.start, one.stop) for one in epochs]
    return np.array(whole) * [one.live_fraction for one in epochs]
