"""Fluxes, errors and TS of sources at known positions."""

import logging
from typing import NamedTuple

import numpy as np

from skyquilt.fit.pixels import fit_pixels
from skyquilt.fit.position import Positions, sigma_of
from skyquilt.likelihood.fluxes import FluxesFit, connected, fit_fluxes, ts_of_each
from skyquilt.likelihood.options import FluxOptions
from skyquilt.problem.problem import FitProblem
from skyquilt.sources.joint import joint_errors
from skyquilt.sources.model import SourceCounts, correlations, source_counts_at, with_sources

logger = logging.getLogger(__name__)

LEAST_CORRELATION = 1e-3
"""Correlation below which two sources are measured apart.

The TS of one changes by less than its square, 1e-6, of the TS of the other.
"""


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
) -> tuple[Positions, Measured]:
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
    """
    directions = position.direction
    templates = source_counts_at(problem, directions)
    flux = fit_together(problem, templates, start).flux
    ts = ts_together(problem, templates, flux)
    widening, added = joint_errors(problem, directions, flux, sigma_of(position))
    fixed = np.empty((4, len(ts)))
    for number in range(len(ts)):
        over_others = with_sources(problem, templates, flux, but=number)
        here = directions[number : number + 1]
        one = fit_pixels(over_others, here, FluxOptions(confidence_level=confidence_level))
        fixed[:, number] = np.ravel((one.flux_err, one.flux_err_lo, one.flux_err_hi, one.flux_ul))
    err, err_lo, err_hi = fixed[:3] * widening
    limit = flux + widening * (fixed[3] - flux)
    npred = flux * templates.total
    measured = Measured(ts, flux, err, np.minimum(err_lo, flux), err_hi, limit, npred)
    return position._replace(covariance=position.covariance + added), measured


def ts_together(problem: FitProblem, templates: SourceCounts, flux: np.ndarray) -> np.ndarray:
    """TS of each source, the fluxes of the others fitted again without it."""
    ts = np.zeros(len(flux))
    alike = correlations(with_sources(problem, templates, flux), templates)
    for group in connected(alike > LEAST_CORRELATION):
        ts[group] = _ts_of_group(problem, templates, flux, group)
    return ts


def fit_together(problem: FitProblem, templates: SourceCounts, start: np.ndarray) -> FluxesFit:
    """Best fluxes of all sources together; a fit that does not end is a warning."""
    fit = fit_fluxes(problem.counts, problem.background, *templates, start)
    if not fit.has_converged:
        logger.warning(
            "the fluxes of %d sources have not converged after %d steps; those of sources that lie "
            "close together may be off: raise `sources.min_separation`",
            *(len(start), fit.n_iter),
        )
    return fit


def _ts_of_group(
    problem: FitProblem, templates: SourceCounts, flux: np.ndarray, group: np.ndarray
) -> np.ndarray:
    """TS of the sources of a group, all others kept as they are."""
    others = flux.copy()
    others[group] = 0
    background = with_sources(problem, templates, others).background
    rows = templates.unit_counts[group]
    seen = np.unique(rows.indices)
    return ts_of_each(
        problem.counts[seen],
        background[seen],
        rows[:, seen],
        templates.total[group],
        flux[group],
    )
