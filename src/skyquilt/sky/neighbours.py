"""Neighbours of HEALPix pixels.

Base pixels are squares on a plane (native/healpix.c), numbered by two diagonals, `rise` and `fall`:
(k, k) on the equator, (k + 1, k) in the north, (k, k + 1) in the south. Pixels count in them from
the southern corner, x to the north-east and y to the north-west, so a step over a border of the
plane is a step of `rise` with x, and of `fall` against y. Only next to the poles does the plane lie
open: there the base pixel is turned about the pole by a quarter, until it closes.

References
----------
Gorski et al. 2005, ApJ 622, 759; Calabretta and Roukema 2007, MNRAS 381, 865.
"""

from functools import cache

import numpy as np

from skyquilt.sky.pixels import check_ipix, nside_to_order

# Steps in x and y to the neighbours SW, W, NW, N, NE, E, SE, S.
_DX = np.array([-1, -1, 0, 1, 1, 1, 0, -1])
_DY = np.array([0, 1, 1, 1, 0, -1, -1, -1])


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
    base, x, y = nest_to_xy(order, check_ipix(ipix, nside)[:, None])
    x, y = x + _DX, y + _DY
    across, turn = _borders()
    border = 4 + (x >> order) + 3 * (y >> order)
    x, y = _turn(x & (nside - 1), y & (nside - 1), nside, turn[border, base])
    base = across[border, base]
    found = (base << 2 * order) + _spread(x, order) + (_spread(y, order) << 1)
    return np.where(base >= 0, found, -1)


def nest_to_xy(
    order: int | np.ndarray, ipix: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Base pixel of nested pixels, and their positions in it, to north-east and to north-west.

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


def _turn(x: np.ndarray, y: np.ndarray, nside: int, turn: np.ndarray) -> tuple:
    """Places in a base pixel that is turned: bit 0 exchanges x and y, 1 and 2 flip them then."""
    x, y = np.where(turn & 1, y, x), np.where(turn & 1, x, y)
    return np.where(turn & 2, nside - 1 - x, x), np.where(turn & 4, nside - 1 - y, y)


@cache
def _borders() -> tuple[np.ndarray, np.ndarray]:
    """Base pixel across each border (4 + side in x + 3 * side in y) of each, and how it is turned.

    Where two positions of a base pixel of 2 by 2 go tells how it is turned.
    """
    y_side, x_side, base = np.indices((3, 3, 12)).reshape(3, -1)
    x, y = 2 * (x_side - 1), 2 * (y_side - 1)
    across, x_first, y_first = _over_border(base, x, y, nside=2)
    _, x_second, _ = _over_border(base, x + 1, y, nside=2)
    turn = (x_second == x_first) + 2 * x_first + 4 * y_first
    return across.reshape(9, 12), turn.reshape(9, 12)


def _over_border(base: np.ndarray, x: np.ndarray, y: np.ndarray, nside: int) -> tuple:
    """Base pixels and positions in them, of ones beyond a border; base -1 where nothing is."""
    row = base // 4
    beyond_x, beyond_y = x // nside, y // nside
    # three base pixels meet at the east and west corners of the polar ones, and at the north and
    # south corners of the others
    is_gap = beyond_x * beyond_y == np.where(row == 1, 1, -1)
    base, x, y = _about_south(base, x, y, nside)
    base, x, y = _about_north(base, x, y, nside)
    quarter, row = base % 4, base // 4
    rise = quarter + (row == 0) + x // nside
    fall = quarter + (row == 2) - y // nside
    base = np.minimum(rise, fall) % 4 + 4 * (1 + np.sign(fall - rise))
    return np.where(is_gap, -1, base), x % nside, y % nside


def _about_north(base: np.ndarray, x: np.ndarray, y: np.ndarray, nside: int) -> tuple:
    """Close the plane about the north pole: the north-eastern edge is the next one's other edge."""
    edge = 2 * nside - 1
    for _ in range(2):  # the corner at the pole is crossed in two turns
        is_over = (base < 4) & (x >= nside)
        base = np.where(is_over, (base + 1) % 4, base)
        x, y = np.where(is_over, y, x), np.where(is_over, edge - x, y)
    is_over = (base < 4) & (y >= nside)
    base = np.where(is_over, (base - 1) % 4, base)
    return base, np.where(is_over, edge - y, x), np.where(is_over, x, y)


def _about_south(base: np.ndarray, x: np.ndarray, y: np.ndarray, nside: int) -> tuple:
    """Close the plane about the south pole: seen from there x and y count backwards."""
    last = nside - 1
    is_south = base >= 8
    turned, x_turned, y_turned = _about_north(base - 8, last - y, last - x, nside)
    return (
        np.where(is_south, turned + 8, base),
        np.where(is_south, last - y_turned, x),
        np.where(is_south, last - x_turned, y),
    )


def _even_bits(value: np.ndarray, order: int) -> np.ndarray:
    """Bits 0, 2, 4, ... packed together."""
    return sum(((value >> 2 * bit) & 1) << bit for bit in range(order)) + np.zeros_like(value)


def _spread(value: np.ndarray, order: int) -> np.ndarray:
    """Bits moved to the positions 0, 2, 4, ...."""
    return sum(((value >> bit) & 1) << 2 * bit for bit in range(order)) + np.zeros_like(value)
