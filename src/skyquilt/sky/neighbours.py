"""Neighbours of HEALPix pixels.

References
----------
Gorski et al. 2005, ApJ 622, 759; the tables are those of healpix_base.cc (`nb_facearray`,
`nb_swaparray`).
"""

import numpy as np

from skyquilt.sky.pixels import check_ipix, nside_to_order

# Steps in x and y to the neighbours SW, W, NW, N, NE, E, SE, S.
_DX = np.array([-1, -1, 0, 1, 1, 1, 0, -1])
_DY = np.array([0, 1, 1, 1, 0, -1, -1, -1])
# Base pixel across each border (3 * side in y + side in x), -1 where only three pixels meet.
_FACE = np.array(
    [
        [8, 9, 10, 11, -1, -1, -1, -1, 10, 11, 8, 9],
        [5, 6, 7, 4, 8, 9, 10, 11, 9, 10, 11, 8],
        [-1, -1, -1, -1, 5, 6, 7, 4, -1, -1, -1, -1],
        [4, 5, 6, 7, 11, 8, 9, 10, 11, 8, 9, 10],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
        [1, 2, 3, 0, 0, 1, 2, 3, 5, 6, 7, 4],
        [-1, -1, -1, -1, 7, 4, 5, 6, -1, -1, -1, -1],
        [3, 0, 1, 2, 3, 0, 1, 2, 4, 5, 6, 7],
        [2, 3, 0, 1, -1, -1, -1, -1, 0, 1, 2, 3],
    ]
)
# How x and y turn there, by ring of base pixels: bit 0 flips x, bit 1 flips y, bit 2 swaps.
_TURN = np.zeros((9, 3), dtype=np.int64)
_TURN[[0, 1, 3], 2] = [3, 6, 5]
_TURN[[5, 7, 8], 0] = [5, 6, 3]


def neighbours(nside: int, ipix: np.ndarray) -> np.ndarray:
    """Pixels that share an edge or a corner with each pixel.

    Parameters
    ----------
    nside : int
        Resolution.
    ipix : ndarray of int64, shape (n,)
        Pixels, nested.

    Returns
    -------
    ndarray of int64, shape (n, 8)
        Neighbours SW, W, NW, N, NE, E, SE, S, nested; -1 where there is none.

    Raises
    ------
    ValueError
        If a pixel does not exist.

    Examples
    --------
    >>> neighbours(1, np.array([0]))
    array([[ 4, -1,  3,  2,  1, -1,  5,  8]])
    """
    order = nside_to_order(nside)
    face, x, y = nest_to_xy(order, check_ipix(ipix, nside)[:, None])
    x, y = x + _DX, y + _DY
    border = 4 + _side(x, nside) + 3 * _side(y, nside)
    x, y = _turn(x % nside, y % nside, nside, _TURN[border, face // 4])
    across = _FACE[border, face]
    found = (across << 2 * order) + _spread(x, order) + (_spread(y, order) << 1)
    return np.where(across >= 0, found, -1)


def nest_to_xy(
    order: int | np.ndarray, ipix: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Base pixel of nested pixels, and their places in it, to north-east and to north-west.

    Parameters
    ----------
    order : int or ndarray of int64, shape of `ipix`
        Order of the pixels.
    ipix : ndarray of int64, any shape
        Pixels, nested.

    Examples
    --------
    >>> nest_to_xy(2, np.array([16 + 9]))
    (array([1]), array([1]), array([2]))
    """
    n_bits = int(np.max(order, initial=0))
    within = ipix & ((1 << 2 * order) - 1)
    return ipix >> 2 * order, _even_bits(within, n_bits), _even_bits(within >> 1, n_bits)


def _side(coordinate: np.ndarray, nside: int) -> np.ndarray:
    """-1 below the base pixel, 1 above it, 0 inside."""
    return (coordinate >= nside).astype(np.int64) - (coordinate < 0)


def _turn(x: np.ndarray, y: np.ndarray, nside: int, turn: np.ndarray) -> tuple:
    """Coordinates in the base pixel across the border."""
    x = np.where(turn & 1, nside - 1 - x, x)
    y = np.where(turn & 2, nside - 1 - y, y)
    return np.where(turn & 4, y, x), np.where(turn & 4, x, y)


def _even_bits(value: np.ndarray, order: int) -> np.ndarray:
    """Bits 0, 2, 4, ... packed together."""
    return sum(((value >> 2 * bit) & 1) << bit for bit in range(order)) + np.zeros_like(value)


def _spread(value: np.ndarray, order: int) -> np.ndarray:
    """Bits moved to the places 0, 2, 4, ...."""
    return sum(((value >> bit) & 1) << 2 * bit for bit in range(order)) + np.zeros_like(value)
