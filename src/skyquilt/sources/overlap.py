"""Pixels of a map whose TS changes with the background."""

import numpy as np

from skyquilt.blocks import SparseBlock
from skyquilt.maps.skymap import SkyMap
from skyquilt.problem.problem import FitProblem
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.healpix import vec_to_nest
from skyquilt.sky.neighbours import neighbours
from skyquilt.sources.model import blocks_of


def changed_pixels(
    problem: FitProblem,
    before: np.ndarray,
    skymap: SkyMap,
    directions: np.ndarray,
    sources: np.ndarray,
    least: float,
) -> np.ndarray:
    """Pixels whose sqrt(TS) may change by more than `least` when the background changes.

    With counts d, unit counts e and backgrounds b before and b' now, the slope of the
    log-likelihood at zero flux changes by up to sum d e |b' - b| / (b b'), and its standard
    deviation is sqrt(sum d e^2 / b'^2); their ratio is the change of sqrt(TS). It falls with the
    distance from the sources, so pixels are tried from these outwards for as long as any changes.
    Where expectations are dense, every pixel sees every bin, and all are taken.

    Parameters
    ----------
    problem : FitProblem
        The problem, with its background now.
    before : ndarray of float64, shape (n_hit,)
        The background that the map was fitted with.
    skymap : SkyMap
        The map.
    directions : ndarray of float64, shape (n_pixels, 3)
        Centres of its pixels in the frame of the problem.
    sources : ndarray of float64, shape (n, 3)
        Directions in that frame around which the background changed, or not.
    least : float
        Least change of sqrt(TS) that counts.

    Returns
    -------
    ndarray of int64, shape (m,)
        Places in the map, ascending.
    """
    if not problem.expectation.block(sources[:1]).is_sparse:
        return np.arange(skymap.ipix.size)
    is_tried = np.zeros(skymap.ipix.size, dtype=bool)
    is_changed = is_tried.copy()
    turned = rotate(rotation(problem.frame, skymap.frame), sources)
    front = _places(skymap, np.unique(vec_to_nest(skymap.nside, turned)))
    while front.size:
        is_tried[front] = True
        front = front[_changes(problem, before, directions[front]) > least]
        is_changed[front] = True
        front = _places(skymap, np.unique(neighbours(skymap.nside, skymap.ipix[front])))
        front = front[~is_tried[front]]
    return np.flatnonzero(is_changed)


def _changes(problem: FitProblem, before: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Largest change of sqrt(TS) in each direction."""
    now, counts = problem.background, problem.counts
    changed = counts * np.abs(now - before) / (now * before)
    information = counts / now**2
    parts = [_sums(block.csr(), changed, information) for block in blocks_of(problem, directions)]
    return np.concatenate(parts)


def _sums(block: SparseBlock, changed: np.ndarray, information: np.ndarray) -> np.ndarray:
    """Change of the slope over its standard deviation, for each direction of a block."""
    slope, curvature = (
        np.bincount(block.direction, entries, minlength=len(block.total))
        for entries in (
            block.unit_counts * changed[block.bin],
            block.unit_counts**2 * information[block.bin],
        )
    )
    return slope / np.sqrt(np.maximum(curvature, np.finfo(float).tiny))


def _places(skymap: SkyMap, ipix: np.ndarray) -> np.ndarray:
    """Places in the map of those pixels that it has."""
    place = np.minimum(np.searchsorted(skymap.ipix, ipix), skymap.ipix.size - 1)
    return place[skymap.ipix[place] == ipix]
