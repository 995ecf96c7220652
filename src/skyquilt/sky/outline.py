"""Outlines of parts of the sky made of HEALPix pixels of many orders."""

from typing import NamedTuple

import numpy as np

from skyquilt.sky.moc import count_inside, merge_ranges, ranges_to_uniq
from skyquilt.sky.neighbours import neighbours, nest_to_xy
from skyquilt.sky.uniq import uniq_to_ipix, uniq_to_order, uniq_to_ranges

MIN_ORDER = 5
"""Order of the longest edges, 2 deg.

They are drawn as great circles between their ends, which leaves the area of a region good to a
percent; the pixels that touch a pole are rounder than that.
"""

# By side NW, SW, SE, NE, as one walks around a pixel from north over west: the neighbour's index
# in `neighbours`, the corners it goes from and to (steps in x and y), and the two quarters of the
# pixel along it, the first of them at its beginning.
_ACROSS = np.array([2, 0, 6, 4])
_FROM = np.array([[1, 1], [0, 1], [0, 0], [1, 0]])
_TO = np.roll(_FROM, -1, axis=0)
_QUARTERS = np.array([[3, 2], [2, 0], [0, 1], [1, 3]])


class Edges(NamedTuple):
    """Edges of pixels between inside and outside; the inside is to the left of each.

    Attributes
    ----------
    order, ipix : ndarray of int64, shape (n,)
        Pixel inside, nested at its order.
    side : ndarray of int64, shape (n,)
        Its side: 0 north-west, 1 south-west, 2 south-east, 3 north-east.
    """

    order: np.ndarray
    ipix: np.ndarray
    side: np.ndarray


def outline(uniq: np.ndarray) -> np.ndarray:
    """Pixel edges between a part of the sky and the rest.

    Parameters
    ----------
    uniq : ndarray of int64, shape (n,)
        Pixels, ascending along the nested curve, no overlap.

    Returns
    -------
    ndarray of float64, shape (n_edge, 2, 3)
        Unit vectors of the ends of each edge; none for the whole sky.
    """
    edges = find_edges(uniq)
    return np.stack([_vec(*_corner(edges, _FROM)), _vec(*_corner(edges, _TO))], axis=1)


def outline_loops(uniq: np.ndarray) -> list[np.ndarray]:
    """Closed lines around a part of the sky and around its holes.

    Parameters
    ----------
    uniq : ndarray of int64, shape (n,)
        Pixels, ascending along the nested curve, no overlap.

    Returns
    -------
    list of ndarray of float64, shape (n_point, 3)
        Unit vectors along each line, the first not repeated. The part of the sky lies to the
        left, as seen from outside the sphere: counterclockwise around it, clockwise around holes.
        Lines that meet at a corner do not cross.
    """
    edges = find_edges(uniq)
    points = _vec(*_corner(edges, _FROM))
    after, loops = _link(edges).tolist(), []
    is_new = [True] * len(after)
    for first in range(len(after)):
        loop, at = [], first
        while is_new[at]:
            is_new[at] = False
            loop.append(at)
            at = after[at]
        if loop:
            loops.append(points[loop])
    return loops


def find_edges(uniq: np.ndarray) -> Edges:
    """Edges between a part of the sky and the rest, none longer than those of order 5.

    From coarse to fine pixels: an edge beyond which all is inside is none; where some is, its
    halves are looked at.
    """
    max_order = max(MIN_ORDER, int(uniq_to_order(uniq).max(initial=0)))
    inside = merge_ranges(uniq_to_ranges(uniq, max_order))
    cells = ranges_to_uniq(inside, max_order)
    order = uniq_to_order(cells)
    ipix, side, found = np.empty(0, np.int64), np.empty(0, np.int64), []
    for at in range(max_order + 1):
        whole = uniq_to_ipix(cells[order == at])
        ipix = np.concatenate([ipix, np.repeat(whole, 4)])
        side = np.concatenate([side, np.tile(np.arange(4), whole.size)])
        across = neighbours(1 << at, ipix)[np.arange(ipix.size), _ACROSS[side]]
        shift = 2 * (max_order - at)
        n_inside = count_inside(inside, across << shift, (across + 1) << shift)
        is_edge = (n_inside == 0) & (at >= MIN_ORDER)
        found.append((np.full(is_edge.sum(), at), ipix[is_edge], side[is_edge]))
        split = ~is_edge & (n_inside < 1 << shift)
        ipix = (4 * ipix[split, None] + _QUARTERS[side[split]]).ravel()
        side = np.repeat(side[split], 2)
    return Edges(*map(np.concatenate, zip(*found, strict=True)))


def _corner(edges: Edges, steps: np.ndarray) -> tuple[np.ndarray, ...]:
    """Resolution, base pixel and x, y of one end of each edge."""
    nside = 1 << edges.order
    face, x, y = nest_to_xy(edges.order, edges.ipix)
    dx, dy = steps[edges.side].T
    return nside, face, x + dx, y + dy


def _ring(nside, face, x, y) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ring of a corner, its index on it, and the length of a quarter of that ring.

    All are whole numbers, the same from each of the pixels that meet at the corner.
    """
    ring = (face // 4 + 2) * nside - x - y
    quarter = np.minimum(np.minimum(ring, nside), 4 * nside - ring)
    offset = np.where(face // 4 == 1, 2 * (face % 4), 2 * (face % 4) + 1)
    index = offset * quarter + x - y
    return ring, np.where(quarter > 0, index % np.maximum(8 * quarter, 1), 0), quarter


def _vec(nside, face, x, y) -> np.ndarray:
    """Unit vectors of corners (Gorski et al. 2005, ApJ 622, 759, equations 4 to 9)."""
    ring, index, quarter = _ring(nside, face, x, y)
    near_pole = quarter**2 / (3.0 * nside**2)  # 1 - |z| in the polar caps
    is_cap, is_north = quarter < nside, ring < 2 * nside
    z = np.where(
        is_cap, np.where(is_north, 1, -1) * (1 - near_pole), 4 / 3 - 2 * ring / (3 * nside)
    )
    sine = np.sqrt(np.where(is_cap, near_pole * (2 - near_pole), 1 - z**2))
    lon = np.pi / 4 * index / np.maximum(quarter, 1)
    return np.stack([sine * np.cos(lon), sine * np.sin(lon), z], axis=-1)


def _link(edges: Edges) -> np.ndarray:
    """The edge that goes on where each one ends.

    Where two edges begin, the one of the same pixel: there the part of the sky touches itself at
    a corner.
    """
    max_order = int(edges.order.max(initial=0))

    def find(steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Number of the corner at one end, and the finest pixel in that corner of the pixel."""
        nside, face, x, y = _corner(edges, steps)
        fine = 1 << max_order
        ring, index, _ = _ring(fine, face, x * (fine // nside), y * (fine // nside))
        depth = max_order - edges.order
        quarter = steps[edges.side] @ np.array([1, 2])
        to_corner = quarter * ((1 << 2 * depth) - 1) // 3
        return 8 * fine * ring + index, (edges.ipix << 2 * depth) + to_corner

    (begin, begin_pixel), (end, end_pixel) = find(_FROM), find(_TO)
    by_begin = np.argsort(begin)
    index = np.searchsorted(begin[by_begin], end)
    first = by_begin[index]
    second = by_begin[np.minimum(index + 1, begin.size - 1)]
    is_other = (begin[second] == end) & (begin_pixel[second] == end_pixel)
    return np.where(is_other, second, first)
