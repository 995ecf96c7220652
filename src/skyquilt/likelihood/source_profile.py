"""Flux of one source over others that are fitted with it: errors, limits, TS, and the profile."""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from skyquilt.likelihood.concave import Counts, derivatives, log_likelihood, maximise
from skyquilt.likelihood.curve import Curve
from skyquilt.status import AT_BOUND, GOOD, NOT_CONVERGED

_REACH = np.array([0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0])  # in errors, of the first look
_FARTHER, _MOST_LOOKS = 4.0, 40


class ScanOptions(NamedTuple):
    """How a profile is scanned.

    Attributes
    ----------
    points : int
        Fluxes of the scan.
    depth : float
        What ln L loses up to the ends of the scan, if zero flux does not come first.
    confidence_level : float
        Of both limits.
    """

    points: int = 31
    depth: float = 8.0
    confidence_level: float = 0.95


class SourceFit(NamedTuple):
    """Fit of one source.

    Attributes
    ----------
    flux, flux_err : float
        Best flux, and its error from the curvature of L with all else that is free.
    flux_err_lo, flux_err_hi : float
        Distance to the fluxes at which the profile has lost 1/2; down to 0 at most.
    flux_ul : float
        Upper limit for a flat prior of fluxes of 0 or more, of the profile.
    flux_ul_profile : float
        Flux above the best at which the profile has lost what a one-sided limit asks for, 1.353
        at 95 %.
    ts : float
        Twice what ln L loses without the source, all else fitted again.
    others, others_err : ndarray of float64, shape (n - 1,)
        Best values of all else, and their errors.
    curve : Curve
        The profile.
    status : int
        GOOD, AT_BOUND, or NOT_CONVERGED.
    """

    flux: float
    flux_err: float
    flux_err_lo: float
    flux_err_hi: float
    flux_ul: float
    flux_ul_profile: float
    ts: float
    others: np.ndarray
    others_err: np.ndarray
    curve: Curve
    status: int


def fit_source(counts: Counts, start: np.ndarray, options: ScanOptions) -> SourceFit:
    """Fit the source, the first of the columns, and scan its profile.

    Parameters
    ----------
    counts : Counts
        Counts of the bins with counts, and what is expected in them; the total of the source is
        above 0.
    start : ndarray of float64, shape (n - 1,)
        Where all else begins; counts must be possible there without the source.
    options : ScanOptions
        How to scan.

    Returns
    -------
    SourceFit
        Fluxes are in units of the column.

    Examples
    --------
    >>> one = np.ones((1, 1))
    >>> counts = Counts(10 * one[0], 5 * one[0], one, one[0], one[0], 0 * one[0])
    >>> fit = fit_source(counts, np.empty(0), ScanOptions())
    >>> round(fit.flux, 6), round(fit.ts, 6)
    (5.0, 3.862944)
    """
    free = np.zeros(len(counts.totals), bool)
    top = maximise(counts, np.append(0.0, start)[np.newaxis], free)
    best = top.best[0]
    slope, curvature = (part[0] for part in derivatives(counts, top.best))
    errors = _errors(best, slope, curvature)
    scan = _Scan(counts, best, float(top.loglike[0]), start)
    zero = float(scan.curve(np.zeros(1)).loglike[0])
    flux, width = float(best[0]), _width(best, slope, curvature)
    first = _look(scan, flux, width, options.depth)
    curve = scan.curve(_nodes(first, -zero, options))
    status = AT_BOUND if flux == 0 else GOOD
    if not (top.has_converged[0] and scan.has_converged):
        status = NOT_CONVERGED
    level = -(NormalDist().inv_cdf(options.confidence_level) ** 2) / 2
    return SourceFit(
        flux=flux,
        flux_err=float(errors[0]) if flux > 0 else width,
        flux_err_lo=flux - curve.below(-0.5),
        flux_err_hi=curve.above(-0.5) - flux,
        flux_ul=curve.limit(options.confidence_level),
        flux_ul_profile=curve.above(level),
        ts=-2 * zero if flux > 0 else 0.0,
        others=best[1:],
        others_err=errors[1:],
        curve=curve,
        status=status,
    )


class _Scan:
    """The profile at any fluxes."""

    def __init__(self, counts: Counts, best: np.ndarray, level: float, start: np.ndarray):
        self._counts, self._best, self._level, self._start = counts, best, level, start
        self.has_converged = True

    def curve(self, flux: np.ndarray) -> Curve:
        """The profile at fluxes, which ascend."""
        values = np.tile(self._best, (flux.size, 1))
        values[:, 0] = flux
        is_possible = np.isfinite(log_likelihood(self._counts, values))
        values[~is_possible, 1:] = self._start
        held = np.arange(values.shape[1]) == 0
        found = maximise(self._counts, values, held)
        self.has_converged &= bool(np.all(found.has_converged))
        return Curve(flux, np.minimum(found.loglike - self._level, 0.0), found.slope[:, 0])


def _look(scan: _Scan, flux: float, width: float, depth: float) -> Curve:
    """The profile at fluxes far enough to both sides of the best one."""
    lower = flux - width * _REACH[::-1]
    upper = flux + width * np.append(0.0, _REACH)
    curve = scan.curve(np.concatenate([lower[lower > 0], upper]))
    for _ in range(_MOST_LOOKS):
        if curve.loglike[-1] <= -depth:
            break
        width *= _FARTHER
        farther = scan.curve(flux + width * _REACH[-3:])
        curve = curve.join(farther)
    return curve


def _nodes(first: Curve, zero: float, options: ScanOptions) -> np.ndarray:
    """Fluxes at equal steps of the root of what ln L loses, the best one and both ends.

    At zero flux it loses `zero`.
    """
    best = first.best
    low, high = np.sqrt(min(options.depth, zero)), np.sqrt(options.depth)
    n = options.points - 1
    n_low = 0 if first.flux[best] == 0 else min(max(round(n * low / (low + high)), 1), n - 1)
    root = np.sqrt(-first.loglike)
    upper = np.interp(np.linspace(0, high, n - n_low + 1), root[best:], first.flux[best:])
    if not n_low:
        return upper
    root, fluxes = root[best::-1], first.flux[best::-1]
    if np.isfinite(zero):
        root, fluxes = np.append(root, np.sqrt(zero)), np.append(fluxes, 0.0)
    root = np.maximum.accumulate(root)
    lower = np.interp(np.linspace(0, low, n_low + 1), root, fluxes)
    if zero <= options.depth:
        lower[-1] = 0.0
    return np.unique(np.concatenate([lower, upper]))


def _width(best: np.ndarray, slope: np.ndarray, curvature: np.ndarray) -> float:
    """Distance from the best flux at which the parabola through it has lost 1/2.

    At the bound (root(s^2 + h) - s) / h is written so that nothing cancels.
    """
    steep = max(-float(slope[0]), 0.0) if best[0] == 0 else 0.0
    is_free = best > 0
    is_free[0] = True
    inner = np.flatnonzero(is_free)[1:]
    left = float(curvature[0, 0])
    if inner.size:
        inverse = np.linalg.pinv(curvature[np.ix_(inner, inner)], hermitian=True)
        left -= float(curvature[0, inner] @ inverse @ curvature[inner, 0])
    left = max(left, 1e-12 * float(curvature[0, 0]))
    return 1 / (steep + np.sqrt(steep**2 + left))


def _errors(best: np.ndarray, slope: np.ndarray, curvature: np.ndarray) -> np.ndarray:
    """Standard errors of what is above 0; NaN of the rest."""
    errors = np.full(best.size, np.nan)
    inner = np.flatnonzero((best > 0) & (np.diag(curvature) > 0))
    size = np.sqrt(np.diag(curvature)[inner])
    scaled = curvature[np.ix_(inner, inner)] / np.outer(size, size)
    errors[inner] = np.sqrt(np.maximum(np.diag(np.linalg.pinv(scaled, hermitian=True)), 0)) / size
    return errors
