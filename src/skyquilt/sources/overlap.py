"""Pixels of a map whose TS changes with the background."""

import numpy as np

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
    ipix = np.unique(vec_to_nest(skymap.nside, turned))
    while ipix.size:
        front = np.minimum(np.searchsorted(skymap.ipix, ipix), skymap.ipix.size - 1)
        front = front[(skymap.ipix[front] == ipix) & ~is_tried[front]]
        is_tried[front] = True
        front = front[_changes(problem, before, directions[front]) > least]
        is_changed[front] = True
        ipix = np.unique(neighbours(skymap.nside, skymap.ipix[front]))
    return np.flatnonzero(is_changed)


def _changes(problem: FitProblem, before: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Largest change of sqrt(TS) in each direction: of the slope over its standard deviation."""
    now, counts = problem.background, problem.counts
    slope, curvature = counts * np.abs(now - before) / (now * before), counts / now**2
    changes = [np.empty(0)]
    for block in blocks_of(problem, directions):
        unit_counts = block.csr().matrix
        error = np.sqrt(np.maximum(unit_counts**2 @ curvature, np.finfo(float).tiny))
        changes.append((unit_counts @ slope) / error)
    return np.concatenate(changes)
