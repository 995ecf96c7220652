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

from skyquilt.blocks import Block
from skyquilt.blocks.lists import PixelFits
from skyquilt.likelihood.checks import check_background_total, check_counts
from skyquilt.likelihood.options import DEFAULT, FluxOptions
from skyquilt.native import KernelOptions
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
"""Limit of steps. Sources take 1 to 4; those that outshine the background 1e8 times, about 10."""

TOLERANCE = 1e-3
"""Last step, in units of the standard error of the flux.

A step of size s leaves an error of about s^4. The first term that it neglects is
``sum_i d_i r_i^5 step^4``. This is at most ``(r step)^3 step`` times the curvature, where r is the
largest of the r_i. In bins of one count or more, ``r step`` is s at most. So the flux is within
1e-12 standard errors of its best value, and its error within 4e-9 of itself; the bounds grow as
the smallest positive counts to the power of -3/2.
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
    block: Block,
    options: FluxOptions = DEFAULT,
    *,
    background_total: float | None = None,
    most: np.ndarray | None = None,
) -> FluxFit:
    """Fit the flux of a source in each of a block of pixels.

    Parameters
    ----------
    counts, background : ndarray of float64, shape (n_hit,)
        Observed counts, not negative, and expected background counts, above zero.
    block : Block
        Expected counts for unit flux of n pixels, dense, sparse, or rows of a table: the kind makes
        no difference but in time. Pixels that are not GOOD are not fitted and keep their status.
    options : FluxOptions
        What is fitted.
    background_total : float, optional
        Expected background counts in all bins; it counts where the background is free.
    most : ndarray of float64, shape (n,), optional
        Largest ratio of expected counts to background in bins without counts that have no number,
        for sparse blocks: it bounds fluxes below zero as the other bins do.

    Returns
    -------
    FluxFit
        One value per pixel.

    Raises
    ------
    ValueError
        If counts or background are not finite, counts negative, background not above zero, shapes
        do not fit, or entries of the block do not; if the background is free, and its total is not
        known or below the sum over the hit bins.

    Examples
    --------
    >>> from skyquilt.blocks import DenseBlock
    >>> block = DenseBlock(np.array([[1.0]]), np.array([1.0]), np.array([GOOD]))
    >>> fit = fit_flux(np.array([10.0]), np.array([5.0]), block)
    >>> round(float(fit.flux[0]), 9), round(float(fit.ts[0]), 6), int(fit.status[0])
    (5.0, 3.862944, 0)
    """
    counts, background = (
        np.ascontiguousarray(values, dtype=np.float64) for values in (counts, background)
    )
    check_counts(counts, background)
    settings = _settings(counts, background, options, background_total)
    n = len(block.status)
    status = np.array(block.status, dtype=np.uint8)
    fits = PixelFits(np.full((_N_RESULTS, n), np.nan), np.zeros(n, np.int32), status)
    block.fit(counts, background, settings, most, fits)
    return FluxFit._make([*fits.results, fits.n_iter, status, np.zeros_like(status)])


def _settings(
    counts: np.ndarray, background: np.ndarray, options: FluxOptions, background_total: float | None
) -> KernelOptions:
    """The options as the kernels read them."""
    total = 0.0
    if options.free_background:
        total = check_background_total(background_total, background.sum())
    return KernelOptions(
        allow_negative=options.allow_negative,
        has_limits=options.has_limits,
        is_free=options.free_background,
        max_iter=MAX_ITER,
        tolerance=TOLERANCE,
        confidence_level=options.confidence_level or 0,
        counts_total=counts.sum(),
        background_total=total,
    )
