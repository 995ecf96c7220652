"""HEALPix resolutions and pixel numbers.

References
----------
Gorski et al. 2005, ApJ 622, 759, section 4.
"""

from collections.abc import Callable

import numpy as np

from skyquilt.native import kernels

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
    return _renumber(kernels.nest_to_ring, nside, ipix)


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
    return _renumber(kernels.ring_to_nest, nside, ipix)


def _renumber(kernel: Callable, nside: int, ipix: np.ndarray) -> np.ndarray:
    ipix = check_ipix(ipix, nside)
    renumbered = np.empty(ipix.shape, np.int64)
    kernel(nside, ipix.size, ipix, renumbered)
    return renumbered
