"""A region of a map: cells, area, parts that do not touch, maxima."""

from typing import NamedTuple

import numpy as np

from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.sky.moc import count_inside, merge_ranges
from skyquilt.sky.neighbours import neighbours

RESOLVED_PIXELS = 10
"""Cells from which on a region counts as resolved by the grid.

A region of n cells of one size has its area from a count of cell centres, which scatters by a
fraction of 0.62 n^(-3/4) (square grid in a circle: Kendall 1948, Q. J. Math. 19, 1), and from the
best cell, which misses the peak and so inflates the area by a fraction of 0.52 / n for a Gaussian
peak. At 10 cells these are 11 % and 5 %; at one cell the area is that of the grid, not of the
region.
"""


class RegionPart(NamedTuple):
    """Part of a region that touches no other part, neither along an edge nor at a corner.

    Attributes
    ----------
    cells : ndarray of int64, shape (n,)
        Indices of its cells in the map, ascending.
    area : float
        Area [deg2].
    maxima : ndarray of int64, shape (m,)
        Indices of the cells of which no neighbour is higher, highest first; of equal ones that
        touch, the first.
    """

    cells: np.ndarray
    area: float
    maxima: np.ndarray


class Region(NamedTuple):
    """Region of a map.

    Attributes
    ----------
    level : float
        Containment level or credibility.
    threshold : float
        What bounds it: the largest drop of TS of a containment region, the smallest probability
        density [sr-1] of a credible region.
    cells : ndarray of int64, shape (n,)
        Indices of its cells in the map, ascending.
    area : float
        Area [deg2].
    parts : tuple of RegionPart
        Parts that do not touch, that of the highest maximum first.
    is_resolved : bool
        Whether the region has the area of at least `RESOLVED_PIXELS` of its largest cells; below
        that its area is that of the grid rather than of the region.
    is_cut : bool
        Whether within a cell's width of the region lies sky without a TS, so that the region may
        go on there.
    """

    level: float
    threshold: float
    cells: np.ndarray
    area: float
    parts: tuple[RegionPart, ...]
    is_resolved: bool
    is_cut: bool


def make_region(
    cells: MultiOrderMap, is_inside: np.ndarray, height: np.ndarray, level: float, threshold: float
) -> Region:
    """Describe the region of some cells of a map.

    Parameters
    ----------
    cells : MultiOrderMap
        Map with a column "ts".
    is_inside : ndarray of bool, shape (n,)
        Cells of the region, at least one.
    height : ndarray of float64, shape (n,)
        What has its maxima in the region.
    level, threshold : float
        See `Region`.
    """
    inside = np.flatnonzero(is_inside)
    area = cells.pixel_area[inside]
    around = _neighbour_ranges(cells, inside)
    looked_at = merge_ranges(cells.ranges[~np.isnan(cells.ts)])
    first, stop = around[around[..., 0] >= 0].T
    return Region(
        level=level,
        threshold=threshold,
        cells=inside,
        area=float(area.sum()),
        parts=_find_parts(cells, inside, around, height),
        is_resolved=bool(area.sum() > (RESOLVED_PIXELS - 0.5) * area.max()),
        is_cut=bool(np.any(count_inside(looked_at, first, stop) < stop - first)),
    )


def _neighbour_ranges(cells: MultiOrderMap, indices: np.ndarray) -> np.ndarray:
    """Finest pixels of the eight neighbours of each cell, of its own size; -1 for none."""
    ipix = np.empty((indices.size, 8), np.int64)
    order = cells.order[indices]
    for at in np.unique(order):
        ipix[order == at] = neighbours(1 << int(at), cells.ipix[indices[order == at]])
    shift = 2 * (cells.max_order - order[:, None])
    ranges = np.stack([ipix << shift, (ipix + 1) << shift], axis=-1)
    return np.where(ipix[..., None] >= 0, ranges, -1)


def _find_parts(
    cells: MultiOrderMap, inside: np.ndarray, around: np.ndarray, height: np.ndarray
) -> tuple[RegionPart, ...]:
    pairs = _touching_pairs(cells.ranges[inside], around)
    root = _connect(inside.size, pairs)
    falling = np.empty(inside.size, np.int64)
    falling[np.argsort(-height[inside], kind="stable")] = np.arange(inside.size)
    is_maximum = np.ones(inside.size, dtype=bool)
    is_maximum[np.where(np.less(*falling[pairs]), pairs[1], pairs[0])] = False
    by_root = np.argsort(root, kind="stable")
    starts = np.flatnonzero(np.diff(root[by_root], prepend=-1))
    parts = []
    for part in np.split(by_root, starts[1:]):
        maxima = part[is_maximum[part]]
        maxima = maxima[np.argsort(falling[maxima])]
        area = cells.pixel_area[inside[part]].sum()
        parts.append((falling[maxima[0]], RegionPart(inside[part], float(area), inside[maxima])))
    return tuple(part for _, part in sorted(parts, key=lambda entry: entry[0]))


def _touching_pairs(ranges: np.ndarray, around: np.ndarray) -> np.ndarray:
    """Pairs of cells that touch, int64 of shape (2, m).

    Of two that touch, the larger holds a neighbour of the smaller one's size.
    """
    index = np.searchsorted(ranges[:, 0], around[..., 0], side="right") - 1
    is_cell = (index >= 0) & (around[..., 1] <= ranges[index, 1])
    return np.stack([np.nonzero(is_cell)[0], index[is_cell]])


def _connect(n: int, pairs: np.ndarray) -> np.ndarray:
    """Smallest member of the set that each of n things belongs to, when pairs belong together.

    References
    ----------
    Shiloach & Vishkin 1982, J. Algorithms 3, 57: few rounds even for long chains.
    """
    root = np.arange(n)
    while True:
        merged = root.copy()
        lowest = root[pairs].min(axis=0)
        for end in pairs:
            np.minimum.at(merged, root[end], lowest)
        while not np.array_equal(merged, merged[merged]):
            merged = merged[merged]
        if np.array_equal(merged, root):
            return root
        root = merged
