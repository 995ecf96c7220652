"""Adaptive refinement: cells are split where the source may be, until the region is resolved.

A cell is a *candidate* when its TS is within a drop of the maximum, when it still holds some of
the posterior exp(TS / 2), or when it is a local maximum that may hide a higher one. Candidates of
the finest order have neighbours of that order, so no region ends where it was not looked at.
"""

import logging
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from skyquilt.localisation.systematic import cells_to_widen
from skyquilt.maps.containment import containment_threshold
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.sky.neighbours import neighbours

logger = logging.getLogger(__name__)

MIN_FRACTION = 1e-4
"""Fraction of the posterior from which on a cell is split.

Cells of a fifth of the radius of a 90 % region hold up to 3 % each; those that hold less than this
lie beyond a drop of 11 to 14 in TS, and all of them together hold some 1e-3. At most 1e4 cells can
hold more, whatever the map.
"""

PIXELS_PER_RADIUS = 5
"""Cells across the radius of a region that is resolved: 79 cells or more in it."""

COARSEST_LIMIT, FINEST_LIMIT = 11, 13
"""Orders that `refine.max_order: auto` lies between: cells of 1.7 and 0.43 arcmin."""

_CELLS_PER_SHARPNESS = 40.0

MAX_CELLS = 2_000_000
"""Cells beyond which nothing is split any more: a file of 150 MB."""


class Goal(NamedTuple):
    """When to split and when to stop.

    Attributes
    ----------
    drop : float
        Cells of TS_max - TS up to this are split.
    region_drop : float
        TS_max - TS at the edge of the region to resolve, the smallest one asked for.
    start_order : int
        Order of the map: coarser cells were looked at with it before.
    max_order : int
        Finest order.
    error : float
        Systematic error of the position along each axis [deg], which widens the region.
    """

    drop: float
    region_drop: float
    start_order: int
    max_order: int
    error: float = 0.0


def make_goal(
    options, levels: tuple[float, ...], map_order: int, error: float = 0.0, sharpness: float = 0.0
) -> Goal:
    """Goal of the configuration.

    Parameters
    ----------
    options : object with `enabled`, `drop`, `max_order`
        Section `refine` of an analysis.
    levels : tuple of float
        Containment levels, ascending.
    map_order : int
        Order of the map.
    error : float, optional
        Systematic error of the position along each axis [deg].
    sharpness : float, optional
        Radius of 68 % of the point spread function [deg]; 0 for instruments without one.
    """
    wanted = containment_threshold(levels[-1]) if options.drop == "auto" else options.drop
    most = auto_order(sharpness) if options.max_order == "auto" else options.max_order
    start = min(map_order, most)
    finest = most if options.enabled else start
    return Goal(wanted, containment_threshold(levels[0]), start, finest, error)


def auto_order(sharpness: float) -> int:
    """Finest order that a refinement may need.

    Regions of bright sources are a tenth of the point spread function across and less: cells are
    down to 1/40 of it, as far as there are such.

    Parameters
    ----------
    sharpness : float
        Radius of 68 % of the point spread function [deg]; 0 for instruments without one.

    Examples
    --------
    >>> auto_order(0.0), auto_order(0.1), auto_order(0.8), auto_order(5.0)
    (11, 13, 12, 11)
    """
    if not sharpness > 0:
        return COARSEST_LIMIT
    side = np.degrees(np.sqrt(np.pi / 3))  # of order 0
    wanted = int(np.ceil(np.log2(side / (sharpness / _CELLS_PER_SHARPNESS))))
    return min(max(wanted, COARSEST_LIMIT), FINEST_LIMIT)


def refine(
    cells: MultiOrderMap,
    evaluate: Callable[[np.ndarray], dict[str, np.ndarray]],
    goal: Goal,
) -> MultiOrderMap:
    """Split cells until the goal is reached.

    Parameters
    ----------
    cells : MultiOrderMap
        Map with a column "ts".
    evaluate : callable
        Gives the columns of cells of any orders, named by UNIQ.
    goal : Goal
        When to split and when to stop.

    Returns
    -------
    MultiOrderMap
        The refined map.
    """
    while (parents := cells_to_split(cells, goal)).size:
        uniq = children(cells.uniq[parents])
        cells = replace_cells(cells, parents, uniq, evaluate(uniq))
    return cells


def children(uniq: np.ndarray) -> np.ndarray:
    """The four parts of each cell, named by UNIQ as the cells, or by nested pixel as they.

    Examples
    --------
    >>> children(np.array([4, 17]))
    array([16, 17, 18, 19, 68, 69, 70, 71])
    """
    return (4 * uniq[:, np.newaxis] + np.arange(4)).ravel()


def replace_cells(
    cells: MultiOrderMap, parents: np.ndarray, uniq: np.ndarray, columns: dict[str, np.ndarray]
) -> MultiOrderMap:
    """Map in which the cells at the indices `parents` have given way to `uniq`, their parts."""
    kept = np.ones(cells.uniq.size, dtype=bool)
    kept[parents] = False
    index = np.repeat(np.arange(cells.uniq.size), np.where(kept, 1, 4))
    is_new = ~kept[index]

    def fill(old: np.ndarray, new: np.ndarray) -> np.ndarray:
        values = old[index]
        values[is_new] = new
        return values

    filled = {name: fill(old, columns[name]) for name, old in cells.columns.items()}
    return MultiOrderMap(cells.frame, fill(cells.uniq, uniq), filled)


def cells_to_split(cells: MultiOrderMap, goal: Goal) -> np.ndarray:
    """Cells to split next.

    First candidates, and neighbours of candidates, that are coarser than the others; when there
    are none, and the region is not resolved, the finest candidates and all around them; at last
    the cells that do not resolve what a systematic error makes of the region.

    Parameters
    ----------
    cells : MultiOrderMap
        Map with a column "ts".
    goal : Goal
        When to split and when to stop.

    Returns
    -------
    ndarray of int64, shape (n,)
        Indices in the map, ascending; none when the goal is reached, no cell prefers a source, or
        there are too many cells.
    """
    if not np.any(cells.ts > 0):
        return np.empty(0, np.int64)
    candidate, around = find_candidates(cells, goal)
    order, ring = cells.order, around
    finest = order[candidate].max()
    split = np.zeros(order.size + 1, dtype=bool)  # the last is for neighbours that are not there
    split[candidate] = order[candidate] < finest
    split[ring[order[ring] < order[candidate, np.newaxis]]] = True
    if not np.any(split[:-1]) and finest < goal.max_order and not is_resolved(cells, goal):
        split[candidate] = True
        split[ring[order[ring] == finest]] = True
    found = np.flatnonzero(split[:-1])
    if not found.size and goal.error > 0:
        side = widened_radius(cells, goal) / PIXELS_PER_RADIUS
        found = cells_to_widen(cells, candidate, goal.error, side, goal.max_order)
    if order.size + 3 * found.size > MAX_CELLS:
        logger.warning(
            "the refined map stays at %d cells, its region not resolved: more than %d are not "
            "made; lower `refine.drop` or `map.nside`",
            *(order.size, MAX_CELLS),
        )
        return found[:0]
    return found


def touching_cells(cells: MultiOrderMap, indices: np.ndarray) -> np.ndarray:
    """Indices of the cells around some cells.

    Parameters
    ----------
    cells : MultiOrderMap
        The map.
    indices : ndarray of int64, shape (n,)
        Indices in it.

    Returns
    -------
    ndarray of int64, shape (n, 8)
        The cells that hold the centres of the eight neighbours of a cell's own order; -1 where
        there is none.
    """
    around = np.empty((indices.size, 8), np.int64)
    orders = cells.order[indices]
    for order in np.unique(orders):
        here = orders == order
        ipix = neighbours(1 << int(order), cells.ipix[indices[here]])
        around[here] = np.where(ipix >= 0, cells.locate(int(order), ipix), -1)
    return around


def find_candidates(cells: MultiOrderMap, goal: Goal) -> tuple[np.ndarray, np.ndarray]:
    """Cells that may hold the source.

    A local maximum hides a peak that is higher than its centre by less than the centre is above
    the lowest neighbour, as long as the cells resolve what the instrument does: a Gaussian
    peak in the corner of cells of up to 1.4 standard deviations, for example.

    Parameters
    ----------
    cells : MultiOrderMap
        Map with a column "ts" that is above 0 somewhere.
    goal : Goal
        When to split.

    Returns
    -------
    candidate : ndarray of int64, shape (n,)
        Indices in the map, ascending; none of a cell without a TS.
    around : ndarray of int64, shape (n, 8)
        Indices of their neighbours, as `touching_cells` gives them.
    """
    drop = np.nanmax(cells.ts) - cells.ts
    posterior = np.where(np.isnan(drop), 0, np.exp(-drop / 2) * cells.pixel_area)
    is_high = (drop <= goal.drop) | (posterior > MIN_FRACTION * posterior.sum())
    # no neighbour is below the lowest cell, so that most cells are out before one is looked at
    can_hide = drop - (cells.ts - np.nanmin(cells.ts)) <= goal.drop
    index = np.flatnonzero(is_high | (can_hide & (cells.order >= goal.start_order)))
    around = touching_cells(cells, index)
    beside = np.where(around >= 0, cells.ts[around], np.nan)
    lowest, highest = np.fmin.reduce(beside, axis=1), np.fmax.reduce(beside, axis=1)
    ts = cells.ts[index]
    hides = (ts >= highest) & (drop[index] - (ts - lowest) <= goal.drop)
    chosen = is_high[index] | (hides & (cells.order[index] >= goal.start_order))
    return index[chosen], around[chosen]


def is_resolved(cells: MultiOrderMap, goal: Goal) -> bool:
    """Whether the region to resolve has cells below a fifth of its radius, sqrt(area / pi)."""
    inside = np.nanmax(cells.ts) - cells.ts <= goal.region_drop
    area = cells.pixel_area[inside]
    radius = np.sqrt(area.sum() / np.pi)
    return bool(np.sqrt(area.max()) <= radius / PIXELS_PER_RADIUS)


def widened_radius(cells: MultiOrderMap, goal: Goal) -> float:
    """Radius of the region to resolve, widened by the systematic error [deg]."""
    inside = np.nanmax(cells.ts) - cells.ts <= goal.region_drop
    return float(np.sqrt(cells.pixel_area[inside].sum() / np.pi + goal.region_drop * goal.error**2))
