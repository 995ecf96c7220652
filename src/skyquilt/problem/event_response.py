"""Response of photons one by one where energies are measured with some width.

A photon of true energy E' and a source at an angle o from where a telescope points are seen with
A(E', o), spread over measured energies by D(E | E', o) and over angles by P(angle | E', o). All are
known for bins of true energy k, the *nodes*, at some angles o, the *patterns*; D at measured
energies m in between which E^2.5 D is linear in the logarithm.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from skyquilt.problem.datasets import StoredDataset, get_all, put_all
from skyquilt.problem.event_density import node_positions
from skyquilt.problem.profiles import N_COLUMN, root_angles, tabulate
from skyquilt.problem.true_energy import TrueEnergy

if TYPE_CHECKING:
    import h5py

_DATASETS = {
    "area": StoredDataset("cm2 s", "exposure of each pattern and node, times its weight"),
    "measured": StoredDataset("keV", "measured energies between which the dispersion is linear"),
    "dispersion": StoredDataset("keV-1", "dispersion of each pattern, measured energy and node"),
    "seen": StoredDataset("", "probability of each band, pattern and node"),
    "theta": StoredDataset("rad", "angles of the profiles"),
    "profile": StoredDataset("sr-1", "point spread function of each pattern and node"),
}

_STEEPNESS = 2.5
"""Dispersed spectra times this power of energy are flat enough to be linear in between."""


@dataclass(frozen=True, eq=False)
class EventResponse:
    """Exposure, dispersion and point spread function of patterns and nodes.

    Attributes
    ----------
    axis : TrueEnergy
        Nodes of true energy.
    area : ndarray of float64, shape (n_pattern, n_node)
        Exposure [cm2 s], to be multiplied with the weight of the pattern in a direction.
    measured : ndarray of float64, shape (n_measured,)
        Measured energies [keV], ascending, from end to end of those of events.
    dispersion : ndarray of float64, shape (n_pattern, n_measured, n_node)
        Density of the measured energy [keV-1] of a photon of each node.
    seen : ndarray of float64, shape (n_band, n_pattern, n_node)
        Probability that a photon is measured in each band, at any angle.
    theta : ndarray of float64, shape (n_theta,)
        Angles of the profiles [rad], from 0, ascending, at most pi.
    profile : ndarray of float64, shape (n_pattern, n_node, n_theta)
        Point spread function [sr-1], linear between the angles and 0 beyond the last.

    Raises
    ------
    ValueError
        If shapes do not fit, a value is negative or not finite, or angles or energies do not
        ascend.
    """

    names: ClassVar[frozenset[str]] = frozenset(_DATASETS)

    axis: TrueEnergy
    area: np.ndarray
    measured: np.ndarray
    dispersion: np.ndarray
    seen: np.ndarray
    theta: np.ndarray
    profile: np.ndarray

    def __post_init__(self):
        n_pattern, n_node = len(self.area), self.axis.n_node
        wanted = {
            "area": (n_pattern, n_node),
            "dispersion": (n_pattern, len(self.measured), n_node),
            "seen": (len(self.seen), n_pattern, n_node),
            "profile": (n_pattern, n_node, len(self.theta)),
        }
        for name, shape in wanted.items():
            values = getattr(self, name)
            if values.shape != shape:
                raise ValueError(f"{name}: shape {values.shape}, expected {shape}.")
            if not (np.all(np.isfinite(values)) and np.all(values >= 0)):
                raise ValueError(f"{name}: allowed are finite values of 0 or more.")
        for name in ("measured", "theta"):
            if np.any(np.diff(getattr(self, name)) <= 0):
                raise ValueError(f"{name}: values must ascend.")
        if self.measured[0] <= 0 or self.theta[0] != 0 or self.theta[-1] > np.pi:
            raise ValueError("measured, theta: allowed are energies above 0, angles from 0 to pi.")

    @property
    def n_pattern(self) -> int:
        """Number of patterns."""
        return len(self.area)

    @cached_property
    def angles(self) -> np.ndarray:
        """Angles of the tables [rad]: equal steps of the root of the chord, shape (N_COLUMN,)."""
        return root_angles(float(self.theta[-1]), N_COLUMN)

    @cached_property
    def tables(self) -> np.ndarray:
        """Point spread functions at `angles` [sr-1], shape (n_pattern, n_node, N_COLUMN)."""
        rows = self.profile.reshape(-1, len(self.theta))
        values = [np.interp(self.angles, self.theta, row, right=0.0) for row in rows]
        return np.reshape(values, (*self.profile.shape[:2], N_COLUMN))

    def density(self, pattern: int, flux: np.ndarray) -> np.ndarray:
        """Expected counts at measured energies and angles, without the power of `guide`.

        Parameters
        ----------
        pattern : int
            Number of the pattern.
        flux : ndarray of float64, shape (n_node,)
            Photons of each node [cm-2 s-1].

        Returns
        -------
        ndarray of float64, shape (n_measured, N_COLUMN)
            Densities [sr-1 keV-1] over those of `guide`.
        """
        weight = self.dispersion[pattern] * (self.area[pattern] * flux)
        return (weight / self.guide(self.measured)[:, np.newaxis]) @ self.tables[pattern]

    def node_density(self, pattern: int, node: int) -> np.ndarray:
        """The same for one photon of one node."""
        weight = self.dispersion[pattern, :, node] * self.area[pattern, node]
        return np.outer(weight / self.guide(self.measured), self.tables[pattern, node])

    @staticmethod
    def guide(energy: np.ndarray) -> np.ndarray:
        """What densities are about proportional to: a power of energies [keV]."""
        return np.power(energy, -_STEEPNESS)

    def nodes(self, energy: np.ndarray) -> np.ndarray:
        """Places of energies of events [keV] among the measured ones."""
        return node_positions(self.measured, energy)

    def energies(self, node: np.ndarray) -> np.ndarray:
        """Energies of events [keV] at positions among the measured ones."""
        every = np.arange(float(len(self.measured)))
        return np.exp(np.interp(node, every, np.log(self.measured)))

    def totals(self, flux: np.ndarray) -> np.ndarray:
        """Expected counts of each pattern in each band, shape (n_pattern, n_band)."""
        return np.einsum("bpk,pk,k->pb", self.seen, self.area, flux)

    def core(self) -> float:
        """Angle within which the narrowest point spread function has 39 % of the photons [rad]."""
        rows = self.profile.reshape(-1, len(self.theta))
        narrowest = rows[np.argmax(rows[:, 0])]
        return tabulate(self.theta, narrowest[np.newaxis], 1e-3).core

    def reach(self, flux: np.ndarray, lost_fraction: float) -> np.ndarray:
        """Angle beyond which a fraction of the photons of each measured energy lies [rad].

        Shape (n_pattern, n_measured); 0 where there are none. Of photons of all nodes, in the
        proportions that a spectrum gives them; the largest of a pattern and those beside it.
        """
        reach = np.zeros((self.n_pattern, len(self.measured)))
        ring = 2 * np.pi * np.sin(self.angles)
        for pattern, values in enumerate(reach):
            density = ring * self.density(pattern, flux)
            steps = (density[:, 1:] + density[:, :-1]) / 2 * np.diff(self.angles)
            contained = np.concatenate([np.zeros((len(steps), 1)), np.cumsum(steps, 1)], axis=1)
            total = contained[:, -1]
            for row in np.flatnonzero(total > 0):
                limit = (1 - lost_fraction) * total[row]
                values[row] = self.angles[np.searchsorted(contained[row], limit)]
        # of patterns that meet in a direction, so that none ends before the other
        padded = np.pad(reach, ((1, 1), (0, 0)))
        return np.maximum(reach, np.maximum(padded[:-2], padded[2:]))

    def put(self, group: "h5py.Group") -> None:
        """Write to a group."""
        put_all(group, self, _DATASETS)
        self.axis.put(group.create_group("true_energy"))

    @classmethod
    def get(cls, group: "h5py.Group") -> "EventResponse":
        """Read from a group."""
        return cls(axis=TrueEnergy.get(group["true_energy"]), **get_all(group, _DATASETS))
