"""Pixels of a map that see the hit bins of given sources."""

import numpy as np

from skyquilt.maps.skymap import SkyMap
from skyquilt.maps.sources.model import blocks_of
from skyquilt.problem.expectation import SparseBlock
from skyquilt.problem.problem import FitProblem
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.healpix import vec_to_nest
from skyquilt.sky.neighbours import neighbours


def pixels_in_view(
    problem: FitProblem, skymap: SkyMap, directions: np.ndarray, sources: np.ndarray
) -> np.ndarray:
    """Pixels whose TS changes when sources join the background.

    A pixel sees what lies around it, and so does a source: every bin that both see lies between
    them, so pixels are tried from the sources outwards for as long as any sees their bins. Where
    expectations are dense, every pixel sees every bin.

    Parameters
    ----------
    problem : FitProblem
        The problem that the map answers.
    skymap : SkyMap
        The map.
    directions : ndarray of float64, shape (n_pixels, 3)
        Centres of its pixels in the frame of the problem.
    sources : ndarray of float64, shape (n, 3)
        Sources in that frame.

    Returns
    -------
    ndarray of int64, shape (m,)
        Places in the map, ascending.
    """
    block = problem.expectation.block(sources)
    if not isinstance(block, SparseBlock):
        return np.arange(skymap.ipix.size)
    is_lit = np.zeros(problem.counts.size, dtype=bool)
    is_lit[block.bin] = True
    is_tried = np.zeros(skymap.ipix.size, dtype=bool)
    is_in_view = is_tried.copy()
    turned = rotate(rotation(problem.frame, skymap.frame), sources)
    front = _places(skymap, np.unique(vec_to_nest(skymap.nside, turned)))
    while front.size:
        is_tried[front] = True
        front = front[_see(problem, directions[front], is_lit)]
        is_in_view[front] = True
        front = _places(skymap, np.unique(neighbours(skymap.nside, skymap.ipix[front])))
        front = front[~is_tried[front]]
    return np.flatnonzero(is_in_view)


def _see(problem: FitProblem, directions: np.ndarray, is_lit: np.ndarray) -> np.ndarray:
    """Whether each direction sees any of the lit bins."""
    parts = []
    for block in blocks_of(problem, directions):
        n_lit = np.concatenate([[0], np.cumsum(is_lit[block.bin])])
        ends = np.concatenate([[0], block.stop])
        parts.append(n_lit[ends[1:]] > n_lit[ends[:-1]])
    return np.concatenate(parts)


def _places(skymap: SkyMap, ipix: np.ndarray) -> np.ndarray:
    """Places in the map of those pixels that it has."""
    place = np.minimum(np.searchsorted(skymap.ipix, ipix), skymap.ipix.size - 1)
    return place[skymap.ipix[place] == ipix]
