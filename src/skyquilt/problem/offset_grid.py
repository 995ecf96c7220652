"""Weights of responses that are known at some angles from where a telescope points."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from skyquilt.problem.datasets import StoredDataset, get_all, put_all

if TYPE_CHECKING:
    import h5py

_DATASETS = {
    "pointing": StoredDataset("", "unit vector to where the telescope points"),
    "offset": StoredDataset("rad", "angles from there at which the response is known"),
    "sides": StoredDataset("", "borders of what is known: unit vector, least cosine"),
}


@dataclass(frozen=True, eq=False)
class OffsetGrid:
    """Linear interpolation in the angle from where a telescope points.

    Attributes
    ----------
    pointing : ndarray of float64, shape (3,)
        Unit vector to where the telescope points.
    offset : ndarray of float64, shape (n_offset,)
        Angles from there at which the response is known [rad], ascending.
    sides : ndarray of float64, shape (n_side, 4)
        Borders of the directions that are known: those whose scalar product with the first three
        numbers is at least the fourth, for all borders. A circle has one, a square four.

    Raises
    ------
    ValueError
        If shapes do not fit, or angles do not ascend.
    """

    pointing: np.ndarray
    offset: np.ndarray
    sides: np.ndarray

    def __post_init__(self):
        if self.pointing.shape != (3,) or self.sides.shape[1:] != (4,):
            raise ValueError(
                f"pointing {self.pointing.shape}, sides {self.sides.shape}: expected (3,), (n, 4)."
            )
        if not self.offset.size or self.offset[0] < 0 or np.any(np.diff(self.offset) <= 0):
            raise ValueError("offset: allowed are ascending angles from 0 on.")

    @property
    def n_quantity(self) -> int:
        """Number of angles."""
        return len(self.offset)

    def at(self, directions: np.ndarray) -> np.ndarray:
        """Weight of the response at each angle.

        Parameters
        ----------
        directions : ndarray of float64, shape (n, 3)
            Unit vectors.

        Returns
        -------
        ndarray of float64, shape (n, n_offset)
            Weights, of which two at most are not 0; NaN for directions that are not known: beyond
            the last angle or a border. Within the first angle the response is that at it.
        """
        chord = np.linalg.norm(directions - self.pointing, axis=1)
        angle = 2 * np.arcsin(np.minimum(chord / 2, 1))
        node = np.interp(angle, self.offset, np.arange(float(len(self.offset))))
        weights = np.maximum(0, 1 - np.abs(node[:, np.newaxis] - np.arange(len(self.offset))))
        weights[~self.is_known(directions)] = np.nan
        return weights

    def is_known(self, directions: np.ndarray) -> np.ndarray:
        """Whether directions, of shape (n, 3), are within the last angle and all borders."""
        last = 2 * np.sin(self.offset[-1] / 2) * (1 + 1e-9)
        inside = np.linalg.norm(directions - self.pointing, axis=1) <= last
        for *normal, least in self.sides:
            inside &= directions @ normal >= least
        return inside

    def radius(self) -> float:
        """Radius of the largest circle that all borders leave, or more [rad]."""
        ends = [np.arccos(np.clip(side[3], -1, 1)) for side in self.sides]
        return float(min([self.offset[-1], *ends]))

    def put(self, group: "h5py.Group") -> None:
        """Write to a group."""
        put_all(group, self, _DATASETS)

    @classmethod
    def get(cls, group: "h5py.Group") -> "OffsetGrid":
        """Read from a group."""
        return cls(**get_all(group, _DATASETS))
