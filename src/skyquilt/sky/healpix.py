"""Directions of HEALPix pixels, pixels of directions, bilinear neighbours.

Directions are unit vectors, float64, shape (n, 3).

References
----------
Gorski et al. 2005, ApJ 622, 759, equations 4 to 9; Calabretta and Roukema 2007, MNRAS 381, 865.
"""

from collections.abc import Callable
from functools import cache

import numpy as np

from skyquilt.native import kernels
from skyquilt.sky.pixels import check_ipix, check_nside


def nest_to_vec(nside: int, ipix: np.ndarray) -> np.ndarray:
    """Directions of the centres of nested pixels.

    Parameters
    ----------
    nside : int
        Resolution.
    ipix : ndarray of int64, shape (n,)
        Nested pixels.

    Returns
    -------
    ndarray of float64, shape (n, 3)
        Unit vectors.

    Raises
    ------
    ValueError
        If `nside` or a pixel is not allowed.

    Examples
    --------
    >>> nest_to_vec(1, np.array([4]))
    array([[1., 0., 0.]])
    """
    return _to_vec(kernels.nest_to_vec, nside, ipix)


def ring_to_vec(nside: int, ipix: np.ndarray) -> np.ndarray:
    """Directions of the centres of ring pixels.

    Parameters
    ----------
    nside : int
        Resolution.
    ipix : ndarray of int64, shape (n,)
        Ring pixels.

    Returns
    -------
    ndarray of float64, shape (n, 3)
        Unit vectors.

    Raises
    ------
    ValueError
        If `nside` or a pixel is not allowed.

    Examples
    --------
    >>> ring_to_vec(1, np.array([4]))
    array([[1., 0., 0.]])
    """
    return _to_vec(kernels.ring_to_vec, nside, ipix)


def vec_to_nest(nside: int, vec: np.ndarray) -> np.ndarray:
    """Nested pixels that contain given directions.

    Parameters
    ----------
    nside : int
        Resolution.
    vec : ndarray of float64, shape (n, 3)
        Unit vectors.

    Returns
    -------
    ndarray of int64, shape (n,)
        Nested pixels.

    Raises
    ------
    ValueError
        If `nside` is not allowed or a vector has another length than 1.

    Examples
    --------
    >>> vec_to_nest(1, np.array([[1.0, 0.0, 0.0]]))
    array([4])
    """
    return _to_ipix(kernels.vec_to_nest, nside, vec)


def vec_to_ring(nside: int, vec: np.ndarray) -> np.ndarray:
    """Ring pixels that contain given directions.

    Parameters
    ----------
    nside : int
        Resolution.
    vec : ndarray of float64, shape (n, 3)
        Unit vectors.

    Returns
    -------
    ndarray of int64, shape (n,)
        Ring pixels.

    Raises
    ------
    ValueError
        If `nside` is not allowed or a vector has another length than 1.

    Examples
    --------
    >>> vec_to_ring(2, np.array([[0.0, 0.6, 0.8]]))
    array([6])
    """
    return _to_ipix(kernels.vec_to_ring, nside, vec)


def interp_ring(nside: int, vec: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Four neighbouring ring pixels of each direction and their bilinear weights.

    Two neighbours lie on the ring above, two on the ring below; linear in longitude on each
    ring and in colatitude between the rings. Same as ``healpy.get_interp_weights``.

    Parameters
    ----------
    nside : int
        Resolution.
    vec : ndarray of float64, shape (n, 3)
        Unit vectors.

    Returns
    -------
    ipix : ndarray of int64, shape (n, 4)
        Ring pixels; near a pole two of them can be the same.
    weight : ndarray of float64, shape (n, 4)
        Weights, sum 1 per direction.

    Raises
    ------
    ValueError
        If `nside` is not allowed or a vector has another length than 1.

    Examples
    --------
    >>> ipix, weight = interp_ring(1, np.array([[1.0, 0.0, 0.0]]))
    >>> float(weight[ipix == 4].sum())
    1.0
    """
    vec, thetas = check_directions(vec), ring_thetas(check_nside(nside))
    ipix, weight = np.empty((len(vec), 4), np.int64), np.empty((len(vec), 4))
    kernels.interp_ring(nside, thetas, len(vec), vec, ipix, weight)
    return ipix, weight


def check_directions(vec: np.ndarray) -> np.ndarray:
    """Return directions as a contiguous float64 array; kernels index tables with them.

    Raises
    ------
    ValueError
        If the shape is not (n, 3), or a length differs from 1 by more than 1e-6.
    """
    vec = np.ascontiguousarray(vec, dtype=np.float64)
    if vec.ndim != 2 or vec.shape[1] != 3:
        raise ValueError(f"directions of shape {vec.shape}: allowed is (n, 3).")
    length = np.sqrt(np.sum(vec * vec, axis=1))
    wrong = np.flatnonzero(~(np.abs(length - 1) <= 1e-6))
    if wrong.size:
        raise ValueError(
            f"direction {wrong[0]} is {vec[wrong[0]]}, of length {length[wrong[0]]:.9g}: allowed "
            "are unit vectors."
        )
    return vec


def _to_vec(kernel: Callable, nside: int, ipix: np.ndarray) -> np.ndarray:
    ipix = check_ipix(ipix, check_nside(nside))
    vec = np.empty((ipix.size, 3))
    kernel(nside, ipix.size, ipix, vec)
    return vec


def _to_ipix(kernel: Callable, nside: int, vec: np.ndarray) -> np.ndarray:
    vec = check_directions(vec)
    ipix = np.empty(len(vec), np.int64)
    kernel(check_nside(nside), len(vec), vec, ipix)
    return ipix


@cache
def ring_thetas(nside: int) -> np.ndarray:
    """Colatitude of each ring of pixels, between those of the poles [rad], shape (4 nside + 1,)."""
    theta = np.empty(4 * nside + 1)
    kernels.ring_thetas(nside, theta)
    theta.flags.writeable = False
    return theta
