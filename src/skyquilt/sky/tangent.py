"""Directions near a direction, by their position in its tangent plane."""

import numpy as np


def tangent_axes(vec: np.ndarray, pole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors to the east and to the north of each direction.

    Parameters
    ----------
    vec : ndarray of float64, shape (n, 3)
        Unit vectors.
    pole : ndarray of float64, shape (3,)
        Direction of the north pole that is meant, in the frame of `vec`.

    Returns
    -------
    east, north : ndarray of float64, shape (n, 3)
        Unit vectors; at the poles themselves, where there is no east, any pair.

    Examples
    --------
    >>> east, north = tangent_axes(np.array([[1.0, 0.0, 0.0]]), np.array([0.0, 0.0, 1.0]))
    >>> east, north
    (array([[0., 1., 0.]]), array([[0., 0., 1.]]))
    """
    east = np.cross(pole, vec)
    length = np.linalg.norm(east, axis=-1, keepdims=True)
    other = np.eye(3)[np.argmin(np.abs(vec), axis=-1)]  # a coordinate axis far from the direction
    east = np.where(length > 1e-12, east, np.cross(other, vec))
    east = east / np.linalg.norm(east, axis=-1, keepdims=True)
    return east, np.cross(vec, east)


def from_tangent(
    vec: np.ndarray, axes: tuple[np.ndarray, np.ndarray], x: np.ndarray, y: np.ndarray
) -> np.ndarray:
    """Directions at positions in the tangent planes of other directions (gnomonic projection).

    Parameters
    ----------
    vec : ndarray of float64, shape (n, 3)
        Points of contact, unit vectors.
    axes : tuple of ndarray of float64, shape (n, 3)
        Axes of x and y, as `tangent_axes` gives them.
    x, y : ndarray of float64, shape (n, m)
        Positions [deg], as if the plane were the sky: 1 deg is that of the sky near the centre.

    Returns
    -------
    ndarray of float64, shape (n, m, 3)
        Unit vectors.

    Examples
    --------
    >>> vec = np.array([[1.0, 0.0, 0.0]])
    >>> axes = tangent_axes(vec, np.array([0.0, 0.0, 1.0]))
    >>> from_tangent(vec, axes, np.zeros((1, 1)), np.zeros((1, 1)))
    array([[[1., 0., 0.]]])
    """
    east, north = axes
    x, y = np.radians(x)[..., np.newaxis], np.radians(y)[..., np.newaxis]
    moved = vec[:, np.newaxis] + x * east[:, np.newaxis] + y * north[:, np.newaxis]
    return moved / np.linalg.norm(moved, axis=-1, keepdims=True)
