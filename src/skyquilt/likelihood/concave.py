"""Profile likelihood of one flux, with other fluxes and factors on backgrounds fitted again.

With observed counts d, what is expected in any case B, and columns a_k of expected counts per unit
of parameter x_k (the source itself, its neighbours, backgrounds) with sums A_k over all bins, the
log-likelihood is, up to a constant (Cash 1979, ApJ 228, 939),

    L(x) = sum_i d_i ln(B_i + sum_k x_k a_ki) - sum_k x_k A_k - sum_k w_k (x_k - c_k)^2 / 2.

L is concave, so it has one maximum over x >= 0, also when some x are held. Newton steps that are
projected onto what is allowed reach it (Bertsekas 1982, SIAM J. Control Optim. 20, 221), damped
where L would not grow (Levenberg 1944, Q. Appl. Math. 2, 164): two parameters may have the same
column, and fewer bins may have counts than there are parameters. Only bins with counts enter the
first sum. The steps are a kernel (native/concave.c); the sums here are those of a single look.
"""

from typing import NamedTuple

import numpy as np

from skyquilt.native import ConcaveCounts, kernels


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
    slope : ndarray of float64, shape (m, n)
        Slope of L there.
    has_converged : ndarray of bool, shape (m,)
        Whether the last step promised an increase of L of less than 1e-10.
    """

    best: np.ndarray
    loglike: np.ndarray
    slope: np.ndarray
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
    (m, n), n_hit = start.shape, counts.observed.size
    values, slope = np.array(start, np.float64, order="C"), np.empty((m, n))
    loglike, has_converged = np.empty(m), np.empty(m, np.uint8)
    room = np.empty((n + 6) * (n_hit + 8) + 2 * n**2 + 5 * n + 8)
    arrays = {
        name: np.ascontiguousarray(part, np.float64) for name, part in counts._asdict().items()
    }
    native = ConcaveCounts.of(n_hit=n_hit, n=n, **arrays)
    kernels.maximise_concave(
        *(native, m, held.astype(np.uint8), values, loglike, slope, has_converged, room)
    )
    return Maxima(values, loglike, slope, has_converged.astype(bool))


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
