"""Fluxes, errors and TS of sources at known positions."""

from typing import NamedTuple

import numpy as np

from skyquilt.fit.pixels import fit_pixels
from skyquilt.fit.position import Positions, sigma_of
from skyquilt.inference.covariance import covariance
from skyquilt.likelihood.groups import disjoint_sets
from skyquilt.likelihood.options import FluxOptions
from skyquilt.problem.problem import FitProblem
from skyquilt.sources.fluxes import fit_fluxes
from skyquilt.sources.joint import Moves, fit_jointly
from skyquilt.sources.links import NO_TS, correlations, given_ts
from skyquilt.sources.model import source_counts_at, with_sources


class Measured(NamedTuple):
    """Fluxes of sources.

    Attributes
    ----------
    ts : ndarray of float64, shape (n,)
        Twice the log-likelihood that is lost without the source.
    flux, flux_err : ndarray of float64, shape (n,)
        Best flux and its standard error, in units of the reference spectrum.
    flux_err_lo, flux_err_hi : ndarray of float64, shape (n,)
        Distance from the best flux to the lower and higher one at which TS has fallen by 1; down
        to zero flux where that comes first.
    flux_ul : ndarray of float64, shape (n,)
        Upper limit; NaN, as the two before, without a confidence level.
    npred : ndarray of float64, shape (n,)
        Expected counts of the source in all bins.
    """

    ts: np.ndarray
    flux: np.ndarray
    flux_err: np.ndarray
    flux_err_lo: np.ndarray
    flux_err_hi: np.ndarray
    flux_ul: np.ndarray
    npred: np.ndarray


def measure_alone(
    problem: FitProblem, directions: np.ndarray, confidence_level: float | None
) -> Measured:
    """Measure each source over the background alone, as if there were no others."""
    fit = fit_pixels(problem, directions, FluxOptions(confidence_level=confidence_level))
    return Measured(**{name: getattr(fit, name) for name in Measured._fields})


def measure_together(
    problem: FitProblem, position: Positions, start: np.ndarray, confidence_level: float | None
) -> tuple[Positions, Measured, np.ndarray]:
    """Measure all sources together, so that none takes counts of another.

    Fluxes are the best of all together, and `flux_err` is from the inverse of all second
    derivatives, positions included. TS compares with a fit of the others without the source.
    Errors to both sides and limits are those with the others fixed, widened as much as `flux_err`
    is; what not knowing the others adds to the errors of positions is added to them.

    Parameters
    ----------
    problem : FitProblem
        The problem, without sources in its background.
    position : Positions
        Positions in its frame, with the errors that they have when the others are known.
    start : ndarray of float64, shape (n,)
        Fluxes to start from.
    confidence_level : float or None
        Of upper limits; without it there are neither limits nor errors to both sides.

    Returns
    -------
    position : Positions
        The same, with the errors that they have.
    measured : Measured
        One value per source.
    is_degenerate : ndarray of bool, shape (n,)
        Sources of which a combination of fluxes and positions is not determined: their errors are
        those with the others known.
    """
    directions = position.direction
    flux, ts, groups = fit_fluxes(problem, directions, start)
    widening, added, is_degenerate = _joint_errors(problem, position, flux, groups)
    counts = source_counts_at(problem, directions)
    alike = correlations(with_sources(problem, counts, flux), counts)
    fixed = np.empty((4, len(ts)))
    for some in disjoint_sets(given_ts(alike, ts, NO_TS), np.arange(len(ts))):
        over_others = with_sources(problem, counts, flux, but=some)
        fit = fit_pixels(
            over_others, directions[some], FluxOptions(confidence_level=confidence_level)
        )
        fixed[:, some] = fit.flux_err, fit.flux_err_lo, fit.flux_err_hi, fit.flux_ul
    err, err_lo, err_hi = fixed[:3] * widening
    limit = flux + widening * (fixed[3] - flux)
    npred = flux * counts.total
    measured = Measured(ts, flux, err, np.minimum(err_lo, flux), err_hi, limit, npred)
    return position._replace(covariance=position.covariance + added), measured, is_degenerate


def _joint_errors(
    problem: FitProblem, position: Positions, flux: np.ndarray, groups: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What not knowing the other sources adds to the errors of each.

    Returns
    -------
    widening : ndarray of float64, shape (n,)
        Standard error of the flux over that with all else known; 1 or more.
    covariance : ndarray of float64, shape (n, 2, 2)
        Covariance of the position, east and north, less that with the others known [deg2].
    is_degenerate : ndarray of bool, shape (n,)
        Whether there is no such error.
    """
    is_degenerate = np.zeros(len(flux), dtype=bool)
    widening, added = np.ones(len(flux)), np.zeros((len(flux), 2, 2))
    sigma = sigma_of(position)
    is_fitted = np.isfinite(sigma) & (flux > 0)
    is_free = np.column_stack([flux > 0, is_fitted, is_fitted])
    moves = Moves(180.0, lambda *_: np.zeros(0, bool), np.where(is_fitted, sigma, 1.0))
    here = fit_jointly(problem, position.direction, flux, groups, moves=moves, tolerance=np.inf)
    for group, whole in zip(groups, here.curvature, strict=True):
        free = is_free[group].ravel()
        curvature = whole[: free.size, : free.size]
        matrix = covariance(curvature, free).matrix
        for member, number in enumerate(group):
            own = slice(3 * member, 3 * member + 3)
            is_degenerate[number] = np.any(np.isnan(np.diag(matrix)[own][is_free[number]]))
            variance = matrix[own, own][0, 0] * curvature[own, own][0, 0]
            widening[number] = np.sqrt(np.fmax(variance, 1.0))
            if is_fitted[number]:
                alone = covariance(curvature[own, own], free[own]).matrix
                added[number] = np.nan_to_num(matrix[own, own] - alone)[1:, 1:]
    return widening, added, is_degenerate
