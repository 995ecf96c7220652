"""Directions of HEALPix pixels, pixels of directions, bilinear neighbours.

Directions are unit vectors, float64, shape (n, 3). Each public function has a scalar kernel of
the same name with the ending `_pixel`, for use inside other kernels.

References
----------
Gorski et al. 2005, ApJ 622, 759, equations 2 to 9; the order of the arithmetic follows
healpix_base.cc (`pix2loc`, `loc2pix`, `get_interpol`), so that results equal healpy's.
"""

import math

import numpy as np
from numba import njit

from skyquilt.sky.pixels import (
    check_ipix,
    check_nside,
    diagonal_face,
    nest_to_xyf,
    ring_layout,
    ring_of,
    xyf_to_nest,
    xyf_to_ring,
)


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
    return _nest_to_vec(check_nside(nside), check_ipix(ipix, nside))


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
    return _ring_to_vec(check_nside(nside), check_ipix(ipix, nside))


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
    return _vec_to_nest(check_nside(nside), check_directions(vec))


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
    return _vec_to_ring(check_nside(nside), check_directions(vec))


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
    return _interp_ring(check_nside(nside), check_directions(vec))


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


@njit(cache=True, nogil=True)
def _nest_to_vec(nside, ipix):
    vec = np.empty((ipix.size, 3))
    for n in range(ipix.size):
        x, y, face = nest_to_xyf(nside, ipix[n])
        vec[n] = _ring_pixel_to_vec(nside, xyf_to_ring(nside, x, y, face))
    return vec


@njit(cache=True, nogil=True)
def _ring_to_vec(nside, ipix):
    vec = np.empty((ipix.size, 3))
    for n in range(ipix.size):
        vec[n] = _ring_pixel_to_vec(nside, ipix[n])
    return vec


@njit(cache=True, nogil=True)
def _vec_to_nest(nside, vec):
    ipix = np.empty(len(vec), np.int64)
    for n in range(len(vec)):
        ipix[n] = vec_to_nest_pixel(nside, vec[n, 0], vec[n, 1], vec[n, 2])
    return ipix


@njit(cache=True, nogil=True)
def _vec_to_ring(nside, vec):
    ipix = np.empty(len(vec), np.int64)
    for n in range(len(vec)):
        ipix[n] = vec_to_ring_pixel(nside, vec[n, 0], vec[n, 1], vec[n, 2])
    return ipix


@njit(cache=True, nogil=True)
def _interp_ring(nside, vec):
    ipix = np.empty((len(vec), 4), np.int64)
    weight = np.empty((len(vec), 4))
    for n in range(len(vec)):
        ipix[n], weight[n] = interp_ring_pixel(nside, vec[n, 0], vec[n, 1], vec[n, 2])
    return ipix, weight


@njit(cache=True, nogil=True)
def vec_to_nest_pixel(nside, x, y, z):
    """Nested pixel of one direction."""
    column, row, face = _vec_to_xyf(nside, x, y, z)
    return xyf_to_nest(nside, column, row, face)


@njit(cache=True, nogil=True)
def vec_to_ring_pixel(nside, x, y, z):
    """Ring pixel of one direction.

    By way of the base pixel: counting rings and places directly, as `loc2pix` does, goes wrong
    where rounding puts a direction on the corner of two pixels at |z| = 2/3.
    """
    column, row, face = _vec_to_xyf(nside, x, y, z)
    return xyf_to_ring(nside, column, row, face)


@njit(cache=True, nogil=True)
def interp_ring_pixel(nside, x, y, z):
    """Four ring pixels and their bilinear weights for one direction."""
    theta = math.atan2(math.sqrt(x * x + y * y), z)
    phi = math.atan2(y, x)
    if phi < 0:
        phi += 2 * math.pi
    above = _ring_above(nside, z)
    if above == 0:
        return _interp_north(nside, theta, phi)
    if above == 4 * nside - 1:
        return _interp_south(nside, theta, phi)
    a, b, v = _interp_on_ring(nside, above, phi)
    c, d, w = _interp_on_ring(nside, above + 1, phi)
    theta_above = _ring_theta(nside, above)
    down = (theta - theta_above) / (_ring_theta(nside, above + 1) - theta_above)
    up = 1 - down
    return (a, b, c, d), ((1 - v) * up, v * up, (1 - w) * down, w * down)


@njit(cache=True, nogil=True)
def _interp_north(nside, theta, phi):
    """Between the pole, whose value is the mean of the four pixels around it, and ring 1."""
    c, d, w = _interp_on_ring(nside, 1, phi)
    down = theta / _ring_theta(nside, 1)
    pole = (1 - down) / 4
    return ((c + 2) & 3, (d + 2) & 3, c, d), (pole, pole, (1 - w) * down + pole, w * down + pole)


@njit(cache=True, nogil=True)
def _interp_south(nside, theta, phi):
    """Between the last ring and the pole, whose value is the mean of the four pixels around it."""
    last = 4 * nside - 1
    a, b, v = _interp_on_ring(nside, last, phi)
    theta_last = _ring_theta(nside, last)
    down = (theta - theta_last) / (math.pi - theta_last)
    up, pole = 1 - down, down / 4
    first = 12 * nside * nside - 4
    return (
        (a, b, ((a + 2) & 3) + first, ((b + 2) & 3) + first),
        ((1 - v) * up + pole, v * up + pole, pole, pole),
    )


@njit(cache=True, nogil=True)
def _interp_on_ring(nside, ring, phi):
    """Pixels west and east of a longitude on a ring, and the weight of the eastern one."""
    start, size, is_shifted = ring_layout(nside, ring)
    place = phi / (2 * math.pi) * size - 0.5 * is_shifted
    west = math.floor(place)
    return start + int(west) % size, start + int(west + 1) % size, place - west


@njit(cache=True, nogil=True)
def _ring_above(nside, z):
    """Last ring at or north of a height z; 0 north of the first ring."""
    if abs(z) <= 2 / 3:
        return int(nside * (2 - 1.5 * z))
    from_pole = int(nside * math.sqrt(3 * max(0.0, 1 - abs(z))))  # |z| can round above 1
    return from_pole if z > 0 else 4 * nside - from_pole - 1


@njit(cache=True, nogil=True)
def _ring_theta(nside, ring):
    z, sine = _ring_height(nside, ring)
    return math.atan2(sine, z)


@njit(cache=True, nogil=True)
def _ring_height(nside, ring):
    """Cosine and sine of the colatitude of a ring."""
    north = min(ring, 4 * nside - ring)
    if north < nside:
        depth = north * north / (3 * nside * nside)  # 1 - |z|, exact near the poles
        z, sine = 1 - depth, math.sqrt(depth * (2 - depth))
    else:
        z = (2 * nside - north) * 2 / (3 * nside)
        sine = math.sqrt((1 - z) * (1 + z))
    return (z if north == ring else -z), sine


@njit(cache=True, nogil=True)
def _ring_pixel_to_vec(nside, ipix):
    ring, along = ring_of(nside, ipix)
    z, sine = _ring_height(nside, ring)
    _, size, is_shifted = ring_layout(nside, ring)
    phi = (along - 1 + 0.5 * is_shifted) * 2 * math.pi / size
    return sine * math.cos(phi), sine * math.sin(phi), z


@njit(cache=True, nogil=True)
def _vec_to_xyf(nside, x, y, z):
    """Column, row and base pixel of a direction."""
    quarter = _quarter_turns(x, y)
    if abs(z) <= 2 / 3:
        falling, rising = _belt_diagonals(nside, z, quarter)
        face = diagonal_face(falling // nside, rising // nside)
        return rising % nside, nside - falling % nside - 1, face
    face = int(quarter)
    out, back = _cap_diagonals(nside, x, y, z, quarter - face)
    out, back = min(out, nside - 1), min(back, nside - 1)
    if z > 0:
        return nside - back - 1, nside - out - 1, face
    return out, back, face + 8


@njit(cache=True, nogil=True)
def _quarter_turns(x, y):
    """Longitude in units of 90 degrees, in [0, 4)."""
    quarter = math.atan2(y, x) * (2 / math.pi)
    if quarter < 0:
        quarter += 4
    return quarter if quarter < 4 else 0.0  # -1e-20 + 4 rounds to 4


@njit(cache=True, nogil=True)
def _belt_diagonals(nside, z, quarter):
    """Numbers of the falling and rising pixel diagonals through a point of the equatorial belt."""
    east, north = nside * (0.5 + quarter), nside * (z * 0.75)
    return int(east - north), int(east + north)


@njit(cache=True, nogil=True)
def _cap_diagonals(nside, x, y, z, part):
    """Pixel steps along the two edges of a base pixel of a polar cap; `part` of its width."""
    # nside sqrt(3 (1 - |z|)), in a form that keeps its digits at the poles
    reach = nside * math.sqrt(3 * (x * x + y * y) / (1 + abs(z)))
    return int(part * reach), int((1 - part) * reach)
