"""Test statistic and best flux of a source over a known background.

With observed counts d, background b, expected counts e for unit flux and their sum E over all
bins, with and without counts, the log-likelihood ratio of flux f is (Cash 1979, ApJ 228, 939)

    LLR(f) = sum_i d_i ln(1 + f e_i / b_i) - f E,        TS = 2 LLR at the best flux.

Bins without counts add nothing to the sum, so only hit bins are handed in. LLR is concave, and
its slope is a Stieltjes function of f: the continued fraction that has the same first four
derivatives lies below it (Baker and Graves-Morris 1996, Pade Approximants, section 5.2). Steps to
the root of that fraction therefore never pass the maximum, and converge from zero flux; see
native/poisson.c.
"""

from typing import NamedTuple

import numpy as np

from skyquilt.native import kernels
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
        Standard error from the curvature of TS; at the bound, the flux at which the parabola
        through zero flux has fallen by 1.
    npred : ndarray of float64, shape (n,)
        Expected source counts in all bins, flux times total.
    n_iter : ndarray of int32, shape (n,)
        Steps.
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
    results, n_iter = np.full((4, n), np.nan), np.zeros(n, np.int32)
    room = np.empty(4 * (counts.size + 8) + 8)
    kernels.fit_block(
        *(counts.size, counts, background, n, unit_counts, total),
        *(allow_negative, TOLERANCE, MAX_ITER),
        *(room, results, n_iter, status),
    )
    return FluxFit(*results, n_iter, status)


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
