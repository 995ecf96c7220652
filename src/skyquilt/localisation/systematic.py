"""Systematic error of a position: the posterior convolved with a Gaussian on the sky.

What a map of TS does not know, such as the error of an interpolated response, moves the whole
posterior by an unknown small angle. If that is Gaussian with a standard error along each axis, the
posterior that allows for it is the convolution of both, as for the localisations of Fermi-GBM.

References
----------
Connaughton et al. 2015, ApJS 216, 32; Goldstein et al. 2020, ApJ 895, 40.
"""

import math
from typing import TYPE_CHECKING

import numpy as np

from skyquilt.maps.credible import cell_areas
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.sky.distances import is_few, near_pairs, nearest_chords

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

RESPONSE_PIXEL_FRACTION = 0.09
"""Standard error along each axis, as a fraction of the side of the pixels of a response.

The largest that `benchmarks/response_grid.py` finds, rounded; docs/localisation.md has its table.
"""

_REACH = 4.0  # standard errors to which a cell is spread: exp(-8) of a Gaussian lie beyond
_SPREAD = 1 - 1e-4  # cells that hold so much of the probability are spread, the rest stay
_WIDE = 2.0  # side in standard errors of cells that are too wide to be spread
_MOST_PAIRS = 50_000_000  # pairs of near cells; where there are more, fine cells form groups
_TOGETHER = 1 / 8  # side of such a group in standard errors: it adds 0.1 % to the variance
_BLOCK_PAIRS = 5_000_000  # in memory at a time


SHARPNESS_FRACTION = 0.1
"""Standard error along each axis of an imaging instrument, as a fraction of its 68 % radius.

The radius is that of the point spread function. With this part the errors of faint sources cover
as often as they say: `benchmarks/fermi_positions.py` measures it; docs/imaging.md has its table.
"""


def systematic_error(wanted: float | str, response_pixel: float, sharpness: float = 0.0) -> float:
    """Standard error along each axis [deg].

    Parameters
    ----------
    wanted : float or "auto"
        What the configuration says [deg]; auto is a fraction of the pixels of the response, or of
        the point spread function.
    response_pixel : float
        Side of the pixels between which the response is interpolated [deg], 0 for none.
    sharpness : float
        Radius of 68 % of the point spread function of an imaging instrument, or the side of its
        pixels if that is larger [deg]; 0 for none.

    Examples
    --------
    >>> systematic_error("auto", 8.0), systematic_error(1.0, 8.0)
    (0.72, 1.0)
    """
    if wanted != "auto":
        return float(wanted)
    return max(RESPONSE_PIXEL_FRACTION * response_pixel, SHARPNESS_FRACTION * sharpness)


def spread_probability(cells: MultiOrderMap, density: np.ndarray, error: float) -> np.ndarray:
    """Posterior density convolved with a Gaussian.

    Probability goes to cells that have a TS only, and all of it does. Cells wider than two errors
    keep theirs: where they are probable, the posterior is far wider than the error.

    Parameters
    ----------
    cells : MultiOrderMap
        Map with a column "ts".
    density : ndarray of float64, shape (n,)
        Posterior density [sr-1], 0 where there is no TS.
    error : float
        Standard error along each axis [deg], 0 or more.

    Returns
    -------
    ndarray of float64, shape (n,)
        Density [sr-1], of the same integral.
    """
    sigma, area = math.radians(error), cell_areas(cells)
    source = np.flatnonzero(_most_probable(density * area) & (np.sqrt(area) <= _WIDE * sigma))
    target = np.flatnonzero(~np.isnan(cells.ts))
    if not source.size:
        return density
    centres, moved = cells.centres[source], (density * area)[source]
    spread = density.copy()
    spread[source] = 0
    if not is_few(cells.centres[target], centres):
        return _spread_many(cells, source, target, moved, sigma, spread)
    found = _spread_block(cells.centres[target], centres, moved, sigma, area[target])
    spread[target] += found / area[target]
    return spread


def _spread_many(
    cells: MultiOrderMap,
    source: np.ndarray,
    target: np.ndarray,
    moved: np.ndarray,
    sigma: float,
    spread: np.ndarray,
) -> np.ndarray:
    """The same in blocks; sources that have too many cells within reach are put together."""
    from scipy.spatial import cKDTree

    area, reach = cell_areas(cells)[target], _REACH * sigma
    centres, around = cells.centres[source], cells.centres[target]
    tree = cKDTree(around)
    if tree.count_neighbors(cKDTree(centres), reach) > _MOST_PAIRS:
        centres, moved = _put_together(cells, source, moved, _TOGETHER * sigma)
    n_before = np.cumsum(tree.query_ball_point(centres, reach, return_length=True))
    for block in np.split(moved, np.flatnonzero(np.diff(n_before // _BLOCK_PAIRS)) + 1):
        here, centres = centres[: block.size], centres[block.size :]
        spread[target] += _spread_block(around, here, block, sigma, area, tree) / area
    return spread


def _spread_block(
    around: np.ndarray,
    centres: np.ndarray,
    moved: np.ndarray,
    sigma: float,
    area: np.ndarray,
    tree: "cKDTree | None" = None,
) -> np.ndarray:
    """Probability that the cells around some centres get from these."""
    near = near_pairs(around, centres, _REACH * sigma, tree)
    # of the chord: exp((cos - 1) / sigma^2), the Gaussian on the sphere (Fisher 1953)
    weight = np.exp(-0.5 * (near.chord / sigma) ** 2) * area[near.first]
    per_weight = moved / np.bincount(near.second, weight, moved.size)
    return np.bincount(near.first, weight * per_weight[near.second], area.size)


def _put_together(
    cells: MultiOrderMap, index: np.ndarray, probability: np.ndarray, side: float
) -> tuple[np.ndarray, np.ndarray]:
    """Mean indices, and sums of the probability, of the cells below each cell of a side [rad]."""
    order = max(0, math.ceil(math.log2(math.sqrt(math.pi / 3) / side)))
    finer = np.maximum(cells.order[index] - order, 0)
    _, group = np.unique(cells.uniq[index] >> 2 * finer, return_inverse=True)
    total = np.bincount(group, probability)
    sums = [np.bincount(group, probability * axis) for axis in cells.centres[index].T]
    centres = np.column_stack(sums)
    return centres / np.linalg.norm(centres, axis=1, keepdims=True), total


def cells_to_widen(
    cells: MultiOrderMap, candidate: np.ndarray, error: float, side: float, max_order: int
) -> np.ndarray:
    """Cells that must be split before probability is spread over them.

    Parameters
    ----------
    cells : MultiOrderMap
        The map.
    candidate : ndarray of int64, shape (n,)
        Indices of the cells that hold the probability.
    error : float
        Standard error along each axis [deg], above 0.
    side : float
        Largest side of cells that resolve the wider region [deg].
    max_order : int
        Finest order.

    Returns
    -------
    ndarray of int64, shape (m,)
        Indices of wider cells within reach of a candidate, ascending.
    """
    sides = np.sqrt(cells.pixel_area)
    coarse = np.flatnonzero((sides > side) & (cells.order < max_order))
    # no part of a pixel is farther from its centre than its side; a chord is below its angle
    reach = np.radians(_REACH * error + sides[coarse])
    return coarse[nearest_chords(cells.centres[coarse], cells.centres[candidate]) <= reach]


def _most_probable(probability: np.ndarray) -> np.ndarray:
    """Whether a cell is of the most probable ones, which are spread."""
    falling = np.argsort(-probability, kind="stable")
    chosen = np.empty(probability.size, dtype=bool)
    before = np.append(0, np.cumsum(probability[falling])[:-1])
    chosen[falling] = before < _SPREAD * probability.sum()
    return chosen & (probability > 0)
