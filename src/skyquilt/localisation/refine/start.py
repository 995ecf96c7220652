"""Where refinement starts: a coarse grid in ICRS, as fine as the map where the source may be."""

import numpy as np

from skyquilt.localisation.refine.cells import Goal, children, find_candidates
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.skymap import SkyMap
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.healpix import nest_to_vec, vec_to_nest
from skyquilt.sky.moc import count_inside
from skyquilt.sky.neighbours import neighbours
from skyquilt.sky.regions import full_sky, ranges_from_ipix
from skyquilt.sky.uniq import to_uniq, uniq_to_ranges

COARSE_ORDER = 3
"""Order of the cells far from any candidate: 768 of 7 deg on the whole sky."""


def start_cells(skymap: SkyMap, goal: Goal) -> np.ndarray:
    """Cells to begin with: those of the map's sky, coarse, but around its candidates as its own.

    The map was fitted already, so it tells where coarse cells would miss the source.

    Parameters
    ----------
    skymap : SkyMap
        Map in any frame with a column "ts".
    goal : Goal
        When to split, and the order of the finest cells to begin with.

    Returns
    -------
    ndarray of int64, shape (n,)
        UNIQ of cells in ICRS, ascending along the nested curve.
    """
    order = goal.start_order
    covered, kept = _covered(skymap, order), _around_candidates(skymap, goal)
    coarse = min(order, COARSE_ORDER)
    ipix, parts = np.arange(12 << 2 * coarse), []
    for level in range(coarse, order + 1):
        depth = 2 * (order - level)
        first, stop = ipix << depth, (ipix + 1) << depth
        n_covered = count_inside(covered, first, stop)
        has_kept = np.searchsorted(kept, stop) > np.searchsorted(kept, first)
        is_whole = (n_covered == 1 << depth) & ~(has_kept & (level < order))
        parts.append(to_uniq(level, ipix[is_whole]))
        ipix = children(ipix[(n_covered > 0) & ~is_whole])
    uniq = np.concatenate(parts)
    return uniq[np.argsort(uniq_to_ranges(uniq, order)[:, 0])]


def _covered(skymap: SkyMap, order: int) -> np.ndarray:
    """Ranges of ICRS cells that hold the centre of a pixel of the map, or have theirs in one."""
    if skymap.ipix.size == 12 * skymap.nside**2:
        return full_sky(1 << order)
    holding = _cells_of(skymap, skymap.ipix, order)
    # whatever lies between cells that hold a centre is beside one of them
    near = children(np.unique(holding >> 2))
    to_map = rotation("icrs", skymap.frame)
    pixel = vec_to_nest(skymap.nside, rotate(to_map, nest_to_vec(1 << order, near)))
    return ranges_from_ipix(np.union1d(holding, near[np.isin(pixel, skymap.ipix)]))


def _around_candidates(skymap: SkyMap, goal: Goal) -> np.ndarray:
    """ICRS cells around the candidates of the map and their neighbours, ascending."""
    has_ts = ~np.isnan(skymap.ts)
    if not np.any(skymap.ts > 0):
        # no candidates; where a part of the sky has a TS, coarse cells could miss all of it
        wide = skymap.ipix[has_ts] if not has_ts.all() else skymap.ipix[:0]
    else:
        index, around = find_candidates(MultiOrderMap.from_skymap(skymap), goal)
        wide = skymap.ipix[np.union1d(index, around[around >= 0])]
    cells = _cells_of(skymap, wide, goal.start_order)
    beside = neighbours(1 << goal.start_order, cells)
    return np.union1d(cells, beside[beside >= 0])


def _cells_of(skymap: SkyMap, ipix: np.ndarray, order: int) -> np.ndarray:
    """ICRS cells that hold the centres of pixels of the map's grid."""
    turned = rotate(rotation(skymap.frame, "icrs"), nest_to_vec(skymap.nside, ipix))
    return np.unique(vec_to_nest(1 << order, turned))
