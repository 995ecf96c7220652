"""Profile likelihood of one flux, with other fluxes and factors on backgrounds fitted again.

With observed counts d, what is expected in any case B, and columns a_k of expected counts per unit
of parameter x_k (the source itself, its neighbours, backgrounds) with sums A_k over all bins, the
log-likelihood is, up to a constant (Cash 1979, ApJ 228, 939),

    L(x) = sum_i d_i ln(B_i + sum_k x_k a_ki) - sum_k x_k A_k - sum_k w_k (x_k - c_k)^2 / 2.

L is concave, so it has one maximum over x >= 0, also when some x are held. Newton steps that are
projected onto what is allowed reach it (Bertsekas 1982, SIAM J. Control Optim. 20, 221), damped
where L would not grow (Levenberg 1944, Q. Appl. Math. 2, 164): two parameters may have the same
column, and fewer bins may have counts than there are parameters. Only bins with counts enter the
first sum. Many problems that differ in what is held are stepped together, each by itself.
"""

from typing import NamedTuple

import numpy as np

MAX_ITER = 200
"""Limit of steps. A bright source over next to nothing takes a step for each factor of two."""

TOLERANCE = 1e-10
"""Increase of L that a step still promises when a fit ends."""

_ENOUGH = 1e-4  # of the promised increase, for a step to be taken (Bertsekas's sigma)
_RIDGE = 1e-12  # of the curvature, so that two sources at one position still have a step
_DAMPING = 1e-3  # part of the curvature that is added to it when a step without it fails
_MORE, _LESS, _LEAST, _MOST = 10.0, 0.1, 1e-5, 1e9


class Counts(NamedTuple):
    """Counts of some bins, and what is expected in them.

    Attributes
    ----------
    observed : ndarray of float64, shape (n_hit,)
        Observed counts, above 0.
    fixed : ndarray of float64, shape (n_hit,)
        What is expected in any case, 0 or more.
    columns : ndarray of float64, shape (n, n_hit)
        Expected counts per unit of each parameter; the first is the source.
    totals : ndarray of float64, shape (n,)
        The same summed over all bins, with and without counts.
    center, weight : ndarray of float64, shape (n,)
        Mean and inverse variance of what is known of each parameter beforehand; weight 0 for none.
    """

    observed: np.ndarray
    fixed: np.ndarray
    columns: np.ndarray
    totals: np.ndarray
    center: np.ndarray
    weight: np.ndarray


class Maxima(NamedTuple):
    """Largest L of several problems.

    Attributes
    ----------
    best : ndarray of float64, shape (m, n)
        Best parameters.
    loglike : ndarray of float64, shape (m,)
        L there.
    has_converged : ndarray of bool, shape (m,)
        Whether the last step promised less than `TOLERANCE`.
    """

    best: np.ndarray
    loglike: np.ndarray
    has_converged: np.ndarray


def log_likelihood(counts: Counts, values: np.ndarray) -> np.ndarray:
    """L of parameters of shape (m, n), shape (m,); minus infinity where counts are impossible.

    Examples
    --------
    >>> one = np.ones(1)
    >>> counts = Counts(3 * one, one, one[np.newaxis], one, one, 0 * one)
    >>> round(float(log_likelihood(counts, np.array([[2.0]]))[0]), 6)
    1.295837
    """
    expected = counts.fixed + values @ counts.columns
    with np.errstate(divide="ignore"):
        logs = np.log(expected) @ counts.observed if counts.observed.size else 0.0
    known = 0.5 * np.square(values - counts.center) @ counts.weight
    return logs - values @ counts.totals - known


def maximise(counts: Counts, start: np.ndarray, held: np.ndarray) -> Maxima:
    """Best parameters of each of several problems.

    Parameters
    ----------
    counts : Counts
        The counts.
    start : ndarray of float64, shape (m, n)
        Where each begins, 0 or more; counts must be possible there.
    held : ndarray of bool, shape (n,)
        Parameters that stay where they begin.

    Returns
    -------
    Maxima
        One for each.
    """
    values = np.array(start, np.float64)
    level, damping = log_likelihood(counts, values), np.zeros(len(values))
    going, has_converged = np.arange(len(values)), np.zeros(len(values), bool)
    for _ in range(MAX_ITER):
        here = values[going]
        slope, curvature = derivatives(counts, here)
        step = _steps(here, slope, curvature, held, damping[going])
        promise = np.sum(slope * step, axis=1)
        there = np.maximum(here + step, 0.0)
        reached = log_likelihood(counts, there)
        least = _ENOUGH * np.sum(slope * (there - here), axis=1)
        is_better = (least > 0) & (reached - level[going] >= least - 1e-15 * np.abs(level[going]))
        values[going[is_better]], level[going[is_better]] = there[is_better], reached[is_better]
        is_done = (promise <= TOLERANCE) & (damping[going] == 0)
        has_converged[going[is_done]] = True
        is_calm = is_better | (promise <= TOLERANCE)
        damping[going] = np.where(is_calm, _LESS, _MORE) * damping[going]
        damping[going[~is_calm]] = np.maximum(damping[going[~is_calm]], _DAMPING)
        damping[damping < _LEAST] = 0.0
        going = going[~is_done & (damping[going] < _MOST)]
        if not going.size:
            break
    return Maxima(values, level, has_converged)


def derivatives(counts: Counts, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slope of L, shape (m, n), and minus its second derivatives, shape (m, n, n)."""
    expected = counts.fixed + values @ counts.columns
    ratio = counts.observed / expected
    slope = ratio @ counts.columns.T - counts.totals - counts.weight * (values - counts.center)
    scaled = (np.sqrt(counts.observed) / expected)[:, np.newaxis, :] * counts.columns
    curvature = scaled @ np.swapaxes(scaled, 1, 2)
    numbers = np.arange(len(counts.totals))
    curvature[:, numbers, numbers] += counts.weight
    return slope, curvature


def _steps(
    values: np.ndarray,
    slope: np.ndarray,
    curvature: np.ndarray,
    held: np.ndarray,
    damping: np.ndarray,
) -> np.ndarray:
    """Damped steps of what may move: not of what is held, nor at 0 and would go below."""
    numbers = np.arange(values.shape[1])
    diagonal = curvature[:, numbers, numbers]
    may_move = ~held & ((values > 0) | (slope > 0))
    moves, is_unseen = may_move & (diagonal > 0), may_move & (diagonal <= 0)
    size = np.sqrt(np.where(moves, diagonal, 1.0))
    both = moves[:, :, np.newaxis] & moves[:, np.newaxis, :]
    matrix = np.where(both, curvature, 0.0) / (size[:, :, np.newaxis] * size[:, np.newaxis, :])
    matrix[:, numbers, numbers] = 1 + _RIDGE + damping[:, np.newaxis]
    right = np.where(moves, slope, 0.0) / size
    step = np.linalg.solve(matrix, right[:, :, np.newaxis])[:, :, 0] / size
    # what no count sees falls to 0 by its total alone
    return np.where(is_unseen, np.where(slope < 0, -values, 0.0), step)
