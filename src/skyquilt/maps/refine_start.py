"""Where refinement starts: a coarse grid in ICRS, as fine as the map where the source may be."""

import numpy as np

from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.refine import Goal, find_candidates, touching_cells
from skyquilt.maps.skymap import SkyMap
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.healpix import nest_to_vec, vec_to_nest
from skyquilt.sky.neighbours import neighbours
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
    covered = _covered(skymap, order)
    kept = np.isin(covered, _around_candidates(skymap, goal), assume_unique=True)
    parts = []
    for fine in range(order, min(order, COARSE_ORDER), -1):
        parent, place, n = np.unique(covered >> 2, return_inverse=True, return_counts=True)
        n_kept = np.bincount(place, weights=kept)
        is_whole = (n == 4) & (n_kept == 0)
        parts.append(to_uniq(fine, covered[~is_whole[place]]))
        covered, kept = parent[is_whole], np.zeros(is_whole.sum(), dtype=bool)
    uniq = np.concatenate([*parts, to_uniq(min(order, COARSE_ORDER), covered)])
    return uniq[np.argsort(uniq_to_ranges(uniq, order)[:, 0])]


def _covered(skymap: SkyMap, order: int) -> np.ndarray:
    """ICRS cells that hold the centre of a pixel of the map, or have theirs in one."""
    if skymap.ipix.size == 12 * skymap.nside**2:
        return np.arange(12 << 2 * order)
    holding = _cells_of(skymap, skymap.ipix, order)
    near = _with_neighbours(order, holding)
    to_map = rotation("icrs", skymap.frame)
    pixel = vec_to_nest(skymap.nside, rotate(to_map, nest_to_vec(1 << order, near)))
    return np.union1d(holding, near[np.isin(pixel, skymap.ipix)])


def _around_candidates(skymap: SkyMap, goal: Goal) -> np.ndarray:
    """ICRS cells around the candidates of the map and their neighbours."""
    if not np.any(skymap.ts > 0):
        return np.empty(0, np.int64)
    cells = MultiOrderMap.from_skymap(skymap)
    found = skymap.ipix[find_candidates(cells, touching_cells(cells), goal)]
    wide = _with_neighbours(0 if skymap.nside == 1 else skymap.nside.bit_length() - 1, found)
    return _with_neighbours(goal.start_order, _cells_of(skymap, wide, goal.start_order))


def _cells_of(skymap: SkyMap, ipix: np.ndarray, order: int) -> np.ndarray:
    """ICRS cells that hold the centres of pixels of the map's grid."""
    turned = rotate(rotation(skymap.frame, "icrs"), nest_to_vec(skymap.nside, ipix))
    return np.unique(vec_to_nest(1 << order, turned))


def _with_neighbours(order: int, ipix: np.ndarray) -> np.ndarray:
    around = neighbours(1 << order, ipix)
    return np.union1d(ipix, around[around >= 0])
