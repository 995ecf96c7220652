"""Pixels of a map whose TS changes with the background."""

import numpy as np

from skyquilt.maps.skymap import SkyMap
from skyquilt.problem.problem import FitProblem
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.healpix import vec_to_nest
from skyquilt.sky.neighbours import neighbours
from skyquilt.sources.model import most_directions, source_counts_at


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
        Indices in the map, ascending.
    """
    if not problem.expectation.block(sources[:1]).is_sparse:
        return np.arange(skymap.ipix.size)
    now, counts, size = problem.background, problem.counts, most_directions(problem)
    slope, curvature = counts * np.abs(now - before) / (now * before), counts / now**2
    is_tried = np.zeros(skymap.ipix.size, dtype=bool)
    is_changed = is_tried.copy()
    turned = rotate(rotation(problem.frame, skymap.frame), sources)
    ipix = np.unique(vec_to_nest(skymap.nside, turned))
    while ipix.size:
        front = np.minimum(np.searchsorted(skymap.ipix, ipix), skymap.ipix.size - 1)
        front = front[(skymap.ipix[front] == ipix) & ~is_tried[front]]
        is_tried[front] = True
        for start in range(0, front.size, size):
            pixels = front[start : start + size]
            unit_counts = source_counts_at(problem, directions[pixels]).unit_counts
            error = np.sqrt(np.maximum(unit_counts**2 @ curvature, np.finfo(float).tiny))
            is_changed[pixels] = (unit_counts @ slope) / error > least
        ipix = np.unique(neighbours(skymap.nside, skymap.ipix[front[is_changed[front]]]))
    return np.flatnonzero(is_changed)
