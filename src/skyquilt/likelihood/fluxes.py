"""Fluxes of several sources fitted together.

With observed counts d, background b, and expected counts e_k for unit flux of source k with their
sum E_k over all bins, the log-likelihood of fluxes f is, up to a constant (Cash 1979, ApJ 228,
939),

    L(f) = sum_i d_i ln(b_i + sum_k f_k e_ki) - sum_k f_k E_k.

L is concave, so it has one maximum over fluxes of 0 or more, and Newton steps that are projected
onto the allowed fluxes, and shortened where L would not grow enough, reach it (Bertsekas 1982, SIAM
J. Control Optim. 20, 221). Only bins with counts enter the first sum.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from skyquilt.likelihood.groups import connected

if TYPE_CHECKING:
    from scipy.sparse import csr_array

MAX_ITER = 100
"""Limit of steps. A step that is not shortened squares the distance to the maximum; 5 to 15 are
common, with sources at zero flux among them."""

TOLERANCE = 1e-9
"""Increase of L that a step still promises when the fit ends: 2e-9 in TS."""

_ENOUGH = 1e-4  # of the promised increase, for a step to be taken (Bertsekas's sigma)
_RIDGE = 1e-12  # of the curvature, so that two sources at one position still have a step
_LINKED = 1e-3  # correlation above which two fluxes step together; less costs a step or two


class FluxesFit(NamedTuple):
    """Best fluxes of sources that are fitted together.

    Attributes
    ----------
    flux : ndarray of float64, shape (n,)
        Fluxes, 0 or more, in units of the reference spectrum.
    curvature : ndarray of float64, shape (n, n)
        Minus the second derivatives of L.
    delta_loglike : float
        L at the best fluxes less L at those where the fit began.
    n_iter : int
        Steps.
    has_converged : bool
        Whether the last step promised less than `TOLERANCE`.
    """

    flux: np.ndarray
    curvature: np.ndarray
    delta_loglike: float
    n_iter: int
    has_converged: bool


def fit_fluxes(
    counts: np.ndarray,
    background: np.ndarray,
    unit_counts: "csr_array",
    total: np.ndarray,
    start: np.ndarray,
) -> FluxesFit:
    """Fit the fluxes of several sources together.

    Parameters
    ----------
    counts, background : ndarray of float64, shape (n_hit,)
        Observed counts and expected background counts in the hit bins; where `start` adds source
        counts, the background may be 0.
    unit_counts : csr_array of float64, shape (n, n_hit)
        Expected counts for unit flux in the hit bins, per source.
    total : ndarray of float64, shape (n,)
        The same summed over all bins.
    start : ndarray of float64, shape (n,)
        Fluxes to start from, 0 or more.

    Returns
    -------
    FluxesFit
        The best fluxes.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> two = csr_array([[1.0, 0.0], [1.0, 2.0]])
    >>> counts, background = np.array([10.0, 8.0]), np.array([5.0, 5.0])
    >>> fit = fit_fluxes(counts, background, two, np.array([1.0, 3.0]), np.zeros(2))
    >>> fit.flux.round(6).tolist()
    [3.5, 1.5]
    """
    flux, delta_loglike = np.array(start, dtype=np.float64), 0.0
    expected = background + flux @ unit_counts
    curvature = np.zeros((flux.size, flux.size))
    for n_iter in range(MAX_ITER + 1):
        slope = unit_counts @ (counts / expected) - total
        curvature = _curvature(counts, expected, unit_counts)
        step = _step(flux, slope, curvature)
        if slope @ step <= TOLERANCE:
            return FluxesFit(flux, curvature, delta_loglike, n_iter, True)
        change, gain = _search(counts, expected, unit_counts, total, flux, slope, step)
        flux, expected = flux + change, expected + change @ unit_counts
        delta_loglike += gain
    return FluxesFit(flux, curvature, delta_loglike, MAX_ITER, False)


def ts_of_each(
    counts: np.ndarray,
    background: np.ndarray,
    unit_counts: "csr_array",
    total: np.ndarray,
    flux: np.ndarray,
) -> np.ndarray:
    """TS of each source: twice what L loses without it when the others are fitted again.

    Parameters
    ----------
    counts, background, unit_counts, total
        As in `fit_fluxes`.
    flux : ndarray of float64, shape (n,)
        Best fluxes.

    Returns
    -------
    ndarray of float64, shape (n,)
        TS, 0 or more.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> one = csr_array([[1.0]])
    >>> counts, background, total = np.array([10.0]), np.array([5.0]), np.array([1.0])
    >>> round(float(ts_of_each(counts, background, one, total, np.array([5.0]))[0]), 6)
    3.862944
    """
    ts = np.zeros(flux.size)
    expected = background + flux @ unit_counts
    for source in np.flatnonzero(flux):
        is_other = np.arange(flux.size) != source
        lost = np.where(is_other, 0.0, -flux)
        loss = _delta_loglike(counts, expected, lost @ unit_counts, float(total @ lost))
        others = fit_fluxes(
            counts, background, unit_counts[is_other], total[is_other], flux[is_other]
        )
        ts[source] = -2 * (loss + others.delta_loglike)
    return np.maximum(ts, 0.0)


def _curvature(counts: np.ndarray, expected: np.ndarray, unit_counts: "csr_array") -> np.ndarray:
    scaled = unit_counts * (np.sqrt(counts) / expected)
    return (scaled @ scaled.T).toarray()


def _step(flux: np.ndarray, slope: np.ndarray, curvature: np.ndarray) -> np.ndarray:
    """Newton step of the fluxes that may move: not of those at 0 that would go below.

    Sources that are hardly correlated, not even through others, are solved separately: the step
    still leads upwards, as the blocks of a positive matrix are positive.
    """
    step = np.zeros(flux.size)
    diagonal = np.diag(curvature)
    free = np.flatnonzero(((flux > 0) | (slope > 0)) & (diagonal > 0))
    least = _LINKED * np.sqrt(np.outer(diagonal[free], diagonal[free]))
    for group in connected(curvature[np.ix_(free, free)] > least):
        numbers = free[group]
        matrix = curvature[np.ix_(numbers, numbers)]
        matrix[np.diag_indices(numbers.size)] *= 1 + _RIDGE
        step[numbers] = np.linalg.solve(matrix, slope[numbers])
    return step


def _search(
    counts: np.ndarray,
    expected: np.ndarray,
    unit_counts: "csr_array",
    total: np.ndarray,
    flux: np.ndarray,
    slope: np.ndarray,
    step: np.ndarray,
) -> tuple[np.ndarray, float]:
    """Change of the fluxes along the projected step, halved until L grows enough; by how much."""
    length = 1.0
    while True:
        change = np.maximum(flux + length * step, 0.0) - flux
        gain = _delta_loglike(counts, expected, change @ unit_counts, total @ change)
        # the second test ends the search where rounding hides the increase
        if gain >= _ENOUGH * (slope @ change) or length < 1e-12:
            return change, gain
        length /= 2


def _delta_loglike(
    counts: np.ndarray, expected: np.ndarray, added: np.ndarray, added_total: float
) -> float:
    """Change of L when counts are added to the expected ones, exact for small ones."""
    return float(counts @ np.log1p(added / expected) - added_total)
