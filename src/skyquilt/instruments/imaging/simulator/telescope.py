"""A simulated imaging telescope: exposure and point spread function at energies.

Between these energies both are linear in the logarithm of the energy, as they are read, so that
photons follow the files exactly.
"""

from typing import NamedTuple

import numpy as np

from skyquilt.config.imager import SimulatedImager, SimulatedPointSpread
from skyquilt.config.units import to_value
from skyquilt.instruments.imaging.simulator.dispersion import Energies
from skyquilt.problem.event_density import node_positions
from skyquilt.problem.profiles import contained_in, linear_integral
from skyquilt.sky.frames import position_to_vec

_PER_DECADE = 10  # energies of exposure and point spread function
_N_THETA = 400
_N_RING = 120  # rings of the binned point spread function
_BINS_PER_DECADE = 20  # of the binned response
_LAST = 60.0  # angle at which the point spread function ends, in widths


class SimulatedTelescope(NamedTuple):
    """Response of a simulated telescope.

    Attributes
    ----------
    edges : ndarray of float64, shape (n_band + 1,)
        Edges of the energy bands [keV].
    energy : ndarray of float64, shape (n,)
        Energies of the response [keV].
    exposure : ndarray of float64, shape (n,)
        Area times livetime on the axis [cm2 s].
    theta : ndarray of float64, shape (n_theta,)
        Angles of the point spread function [rad].
    profile : ndarray of float64, shape (n, n_theta)
        Its density [sr-1], of integral 1.
    axis : ndarray of float64, shape (3,), or None
        Middle of the field of view, galactic; None for the whole sky.
    radius : float
        Radius of the field of view [rad].
    dispersion : Energies
        Energy dispersion.
    """

    edges: np.ndarray
    energy: np.ndarray
    exposure: np.ndarray
    theta: np.ndarray
    profile: np.ndarray
    axis: np.ndarray | None
    radius: float
    dispersion: Energies

    @property
    def span(self) -> tuple[float, float]:
        """Lowest and highest true energy of photons that are measured in the bands [keV]."""
        return self.dispersion.true_span(self.edges)

    def acceptance(self, direction: np.ndarray) -> np.ndarray:
        """Exposure of directions of shape (m, 3) over that on the axis, shape (m,)."""
        if self.axis is None:
            return np.ones(len(direction))
        chord = np.linalg.norm(direction - self.axis, axis=1)
        offset = 2 * np.arcsin(np.minimum(chord / 2, 1))
        return np.maximum(1 - (offset / self.radius) ** 2, 0.0)

    def exposure_at(self, energy: np.ndarray) -> np.ndarray:
        """Exposure on the axis at energies [keV], in cm2 s."""
        return np.interp(np.log(energy), np.log(self.energy), self.exposure)


def make_telescope(settings: SimulatedImager) -> SimulatedTelescope:
    """Response of the telescope of a simulation."""
    edges = np.array([to_value(edge, "keV") for edge in settings.energy_edges])
    dispersion = Energies(settings.dispersion)
    low, high = dispersion.true_span(edges)
    n = int(np.ceil(_PER_DECADE * np.log10(high / low))) + 1
    energy = np.geomspace(low, high, n)
    area = settings.area
    of_energy = (energy / to_value(area.pivot, "keV")) ** area.index
    theta, profile = _point_spread(settings.point_spread, energy)
    field = settings.field
    axis, radius = None, np.pi
    if field is not None:
        center = field.center
        axis = position_to_vec(center.lon, center.lat, center.frame, "galactic")
        radius = float(np.radians(field.radius))
    exposure = to_value(area.value, "cm2") * settings.livetime * of_energy
    return SimulatedTelescope(edges, energy, exposure, theta, profile, axis, radius, dispersion)


class BinnedResponse(NamedTuple):
    """Response in bins of true energy.

    Attributes
    ----------
    edges : ndarray of float64, shape (n + 1,)
        Edges of the bins of true energy [keV].
    exposure : ndarray of float64, shape (n,)
        Exposure on the axis [cm2 s].
    to_band : ndarray of float64, shape (n, n_band)
        Probability to be measured in each band.
    ring_edges : ndarray of float64, shape (n_ring + 1,)
        Edges of rings around a source [rad].
    rings : ndarray of float64, shape (n, n_ring)
        Point spread function, mean over each ring [sr-1].
    """

    edges: np.ndarray
    exposure: np.ndarray
    to_band: np.ndarray
    ring_edges: np.ndarray
    rings: np.ndarray


def bin_response(telescope: SimulatedTelescope) -> BinnedResponse:
    """Means of the response over bins of true energy, of a spectrum of index -2."""
    n = int(np.ceil(_BINS_PER_DECADE * np.log10(telescope.energy[-1] / telescope.energy[0])))
    edges = np.geomspace(telescope.energy[0], telescope.energy[-1], n + 1)
    node, weight = np.polynomial.legendre.leggauss(4)
    part = (1 + node) / 2
    energy = edges[:-1, np.newaxis] * (edges[1:] / edges[:-1])[:, np.newaxis] ** part
    fraction = weight / energy  # photons per logarithm of energy
    fraction = (fraction / fraction.sum(axis=1, keepdims=True))[..., np.newaxis]
    to_band = telescope.dispersion.to_bands(energy.ravel(), telescope.edges)
    position = node_positions(telescope.energy, energy.ravel())
    profiles = np.maximum(0, 1 - np.abs(position[:, np.newaxis] - np.arange(telescope.energy.size)))
    theta = telescope.theta
    ring_edges = np.concatenate([[0.0], np.geomspace(theta[1], theta[-1], _N_RING)])
    fine = np.unique(np.concatenate([theta, ring_edges]))
    contained = contained_in(fine, theta, telescope.profile)[:, np.searchsorted(fine, ring_edges)]
    rings = np.diff(contained, axis=1) / (2 * np.pi * -np.diff(np.cos(ring_edges)))

    def mean(values: np.ndarray) -> np.ndarray:
        return np.sum(fraction * values.reshape(*energy.shape, -1), axis=1)

    exposure = mean(telescope.exposure_at(energy))[:, 0]
    return BinnedResponse(edges, exposure, mean(to_band), ring_edges, mean(profiles @ rings))


def _point_spread(
    settings: SimulatedPointSpread, energy: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Angles [rad] and densities [sr-1] of integral 1."""
    pivot = to_value(settings.pivot, "keV")
    sigma = np.radians(settings.sigma) * (energy / pivot) ** settings.index
    last = min(_LAST * sigma.max(), np.pi)
    theta = np.concatenate([[0.0], np.geomspace(sigma.min() / 50, last, _N_THETA - 1)])
    x = theta**2 / (2 * sigma[:, np.newaxis] ** 2)
    if settings.model == "king":
        profile = (1 + x / settings.gamma) ** -settings.gamma
    else:
        profile = np.exp(-x)
    return theta, profile / linear_integral(theta, profile)[:, np.newaxis]
