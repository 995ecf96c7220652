"""Positions and fluxes of sources that overlap, fitted together.

With sources k of flux f_k at p_k, mu_i = b_i + sum_k f_k e_i(p_k) and counts d, the log-likelihood

    L(f, p) = sum_i d_i ln mu_i - sum_k f_k E(p_k)

is climbed in all fluxes and positions at a time (Levenberg 1944; Marquardt 1963, SIAM J. 11, 431).
Its curvature is taken as sum_i d_i (d mu_i) (d mu_i)^T / mu_i^2, which is never negative and, at
the truth, what is expected; derivatives by positions are differences of expectations.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from skyquilt.likelihood.fluxes import connected
from skyquilt.problem.problem import FitProblem
from skyquilt.sky.frames import rotation
from skyquilt.sky.tangent import from_tangent, tangent_axes
from skyquilt.sources.model import SourceCounts, source_counts_at, with_sources

if TYPE_CHECKING:
    from scipy.sparse import csr_array

MAX_ITER = 60
"""Limit of steps. A pair that was one source at first takes 10 to 20."""

TOLERANCE = 5e-4
"""Rise of L that a step still promises when the climb ends: 0.03 standard errors of a position."""

_ENOUGH = 1e-4  # of the promised rise, for a step to be taken
_DAMPING = 1e-3  # part of the curvature that is added to it, at first
_LEAST_DAMPING = 1e-6
_LESS, _MORE = 0.2, 10.0  # by which the damping changes after a step that rose, or did not
_LEAST_SHARE = 0.25  # of its flux that a source keeps in a step
_SIDE = 0.5  # standard errors over which differences are taken, to both sides
_LINKED = 1e-3  # correlation below which two sources have errors of their own
_ONE_SOURCE = 3  # flux, east, north


class JointFit(NamedTuple):
    """Sources fitted together.

    Attributes
    ----------
    direction : ndarray of float64, shape (n, 3)
        Best directions, in the frame of the problem.
    flux : ndarray of float64, shape (n,)
        Best fluxes, above 0.
    templates : SourceCounts
        Expected counts at these directions.
    sigma : ndarray of float64, shape (n,)
        Standard errors of the positions along a line, all else known [deg]; up to 180.
    rise : float
        L at the end less L at the start.
    """

    direction: np.ndarray
    flux: np.ndarray
    templates: SourceCounts
    sigma: np.ndarray
    rise: float


def fit_jointly(
    problem: FitProblem,
    direction: np.ndarray,
    flux: np.ndarray,
    max_step: float,
    allow: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> JointFit:
    """Climb to the best positions and fluxes of a few sources.

    Parameters
    ----------
    problem : FitProblem
        The problem, with all other sources in its background.
    direction : ndarray of float64, shape (n, 3)
        Unit vectors in its frame from which to climb.
    flux : ndarray of float64, shape (n,)
        Fluxes there, above 0.
    max_step : float
        Farthest that a position moves in one step [deg]; there may be many.
    allow : callable
        Directions that sources may take, of those where they are and those where they would go.

    Returns
    -------
    JointFit
        The top that was reached, no lower than the start.
    """
    templates = source_counts_at(problem, direction)
    expected = with_sources(problem, templates, flux).background
    side, damping, rise = np.full(len(flux), max_step / 4), _DAMPING, 0.0
    axes, slope, curvature = _derivatives(problem, expected, direction, flux, templates, side)
    for _ in range(MAX_ITER):
        step = _step(slope, curvature, damping)
        if slope @ step <= TOLERANCE:
            break
        there, flux_there = _moved(direction, flux, axes, side, step, max_step)
        there = allow(direction, there)
        templates_there = source_counts_at(problem, there)
        added = flux_there @ templates_there.unit_counts - flux @ templates.unit_counts
        gain = problem.counts @ np.log1p(added / expected)
        gain -= flux_there @ templates_there.total - flux @ templates.total
        if not gain > _ENOUGH * (slope @ step):
            damping *= _MORE
            continue
        direction, flux, templates = there, flux_there, templates_there
        expected, rise = with_sources(problem, templates, flux).background, rise + float(gain)
        damping = max(damping * _LESS, _LEAST_DAMPING)
        side = np.clip(_SIDE * side * _sizes(curvature), side / 4, max_step / 4)
        axes, slope, curvature = _derivatives(problem, expected, direction, flux, templates, side)
    sigma = np.minimum(side * _sizes(curvature), 180.0)
    return JointFit(direction, flux, templates, sigma, rise)


def joint_errors(
    problem: FitProblem, direction: np.ndarray, flux: np.ndarray, sigma: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What not knowing the other sources adds to the errors of each.

    Parameters
    ----------
    problem : FitProblem
        The problem, without sources in its background.
    direction : ndarray of float64, shape (n, 3)
        Unit vectors in its frame.
    flux : ndarray of float64, shape (n,)
        Their best fluxes.
    sigma : ndarray of float64, shape (n,)
        Standard errors of the positions along a line when the others are known [deg]; positions
        where it is NaN count as known.

    Returns
    -------
    widening : ndarray of float64, shape (n,)
        Standard error of the flux over that with all else known; 1 or more.
    covariance : ndarray of float64, shape (n, 2, 2)
        Covariance of the position, east and north, less that with the others known [deg2].
    """
    widening, added = np.ones(len(flux)), np.zeros((len(flux), 2, 2))
    is_fitted = np.isfinite(sigma)
    side = np.where(is_fitted, _SIDE * np.nan_to_num(sigma), 1.0)
    templates = source_counts_at(problem, direction)
    expected = with_sources(problem, templates, flux).background
    _, rows, _ = _gradients(problem, direction, flux, templates, side)
    product = _curvature(problem, expected, rows)
    is_free = np.repeat(flux > 0, _ONE_SOURCE)
    is_free &= np.column_stack([flux > 0, is_fitted, is_fitted]).ravel()
    is_free &= product.diagonal() > 0
    for group in connected(_links(product, is_free)):
        places = (_ONE_SOURCE * group[:, np.newaxis] + np.arange(_ONE_SOURCE)).ravel()
        places = places[is_free[places]]
        curvature = product[places][:, places].toarray()
        size = np.sqrt(np.diag(curvature))
        whole = np.linalg.pinv(curvature / np.outer(size, size), hermitian=True)
        whole /= np.outer(size, size)
        for number in group:
            own = np.flatnonzero(places // _ONE_SOURCE == number)
            if not own.size:
                continue
            alone = np.linalg.pinv(curvature[np.ix_(own, own)], hermitian=True)
            variance = whole[own[0], own[0]] * curvature[own[0], own[0]]
            widening[number] = np.sqrt(max(variance, 1.0))
            if own.size == _ONE_SOURCE:
                more = (whole[np.ix_(own, own)] - alone)[1:, 1:]
                added[number] = more * side[number] ** 2
    return widening, added


def _derivatives(
    problem: FitProblem,
    expected: np.ndarray,
    direction: np.ndarray,
    flux: np.ndarray,
    templates: SourceCounts,
    side: np.ndarray,
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray, np.ndarray]:
    """Axes of the moves; slope and curvature of L, three numbers per source."""
    axes, rows, total = _gradients(problem, direction, flux, templates, side)
    slope = rows @ (problem.counts / expected) - total
    return axes, slope, _curvature(problem, expected, rows).toarray()


def _gradients(
    problem: FitProblem,
    direction: np.ndarray,
    flux: np.ndarray,
    templates: SourceCounts,
    side: np.ndarray,
) -> tuple[tuple[np.ndarray, np.ndarray], "csr_array", np.ndarray]:
    """Changes of the expected counts, and of their totals.

    Three rows per source: for unit flux, and for moves by `side` [deg] to the east and the north.
    """
    from scipy.sparse import vstack

    n = len(flux)
    axes = tangent_axes(direction, rotation("icrs", problem.frame)[:, 2])
    x, y = np.array([1.0, -1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0, -1.0])
    around = from_tangent(direction, axes, x * side[:, np.newaxis], y * side[:, np.newaxis])
    # all to the east, all to the west, to the north, to the south
    moved = source_counts_at(problem, np.swapaxes(around, 0, 1).reshape(-1, 3))
    parts, totals = [templates.unit_counts], [templates.total]
    for first in (0, 2 * n):
        ahead, behind = slice(first, first + n), slice(first + n, first + 2 * n)
        difference = moved.unit_counts[ahead] - moved.unit_counts[behind]
        parts.append(difference.multiply((flux / 2)[:, np.newaxis]).tocsr())
        totals.append((moved.total[ahead] - moved.total[behind]) * flux / 2)
    order = np.arange(_ONE_SOURCE * n).reshape(_ONE_SOURCE, n).T.ravel()
    return axes, vstack(parts, format="csr")[order], np.concatenate(totals)[order]


def _curvature(problem: FitProblem, expected: np.ndarray, rows: "csr_array") -> "csr_array":
    scaled = rows * (np.sqrt(problem.counts) / expected)
    return (scaled @ scaled.T).tocsr()


def _step(slope: np.ndarray, curvature: np.ndarray, damping: float) -> np.ndarray:
    """Damped Newton step; parameters that nothing depends on stay."""
    size = np.sqrt(np.diag(curvature))
    is_felt = size > 0
    step = np.zeros(slope.size)
    size = size[is_felt]
    matrix = curvature[np.ix_(is_felt, is_felt)] / np.outer(size, size)
    matrix[np.diag_indices(size.size)] += damping
    step[is_felt] = np.linalg.solve(matrix, slope[is_felt] / size) / size
    return step


def _moved(
    direction: np.ndarray,
    flux: np.ndarray,
    axes: tuple[np.ndarray, np.ndarray],
    side: np.ndarray,
    step: np.ndarray,
    max_step: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Directions and fluxes after a step that is cut to its limits."""
    change, *shift = step.reshape(-1, _ONE_SOURCE).T
    x, y = (part * side for part in shift)
    cut = np.minimum(1.0, max_step / np.maximum(np.hypot(x, y), np.finfo(float).tiny))
    there = from_tangent(direction, axes, (x * cut)[:, np.newaxis], (y * cut)[:, np.newaxis])[:, 0]
    return there, np.maximum(flux + change, _LEAST_SHARE * flux)


def _sizes(curvature: np.ndarray) -> np.ndarray:
    """Standard error of each position along a line, the others known, in sides."""
    own = curvature.reshape(len(curvature) // _ONE_SOURCE, _ONE_SOURCE, -1, _ONE_SOURCE)
    east, north = (np.einsum("ijij->ij", own)[:, axis] for axis in (1, 2))
    return np.maximum(east * north, np.finfo(float).tiny) ** -0.25


def _links(product: "csr_array", is_free: np.ndarray) -> "csr_array":
    """Whether sources have parameters with a correlation."""
    from scipy.sparse import csr_array

    entries = product.tocoo()
    row, column = entries.coords
    size = np.sqrt(np.maximum(product.diagonal(), np.finfo(float).tiny))
    is_link = np.abs(entries.data) > _LINKED * size[row] * size[column]
    is_link &= is_free[row] & is_free[column]
    n = product.shape[0] // _ONE_SOURCE
    numbers = (row[is_link] // _ONE_SOURCE, column[is_link] // _ONE_SOURCE)
    return csr_array((np.ones(numbers[0].size), numbers), shape=(n, n))
