"""HEALPix resolutions and pixel numbers.

References
----------
Gorski et al. 2005, ApJ 622, 759, section 4; the arithmetic follows healpix_base.cc (`nest2xyf`,
`xyf2nest`, `ring2xyf`, `xyf2ring`).
"""

import numpy as np
from numba import njit

MAX_NSIDE = 8192


def check_nside(nside: int) -> int:
    """Return `nside` if it is a power of two that skyquilt works with.

    Raises
    ------
    ValueError
        If it is no power of two from 1 to 8192.

    Examples
    --------
    >>> check_nside(16)
    16
    """
    if not 1 <= nside <= MAX_NSIDE or int(nside) != nside or int(nside) & (int(nside) - 1):
        raise ValueError(f"nside {nside}: allowed are the powers of two from 1 to {MAX_NSIDE}.")
    return int(nside)


def nside_to_order(nside: int) -> int:
    """log2(nside).

    Examples
    --------
    >>> nside_to_order(16)
    4
    """
    return check_nside(nside).bit_length() - 1


def nside_to_npix(nside: int) -> int:
    """Number of pixels of the whole sky.

    Examples
    --------
    >>> nside_to_npix(16)
    3072
    """
    return 12 * check_nside(nside) ** 2


def check_ipix(ipix: np.ndarray, nside: int) -> np.ndarray:
    """Return pixel numbers as a contiguous int64 array if all of them exist.

    Raises
    ------
    ValueError
        If a number is below 0 or not below 12 nside^2.
    """
    ipix = np.ascontiguousarray(ipix, dtype=np.int64)
    npix = nside_to_npix(nside)
    if ipix.size and not 0 <= ipix.min() <= ipix.max() < npix:
        wrong = ipix.min() if ipix.min() < 0 else ipix.max()
        raise ValueError(f"pixel {wrong}: allowed are 0 to {npix - 1} at nside {nside}.")
    return ipix


def nest_to_ring(nside: int, ipix: np.ndarray) -> np.ndarray:
    """Pixel numbers of the RING ordering for those of the NESTED ordering.

    Parameters
    ----------
    nside : int
        Resolution.
    ipix : ndarray of int64, shape (n,)
        Nested pixels.

    Returns
    -------
    ndarray of int64, shape (n,)
        The same pixels, numbered along rings of latitude.

    Raises
    ------
    ValueError
        If a pixel does not exist.

    Examples
    --------
    >>> nest_to_ring(2, np.array([0, 3]))
    array([13,  0])
    """
    return _nest_to_ring(check_nside(nside), check_ipix(ipix, nside))


def ring_to_nest(nside: int, ipix: np.ndarray) -> np.ndarray:
    """Pixel numbers of the NESTED ordering for those of the RING ordering.

    Parameters
    ----------
    nside : int
        Resolution.
    ipix : ndarray of int64, shape (n,)
        Ring pixels.

    Returns
    -------
    ndarray of int64, shape (n,)
        The same pixels in the nested ordering.

    Raises
    ------
    ValueError
        If a pixel does not exist.

    Examples
    --------
    >>> ring_to_nest(2, np.array([13, 0]))
    array([0, 3])
    """
    return _ring_to_nest(check_nside(nside), check_ipix(ipix, nside))


@njit(cache=True, nogil=True)
def _nest_to_ring(nside, ipix):
    ring = np.empty(ipix.size, np.int64)
    for n in range(ipix.size):
        x, y, face = nest_to_xyf(nside, ipix[n])
        ring[n] = xyf_to_ring(nside, x, y, face)
    return ring


@njit(cache=True, nogil=True)
def _ring_to_nest(nside, ipix):
    nest = np.empty(ipix.size, np.int64)
    for n in range(ipix.size):
        nest[n] = ring_to_nest_pixel(nside, ipix[n])
    return nest


@njit(cache=True, nogil=True)
def nest_to_xyf(nside, ipix):
    """Column, row and base pixel (0 to 11) of one nested pixel."""
    within = ipix & (nside * nside - 1)
    return _even_bits(within), _even_bits(within >> 1), ipix // (nside * nside)


@njit(cache=True, nogil=True)
def xyf_to_nest(nside, x, y, face):
    """Nested pixel of a column, row and base pixel."""
    return face * nside * nside + (_spread_bits(x) | (_spread_bits(y) << 1))


@njit(cache=True, nogil=True)
def xyf_to_ring(nside, x, y, face):
    """Ring pixel of a column, row and base pixel."""
    ring = face_ring(face) * nside - x - y - 1
    start, size, is_shifted = ring_layout(nside, ring)
    quarter = size // 4
    along = (face_column(face) * quarter + x - y + 2 - is_shifted) // 2
    if along > size:
        along -= size
    elif along < 1:
        along += size
    return start + along - 1


@njit(cache=True, nogil=True)
def ring_to_nest_pixel(nside, ipix):
    """Nested pixel of one ring pixel."""
    ring, along = ring_of(nside, ipix)
    _, size, is_shifted = ring_layout(nside, ring)
    face = _face_of(nside, ring, along, size // 4)
    across = ring - face_ring(face) * nside + 1
    aside = 2 * along - face_column(face) * (size // 4) - 2 + is_shifted
    if aside >= 2 * nside:
        aside -= 8 * nside
    return xyf_to_nest(nside, (aside - across) >> 1, (-aside - across) >> 1, face)


@njit(cache=True, nogil=True)
def face_ring(face):
    """Ring of the southern corner of a base pixel, in units of nside."""
    return 2 + (face >> 2)


@njit(cache=True, nogil=True)
def face_column(face):
    """Longitude of the centre of a base pixel, in units of 45 degrees."""
    return 2 * (face & 3) + (0 if face >> 2 == 1 else 1)


@njit(cache=True, nogil=True)
def ring_layout(nside, ring):
    """First pixel, number of pixels, and 1 if the first is half a pixel off longitude 0, else 0.

    Rings count from 1 at the north pole to 4 nside - 1 at the south pole.
    """
    north = min(ring, 4 * nside - ring)
    if north < nside:
        start, size, is_shifted = 2 * north * (north - 1), 4 * north, 1
    else:
        start, size = 2 * nside * (nside - 1) + (north - nside) * 4 * nside, 4 * nside
        is_shifted = 1 - ((north - nside) & 1)
    if north != ring:
        start = 12 * nside * nside - start - size
    return start, size, is_shifted


@njit(cache=True, nogil=True)
def ring_of(nside, ipix):
    """Ring of a ring pixel, and its place on the ring from 1."""
    n_cap = 2 * nside * (nside - 1)
    npix = 12 * nside * nside
    if ipix < n_cap:
        ring = (1 + _isqrt(1 + 2 * ipix)) >> 1
        return ring, ipix + 1 - 2 * ring * (ring - 1)
    if ipix < npix - n_cap:
        below = (ipix - n_cap) // (4 * nside)
        return below + nside, ipix - n_cap - below * 4 * nside + 1
    left = npix - ipix
    ring = (1 + _isqrt(2 * left - 1)) >> 1
    return 4 * nside - ring, 4 * ring + 1 - (left - 2 * ring * (ring - 1))


@njit(cache=True, nogil=True)
def diagonal_face(rising, falling):
    """Base pixel from the numbers of the diagonals through a point of the equatorial belt."""
    if rising == falling:
        return rising | 4
    return rising if rising < falling else falling + 8


@njit(cache=True, nogil=True)
def _face_of(nside, ring, along, quarter):
    if ring < nside:
        return (along - 1) // quarter
    if ring > 3 * nside:
        return 8 + (along - 1) // quarter
    below = ring - nside
    falling = (along - ((below + 1) >> 1) + nside - 1) // nside
    rising = (along - ((2 * nside + 1 - below) >> 1) + nside - 1) // nside
    return diagonal_face(rising, falling)


@njit(cache=True, nogil=True)
def _isqrt(n):
    return np.int64(np.sqrt(n + 0.5))


@njit(cache=True, nogil=True)
def _spread_bits(n):
    n = (n | (n << 16)) & 0x0000FFFF0000FFFF
    n = (n | (n << 8)) & 0x00FF00FF00FF00FF
    n = (n | (n << 4)) & 0x0F0F0F0F0F0F0F0F
    n = (n | (n << 2)) & 0x3333333333333333
    return (n | (n << 1)) & 0x5555555555555555


@njit(cache=True, nogil=True)
def _even_bits(n):
    n &= 0x5555555555555555
    n = (n | (n >> 1)) & 0x3333333333333333
    n = (n | (n >> 2)) & 0x0F0F0F0F0F0F0F0F
    n = (n | (n >> 4)) & 0x00FF00FF00FF00FF
    n = (n | (n >> 8)) & 0x0000FFFF0000FFFF
    return (n | (n >> 16)) & 0x00000000FFFFFFFF
