"""Test statistic and best flux of a source over a known background.

With observed counts d, background b, expected counts e for unit flux and their sum E over all
bins, with and without counts, the log-likelihood ratio of flux f is (Cash 1979, ApJ 228, 939)

    LLR(f) = sum_i d_i ln(1 + f e_i / b_i) - f E,        TS = 2 LLR at the best flux.

Bins without counts add nothing to the sum, so only hit bins are handed in. LLR is concave, and
its slope is a Stieltjes function of f: the continued fraction that has the same first four
derivatives lies below it (Baker and Graves-Morris 1996, Pade Approximants, section 5.2). Steps to
the root of that fraction therefore never pass the maximum, and converge from zero flux; see
native/climb.c.
"""

from typing import NamedTuple

import numpy as np

from skyquilt.likelihood.checks import check_background_total, check_counts, check_entries
from skyquilt.native import FitOptions, kernels
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
    "fit_flux_rows",
    "fit_flux_sparse",
    "poisson_ts",
]

MAX_ITER = 100
"""Limit of steps. Sources take 1 to 4, such as outshine the background 1e8 times about 10."""

TOLERANCE = 1e-3
"""Last step, in units of the standard error of the flux.

A step of size s leaves an error of s^4, as the first term that it neglects is
``sum_i d_i r_i^5 step^4``, which is at most ``(r step)^3 step`` times the curvature, and no
``r step`` is above s for bins of one count and more. So the flux is within 1e-12 standard errors
of its best value, and its error within 4e-9 of itself; the bounds grow as the smallest positive
counts to the power of -3/2.
"""


class FluxFit(NamedTuple):
    """Best flux of each pixel; NaN where `status` is neither GOOD nor AT_BOUND.

    Attributes
    ----------
    ts : ndarray of float64, shape (n,)
        Test statistic.
    flux : ndarray of float64, shape (n,)
        Best flux, in units of the reference spectrum.
    flux_err : ndarray of float64, shape (n,)
        Standard error from the curvature of TS; at the bound, the distance at which the parabola
        through it has fallen by 1.
    flux_err_lo, flux_err_hi : ndarray of float64, shape (n,)
        Distance from the best flux to the lower and higher one at which TS has fallen by 1. Down
        to the bound where that comes first: zero flux, or the lowest that is allowed below it.
    flux_ul : ndarray of float64, shape (n,)
        Upper limit: fluxes of 0 and more are below it with the asked posterior probability, for a
        flat prior.
    npred : ndarray of float64, shape (n,)
        Expected source counts in all bins, flux times total.
    background_norm : ndarray of float64, shape (n,)
        Factor on the background at the best flux; NaN where the background is fixed.
    n_iter : ndarray of int32, shape (n,)
        Steps.
    status : ndarray of uint8, shape (n,)
        How the fit ended, see `skyquilt.status`.
    template : ndarray of uint8, shape (n,)
        Number of the best spectrum; 0 where there is but one.
    """

    ts: np.ndarray
    flux: np.ndarray
    flux_err: np.ndarray
    flux_err_lo: np.ndarray
    flux_err_hi: np.ndarray
    flux_ul: np.ndarray
    npred: np.ndarray
    background_norm: np.ndarray
    n_iter: np.ndarray
    status: np.ndarray
    template: np.ndarray


_GROUP = 16  # pixels that fit_rows may add up together, GROUP of rows.c
_N_RESULTS = len(FluxFit._fields) - 3  # rows that the kernels fill, in this order


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
    confidence_level: float | None = None,
    background_total: float | None = None,
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
        Fit below zero too, as long as the model is not negative in any of these bins, with counts
        or without: all bins that a source may be seen in must be handed in, or the fit takes more
        than there is from those that are not. AT_BOUND where a bin ends up with nothing.
    confidence_level : float, optional
        Of the upper limit. Without it there are neither limits nor errors to both sides: they are
        NaN.
    background_total : float, optional
        Expected background counts in all bins. With it, a common factor on the background is
        fitted in each pixel too: TS compares the best pairs of flux and factor with and without a
        source, and errors and limits are those of the profile likelihood.

    Returns
    -------
    FluxFit
        One value per pixel.

    Raises
    ------
    ValueError
        If counts or background are not finite, counts negative, background not above zero, or
        shapes do not fit; if the confidence level is not within 0.5 and 1; if the background's
        total is below the sum over the hit bins, or fluxes below zero are asked for with it.

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
    check_counts(counts, background)
    n = len(total)
    if unit_counts.shape != (n, counts.size):
        raise ValueError(f"unit_counts {unit_counts.shape}, expected {(n, counts.size)}.")
    options = _options(counts, background, allow_negative, confidence_level, background_total)
    fit = _no_fit(n, status)
    kernels.fit_block(
        *(counts.size, counts, background, n, unit_counts, total),
        *(options, np.empty(_room(counts.size))),
        *fit,
    )
    return _fit_of(fit)


def fit_flux_rows(
    counts: np.ndarray,
    background: np.ndarray,
    rows: np.ndarray,
    totals: np.ndarray,
    stop: np.ndarray,
    row: np.ndarray,
    weight: np.ndarray,
    status: np.ndarray | None = None,
    *,
    allow_negative: bool = False,
    confidence_level: float | None = None,
    background_total: float | None = None,
) -> FluxFit:
    """Fit the flux of a source in each of a block of pixels that are weighted rows of a table.

    The same as `fit_flux` of their sums, which are made pixel by pixel and stay in the cache.

    Parameters
    ----------
    counts, background : ndarray of float64, shape (n_hit,)
        As in `fit_flux`.
    rows : ndarray of float32, shape (n_row, n_hit)
        Table of expected counts for unit flux, in memory or mapped, in C order.
    totals : ndarray of float64, shape (n_row,)
        The same in all bins.
    stop : ndarray of int64, shape (n,)
        End of each pixel's entries in `row` and `weight`; they start where those of the pixel
        before end.
    row : ndarray of int64, shape (m,)
        Rows of the table; others are not read.
    weight : ndarray of float64, shape (m,)
        Their weights.
    status, allow_negative, confidence_level, background_total
        As in `fit_flux`.

    Returns
    -------
    FluxFit
        One value per pixel.

    Raises
    ------
    ValueError
        As `fit_flux`, and if `stop` does not ascend to the number of entries, or there is no such
        row.

    Examples
    --------
    >>> table, totals = np.array([[1.0], [3.0]], np.float32), np.array([1.0, 3.0])
    >>> entries = np.array([2]), np.array([0, 1]), np.array([0.25, 0.25])
    >>> fit = fit_flux_rows(np.array([10.0]), np.array([5.0]), table, totals, *entries)
    >>> round(float(fit.flux[0]), 9), round(float(fit.ts[0]), 6)
    (5.0, 3.862944)
    """
    counts, background, totals, weight = (
        np.ascontiguousarray(values, dtype=np.float64)
        for values in (counts, background, totals, weight)
    )
    stop, row = (np.ascontiguousarray(values, np.int64) for values in (stop, row))
    check_counts(counts, background)
    if rows.shape != (totals.size, counts.size):
        raise ValueError(f"rows {rows.shape}, expected {(totals.size, counts.size)}.")
    check_entries(len(stop), stop, "row", row, totals.size, weight.size)
    options = _options(counts, background, allow_negative, confidence_level, background_total)
    fit = _no_fit(stop.size, status)
    kernels.fit_rows(
        *(counts.size, counts, background, rows, totals, stop.size, stop, row, weight),
        *(options, np.empty(_room(counts.size) + _GROUP * (counts.size + 8))),
        *fit,
    )
    return _fit_of(fit)


def fit_flux_sparse(
    counts: np.ndarray,
    background: np.ndarray,
    stop: np.ndarray,
    hit_bin: np.ndarray,
    unit_counts: np.ndarray,
    total: np.ndarray,
    status: np.ndarray | None = None,
    most: np.ndarray | None = None,
    *,
    allow_negative: bool = False,
    confidence_level: float | None = None,
    background_total: float | None = None,
) -> FluxFit:
    """Fit the flux of a source in each of a block of pixels that see few of the hit bins.

    A bin without an entry has expected counts of 0; it costs nothing.

    Parameters
    ----------
    counts, background : ndarray of float64, shape (n_hit,)
        As in `fit_flux`.
    stop : ndarray of int64, shape (n,)
        End of each pixel's entries in `hit_bin` and `unit_counts`; they start where those of the
        pixel before end.
    hit_bin : ndarray of int64, shape (m,)
        Numbers of hit bins, each once per pixel.
    unit_counts : ndarray of float64, shape (m,)
        Expected counts for unit flux in these bins.
    total, status, allow_negative, confidence_level, background_total
        As in `fit_flux`.
    most : ndarray of float64, shape (n,), optional
        Largest ratio of expected counts to background in bins without counts that have no number:
        it bounds fluxes below zero as the other bins do.

    Returns
    -------
    FluxFit
        One value per pixel.

    Raises
    ------
    ValueError
        As `fit_flux`, and if `stop` does not ascend to the number of entries, or there is no such
        bin.

    Examples
    --------
    >>> counts, background = np.array([10.0, 3.0]), np.array([5.0, 3.0])
    >>> stop, hit_bin, unit_counts = np.array([1, 1]), np.array([0]), np.array([1.0])
    >>> total = np.array([1.0, 1.0])
    >>> fit = fit_flux_sparse(counts, background, stop, hit_bin, unit_counts, total)
    >>> fit.flux.round(9).tolist(), fit.status.tolist()
    ([5.0, 0.0], [0, 1])
    """
    counts, background, unit_counts, total = (
        np.ascontiguousarray(values, dtype=np.float64)
        for values in (counts, background, unit_counts, total)
    )
    stop, hit_bin = (np.ascontiguousarray(values, np.int64) for values in (stop, hit_bin))
    check_counts(counts, background)
    n_entries = check_entries(len(total), stop, "hit_bin", hit_bin, counts.size, unit_counts.size)
    most = np.zeros(len(total)) if most is None else np.ascontiguousarray(most, np.float64)
    options = _options(counts, background, allow_negative, confidence_level, background_total)
    fit = _no_fit(len(total), status)
    kernels.fit_sparse(
        *(counts, background, len(total), stop, hit_bin, unit_counts, total, most),
        *(options, np.empty(_room(n_entries))),
        *fit,
    )
    return _fit_of(fit)


def _options(
    counts: np.ndarray,
    background: np.ndarray,
    allow_negative: bool,
    confidence_level: float | None,
    background_total: float | None,
) -> FitOptions:
    if confidence_level is not None and not 0.5 < confidence_level < 1:
        raise ValueError(f"confidence level {confidence_level}: allowed is above 0.5, below 1.")
    if background_total is not None:
        check_background_total(background_total, background.sum(), allow_negative)
    return FitOptions(
        allow_negative=allow_negative,
        has_limits=confidence_level is not None,
        is_free=background_total is not None,
        max_iter=MAX_ITER,
        tolerance=TOLERANCE,
        confidence_level=confidence_level or 0,
        counts_total=counts.sum(),
        background_total=background_total or 0,
    )


def _room(n_bins: int) -> int:
    """Values of space that the kernels need, FIT_ROOM of poisson.h."""
    return 5 * (n_bins + 8) + 8


def _no_fit(n: int, status: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Results, steps and status of pixels before they are fitted."""
    status = np.full(n, GOOD, np.uint8) if status is None else status.astype(np.uint8)
    return np.full((_N_RESULTS, n), np.nan), np.zeros(n, np.int32), status


def _fit_of(fit: tuple[np.ndarray, np.ndarray, np.ndarray]) -> FluxFit:
    results, n_iter, status = fit
    return FluxFit(*results, n_iter, status, np.zeros_like(status))
