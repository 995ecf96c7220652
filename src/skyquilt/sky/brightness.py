"""Brightness on the sky in pixels, as directions around its centre."""

from typing import NamedTuple

import numpy as np

from skyquilt.sky.nodes import Nodes
from skyquilt.sky.shapes import MOST_NODES
from skyquilt.sky.tangent import tangent_axes

_NORTH = np.array([0.0, 0.0, 1.0])
_PER_CORE = 1.2  # cores between directions, as for other shapes
_MANY = 10_000  # directions from which on those nearer than a core are taken together
_WIDEST = np.radians(89.0)


class Brightness(NamedTuple):
    """Brightness of the pixels of a map.

    Attributes
    ----------
    corners : ndarray of float64, shape (n, 4, 3)
        Corners of the pixels that are bright, unit vectors (ICRS), in their order around.
    weight : ndarray of float64, shape (n,)
        Part of the brightness in each, above 0; their sum is 1.
    """

    corners: np.ndarray
    weight: np.ndarray

    def center(self) -> np.ndarray:
        """Centre of brightness, a unit vector.

        Raises
        ------
        ValueError
            If there is none, as of a map that is bright all around.
        """
        mean = self.weight @ self.corners.mean(axis=1)
        length = np.linalg.norm(mean)
        if length < 1e-3:
            raise ValueError("it is as bright on one side of the sky as on the other")
        return mean / length

    def nodes(self, center: np.ndarray, core: float = np.inf) -> Nodes:
        """Directions that stand for the pixels: one or more in each.

        Parameters
        ----------
        center : ndarray of float64, shape (3,)
            Direction that offsets are counted from.
        core : float
            Standard deviation of what the map is folded with [rad]: pixels that are wider than
            this have several directions, and many small ones share one.

        Raises
        ------
        ValueError
            If a pixel is a quarter of the sky from the centre, or there are too many directions.
        """
        sides = np.linalg.norm(self.corners - np.roll(self.corners, 1, axis=1), axis=2)
        side = float(sides.max())
        n_part = max(1, int(np.ceil(side / (_PER_CORE * core))))
        if self.weight.size * n_part**2 > 20 * MOST_NODES:
            raise ValueError(_too_many(self.weight.size * n_part**2))
        direction = _inner(self.corners, n_part)
        angle = np.arccos(np.clip(direction @ center, -1, 1))
        if angle.max() > _WIDEST:
            raise ValueError(
                f"it is bright {np.degrees(angle.max()):.3g} deg from its centre; allowed are up "
                f"to {np.degrees(_WIDEST):g} deg"
            )
        east, north = (direction @ axis[0] for axis in tangent_axes(center[np.newaxis], _NORTH))
        nodes = Nodes(east, north, np.repeat(self.weight / n_part**2, n_part**2))
        step = 2 * side
        while nodes.weight.size > _MANY and step <= core:
            nodes, step = _take_together(nodes, step), 2 * step
        if nodes.weight.size > MOST_NODES:
            raise ValueError(_too_many(nodes.weight.size))
        return nodes


def _inner(corners: np.ndarray, n: int) -> np.ndarray:
    """Directions in n by n parts of each pixel, shape (n_pixel * n * n, 3)."""
    at = (np.arange(n) + 0.5) / n
    u, v = (values.ravel() for values in np.meshgrid(at, at))
    fraction = np.stack([(1 - u) * (1 - v), u * (1 - v), u * v, (1 - u) * v], axis=1)
    inner = np.einsum("kc,pcx->pkx", fraction, corners).reshape(-1, 3)
    return inner / np.linalg.norm(inner, axis=1, keepdims=True)


def _take_together(nodes: Nodes, step: float) -> Nodes:
    """Nodes in squares of a side, at their centres of brightness."""
    cell = np.stack([np.floor(part / step).astype(np.int64) for part in nodes[:2]], axis=1)
    _, group = np.unique(cell, axis=0, return_inverse=True)
    weight = np.bincount(group, nodes.weight)
    east, north = (np.bincount(group, nodes.weight * part) / weight for part in nodes[:2])
    return Nodes(east, north, weight)


def _too_many(n: int) -> str:
    return (
        f"it needs {n} directions at the width of what it is folded with; allowed are {MOST_NODES}"
    )
