"""Credible regions: where the source probably is, given where sources are expected.

The posterior of a cell is its likelihood ratio, exp(TS / 2), times the prior density of sources,
times its area. The flux is at its best value in each cell (profile likelihood).
"""

import numpy as np

from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.region import Region, make_region


def probability_density(cells: MultiOrderMap, prior: np.ndarray | None = None) -> np.ndarray:
    """Posterior density of the position of the source.

    Parameters
    ----------
    cells : MultiOrderMap
        Map with a column "ts".
    prior : ndarray of float64, shape (n,), optional
        Density of the prior in any unit, not negative; flat on the sky by default.

    Returns
    -------
    ndarray of float64, shape (n,)
        Density [sr-1]; 0 where there is no TS or no prior. Its integral over the cells is 1.

    Raises
    ------
    ValueError
        If no cell has a TS and a prior above 0.

    Examples
    --------
    >>> cells = MultiOrderMap("icrs", np.array([4, 5]), {"ts": np.array([2e4, np.nan])})
    >>> probability_density(cells).round(6)  # base pixels of pi / 3
    array([0.95493, 0.     ])
    """
    weight = np.ones(cells.uniq.size) if prior is None else prior
    possible = ~np.isnan(cells.ts) & (weight > 0)
    if not np.any(possible):
        raise ValueError("the map has no posterior: no pixel has a TS and a prior above 0.")
    # the maximum is taken off first: exp overflows from TS = 1420 on
    log_density = cells.ts[possible] / 2 + np.log(weight[possible])
    density = np.zeros(cells.uniq.size)
    density[possible] = np.exp(log_density - log_density.max())
    return density / np.sum(density * cell_areas(cells))


def cell_areas(cells: MultiOrderMap) -> np.ndarray:
    """Area of each cell [sr]."""
    return np.pi / 3 / 4.0**cells.order


def find_credible_region(cells: MultiOrderMap, density: np.ndarray, level: float) -> Region:
    """Smallest region of a given probability.

    Cells are taken by falling density up to and with the one at which their sum reaches the
    level, so that the region holds at least that probability. Cells of the same density as
    the last one are all taken.

    Parameters
    ----------
    cells : MultiOrderMap
        Map with a column "ts".
    density : ndarray of float64, shape (n,)
        Posterior density [sr-1], as `probability_density` gives it.
    level : float
        Probability in (0, 1).

    Returns
    -------
    Region
        The region; its threshold is the density of the last cell, and maxima are those of the
        density.

    Raises
    ------
    ValueError
        If `level` is outside (0, 1).
    """
    threshold = credible_threshold(density, cell_areas(cells), level)
    return make_region(cells, density >= threshold, density, level, threshold)


def credible_threshold(density: np.ndarray, area: np.ndarray, level: float) -> float:
    """Density of the last cell of the smallest region of a given probability.

    Parameters
    ----------
    density : ndarray of float64, shape (n,)
        Density of each cell, in any unit.
    area : ndarray of float64, shape (n,)
        Area of each cell, in any unit.
    level : float
        Probability in (0, 1).

    Raises
    ------
    ValueError
        If `level` is outside (0, 1).

    Examples
    --------
    >>> credible_threshold(np.array([0.1, 0.3, 0.6]), np.ones(3), 0.9)
    0.3
    """
    if not 0 < level < 1:
        raise ValueError(f"level {level}: allowed are numbers between 0 and 1, as 0.9.")
    falling = np.argsort(-density, kind="stable")
    total = np.cumsum((density * area)[falling])
    last = np.searchsorted(total, level * total[-1])
    return float(density[falling[last]])


def probability_inside(cells: MultiOrderMap, density: np.ndarray, indices: np.ndarray) -> float:
    """Probability of some cells."""
    return float(np.sum((density * cell_areas(cells))[indices]))
