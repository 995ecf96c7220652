"""Directions that stand for a source of any shape.

Not with the shapes of a configuration, so that workers of a fit need none.
"""

from typing import NamedTuple

import numpy as np

from skyquilt.sky.tangent import tangent_axes


class Nodes(NamedTuple):
    """Offsets from the centre of a shape that stand for its brightness.

    Attributes
    ----------
    east, north : ndarray of float64, shape (n,)
        Parts of the unit vectors along the axes of the tangent plane.
    weight : ndarray of float64, shape (n,)
        Weights of sum 1.
    """

    east: np.ndarray
    north: np.ndarray
    weight: np.ndarray

    def radius(self, fraction: float) -> float:
        """Angle from the centre within which a fraction of the brightness lies [rad]."""
        sine = np.hypot(self.east, self.north)
        order = np.argsort(sine)
        index = np.searchsorted(np.cumsum(self.weight[order]), fraction * (1 - 1e-9))
        return float(np.arcsin(min(sine[order[min(index, sine.size - 1)]], 1.0)))

    def around(self, directions: np.ndarray, pole: np.ndarray) -> np.ndarray:
        """Directions of all nodes around centres.

        Parameters
        ----------
        directions : ndarray of float64, shape (m, 3)
            Centres, unit vectors.
        pole : ndarray of float64, shape (3,)
            North pole that position angles are counted from.

        Returns
        -------
        ndarray of float64, shape (m, n, 3)
            Unit vectors.
        """
        east, north = tangent_axes(directions, pole)
        along = np.sqrt(np.maximum(1 - self.east**2 - self.north**2, 0.0))
        return (
            along[:, np.newaxis] * directions[:, np.newaxis]
            + self.east[:, np.newaxis] * east[:, np.newaxis]
            + self.north[:, np.newaxis] * north[:, np.newaxis]
        )
