"""Test statistic and best flux of a source over a known background.

With observed counts d, background b, expected counts e for unit flux and their sum E over all
bins, with and without counts, the log-likelihood ratio of flux f is (Cash 1979, ApJ 228, 939)

    LLR(f) = sum_i d_i ln(1 + f e_i / b_i) - f E,        TS = 2 LLR at the best flux.

Bins without counts add nothing to the sum, so only hit bins are handed in. LLR is concave, and
its slope falls ever more slowly with f. Newton steps that start left of the maximum therefore
stay left of it and converge; a step from its right may fall far to the left, even where the
model is negative.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from skyquilt.status import (
    AT_BOUND,
    GOOD,
    NO_EXPOSURE,
    NOT_CONVERGED,
    NOT_FINITE,
    OCCULTED,
    STATUS_NAMES,
)

__all__ = [
    "AT_BOUND",
    "GOOD",
    "NOT_CONVERGED",
    "NOT_FINITE",
    "NO_EXPOSURE",
    "OCCULTED",
    "STATUS_NAMES",
    "FluxFit",
    "fit_flux",
    "poisson_ts",
]

MAX_ITER = 200
"""Limit of iterations. A source that outshines the background 1e8 times takes about 30."""

TOLERANCE = 1e-6
"""Newton's last step, in units of the standard error of the flux.

The step in these units is Newton's decrement. -LLR is self-concordant, so after a last step of
1e-6 the flux is within 1e-12 standard errors of its best value (Boyd and Vandenberghe 2004,
Convex Optimization, section 9.6.4) for bins of one count and more; the bound grows as the
inverse square root of the smallest positive counts.
"""

# Sums may be taken in any order, so that they use vector instructions. No flag that lets the
# compiler forget infinities and NaN.
_FAST = {"reassoc", "contract", "arcp", "nsz"}


class FluxFit(NamedTuple):
    """Best flux of each pixel; NaN where `status` is neither GOOD nor AT_BOUND.

    Attributes
    ----------
    ts : ndarray of float64, shape (n,)
        Test statistic.
    flux : ndarray of float64, shape (n,)
        Best flux, in units of the reference spectrum.
    flux_err : ndarray of float64, shape (n,)
        Standard error from the curvature of TS; at the bound, the flux at which the parabola
        through zero flux has fallen by 1.
    npred : ndarray of float64, shape (n,)
        Expected source counts in all bins, flux times total.
    n_iter : ndarray of int32, shape (n,)
        Newton steps.
    status : ndarray of uint8, shape (n,)
        How the fit ended, see `skyquilt.status`.
    """

    ts: np.ndarray
    flux: np.ndarray
    flux_err: np.ndarray
    npred: np.ndarray
    n_iter: np.ndarray
    status: np.ndarray


def poisson_ts(
    counts: np.ndarray,
    background: np.ndarray,
    unit_counts: np.ndarray,
    total: np.ndarray,
    flux: np.ndarray,
) -> np.ndarray:
    """Test statistic of a source of given flux, the module's formula.

    Parameters
    ----------
    counts, background : ndarray of float64, shape (n_hit,)
        Observed counts and expected background counts in the hit bins.
    unit_counts : ndarray of float64, shape (..., n_hit)
        Expected counts for unit flux in the hit bins.
    total : ndarray of float64, shape (...)
        Expected counts for unit flux in all bins.
    flux : ndarray of float64, shape (...)
        Flux in units of the reference spectrum.

    Returns
    -------
    ndarray of float64, shape (...)
        TS; below zero where the source makes the data less probable.

    Examples
    --------
    >>> counts, background, unit_counts = np.array([10.0]), np.array([5.0]), np.array([1.0])
    >>> round(float(poisson_ts(counts, background, unit_counts, total=1.0, flux=5.0)), 6)
    3.862944
    """
    ratio = np.asarray(flux)[..., np.newaxis] * unit_counts / background
    return 2 * (np.sum(counts * np.log1p(ratio), axis=-1) - flux * np.asarray(total))


def fit_flux(
    counts: np.ndarray,
    background: np.ndarray,
    unit_counts: np.ndarray,
    total: np.ndarray,
    status: np.ndarray | None = None,
    *,
    allow_negative: bool = False,
) -> FluxFit:
    """Fit the flux of a source in each of a block of pixels.

    Parameters
    ----------
    counts, background : ndarray of float64, shape (n_hit,)
        Observed counts, not negative, and expected background counts, above zero.
    unit_counts : ndarray of float64, shape (n, n_hit)
        Expected counts for unit flux in the hit bins.
    total : ndarray of float64, shape (n,)
        Expected counts for unit flux in all bins.
    status : ndarray of uint8, shape (n,), optional
        Pixels that are not GOOD are not fitted and keep their status.
    allow_negative : bool
        Fit below zero too, where the model stays positive in all bins that have counts.

    Returns
    -------
    FluxFit
        One value per pixel.

    Raises
    ------
    ValueError
        If counts or background are not finite, counts negative, background not above zero, or
        shapes do not fit.

    Examples
    --------
    >>> fit = fit_flux(np.array([10.0]), np.array([5.0]), np.array([[1.0]]), np.array([1.0]))
    >>> round(float(fit.flux[0]), 9), round(float(fit.ts[0]), 6), int(fit.status[0])
    (5.0, 3.862944, 0)
    """
    counts, background, unit_counts, total = (
        np.ascontiguousarray(values, dtype=np.float64)
        for values in (counts, background, unit_counts, total)
    )
    _check_counts(counts, background)
    n = len(total)
    if unit_counts.shape != (n, counts.size):
        raise ValueError(f"unit_counts {unit_counts.shape}, expected {(n, counts.size)}.")
    status = np.full(n, GOOD, np.uint8) if status is None else status.astype(np.uint8)
    ts, flux, flux_err, npred = (np.full(n, np.nan) for _ in range(4))
    fit = FluxFit(ts, flux, flux_err, npred, np.zeros(n, np.int32), status)
    _fit_block(counts, background, unit_counts, total, allow_negative, *fit)
    return fit


def _check_counts(counts: np.ndarray, background: np.ndarray) -> None:
    if counts.shape != background.shape:
        raise ValueError(f"counts {counts.shape} and background {background.shape} differ.")
    for what, values, is_good, allowed in (
        ("counts", counts, counts >= 0, "0 or more"),
        ("background", background, background > 0, "above 0"),
    ):
        wrong = np.flatnonzero(~(is_good & np.isfinite(values)))
        if wrong.size:
            raise ValueError(
                f"{what} {values[wrong[0]]} in hit bin {wrong[0]}: allowed is {allowed}, finite."
            )


@njit(cache=True, nogil=True, error_model="numpy")
def _fit_block(
    counts,
    background,
    unit_counts,
    total,
    allow_negative,
    ts,
    flux,
    flux_err,
    npred,
    n_iter,
    status,
):
    """Fit the pixels that are GOOD so far; the last six arrays are filled."""
    for n in range(len(total)):
        if status[n] != GOOD:
            continue
        e, E = unit_counts[n], total[n]
        slope, curvature = _derivatives(counts, background, e, E, 0.0)
        status[n] = _status_at_zero(e, E, slope, curvature, allow_negative)
        if status[n] == AT_BOUND:
            ts[n], flux[n], npred[n] = 0.0, 0.0, 0.0
            flux_err[n] = _error_at_bound(slope, curvature)
        if status[n] != GOOD:
            continue
        bound = -1 / _steepest(counts, background, e) if slope < 0 else -math.inf
        f, curvature, n_iter[n], is_done = _newton(
            counts, background, e, E, slope, curvature, bound
        )
        if not is_done:
            status[n] = NOT_CONVERGED
            continue
        flux[n], npred[n], flux_err[n] = f, f * E, 1 / math.sqrt(curvature)
        # TS at the maximum is not below TS(0) = 0; rounding can be
        ts[n] = max(0.0, 2 * (_log_sum(counts, background, e, f) - f * E))


@njit(cache=True, nogil=True, error_model="numpy")
def _status_at_zero(e, E, slope, curvature, allow_negative):
    """Status of a pixel that needs no iteration, GOOD for the others."""
    if not (math.isfinite(slope) and math.isfinite(curvature)) or _has_negative(e) or E < 0:
        return NOT_FINITE
    if E == 0:
        return NO_EXPOSURE
    # without curvature no hit bin sees the source: LLR = -f E has no maximum below zero either
    if slope <= 0 and (curvature == 0 or not allow_negative):
        return AT_BOUND
    return GOOD


@njit(cache=True, nogil=True, error_model="numpy")
def _newton(counts, background, e, E, slope, curvature, bound):
    """Best flux, curvature there, number of steps, and whether they converged."""
    f = 0.0
    for n_iter in range(1, MAX_ITER + 1):
        step = slope / curvature
        is_last = abs(step) * math.sqrt(curvature) < TOLERANCE
        # a step from the right can pass the bound; half the way to it stays in the domain
        f = f + step if f + step > bound else 0.5 * (f + bound)
        slope, curvature = _derivatives(counts, background, e, E, f)
        if is_last:
            return f, curvature, n_iter, True
    return f, curvature, MAX_ITER, False


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _derivatives(counts, background, e, E, f):
    """First derivative of LLR, and the second with its sign changed."""
    slope, curvature = 0.0, 0.0
    for i in range(counts.size):
        ratio = e[i] / (background[i] + f * e[i])
        weighted = counts[i] * ratio
        slope += weighted
        curvature += weighted * ratio
    return slope - E, curvature


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def _log_sum(counts, background, e, f):
    total = 0.0
    for i in range(counts.size):
        total += counts[i] * math.log1p(f * e[i] / background[i])
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _steepest(counts, background, e):
    """Largest e / b of the bins with counts."""
    steepest = 0.0
    for i in range(counts.size):
        if counts[i] > 0:
            steepest = max(steepest, e[i] / background[i])
    return steepest


@njit(cache=True, nogil=True)
def _has_negative(e):
    n_negative = 0
    for i in range(e.size):
        n_negative += e[i] < 0
    return n_negative > 0


@njit(cache=True, nogil=True)
def _error_at_bound(slope, curvature):
    """Flux at which 2 slope f - curvature f^2 = -1, in a form without cancellation."""
    return 1 / (math.sqrt(slope * slope + curvature) - slope)
