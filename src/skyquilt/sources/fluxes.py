"""Fluxes of sources at known positions, fitted together, and TS of each."""

import logging
from typing import NamedTuple

import numpy as np

from skyquilt.likelihood.groups import connected
from skyquilt.problem.problem import FitProblem
from skyquilt.sources.joint import fit_jointly
from skyquilt.sources.links import correlations
from skyquilt.sources.model import source_counts_at, with_sources

logger = logging.getLogger(__name__)

LEAST_CORRELATION = 1e-3
"""Correlation below which two sources are measured apart.

The TS of one changes by less than its square, 1e-6, of the TS of the other.
"""

_TOLERANCE = 1e-9  # increase of L that a step still promises: 2e-9 in TS


class Fluxes(NamedTuple):
    """Fluxes of sources fitted together.

    Attributes
    ----------
    flux : ndarray of float64, shape (n,)
        Best fluxes, 0 or more.
    ts : ndarray of float64, shape (n,)
        Twice what L loses without the source when the fluxes of the others are fitted again.
    groups : list of ndarray of int64
        Numbers of sources that depend on each other.
    """

    flux: np.ndarray
    ts: np.ndarray
    groups: list[np.ndarray]


def fit_fluxes(problem: FitProblem, direction: np.ndarray, start: np.ndarray) -> Fluxes:
    """Fit the fluxes of all sources together; a fit that does not end is a warning.

    Parameters
    ----------
    problem : FitProblem
        The problem, without sources in its background.
    direction : ndarray of float64, shape (n, 3)
        Positions in its frame.
    start : ndarray of float64, shape (n,)
        Fluxes to start from.

    Returns
    -------
    Fluxes
        L is concave in them, so that there is one maximum.
    """
    counts = source_counts_at(problem, direction)
    alike = correlations(with_sources(problem, counts, start), counts)
    groups, flux = connected(alike > LEAST_CORRELATION), np.array(start, dtype=np.float64)
    best = fit_jointly(problem, direction, flux, groups, tolerance=_TOLERANCE)
    flux[best.number] = best.flux
    if not np.all(best.has_converged):
        logger.warning(
            "the fluxes of %d sources have not converged; those of sources that lie close together "
            "may be off: raise `sources.min_separation`",
            np.count_nonzero(~best.has_converged[best.group]),
        )
    source = np.concatenate([*groups, np.empty(0, dtype=np.int64)])
    of_each = [group for group in groups for _ in group]
    others = fit_jointly(problem, direction, flux, of_each, absent=source, tolerance=_TOLERANCE)
    ts = np.zeros(flux.size)
    ts[source] = np.maximum(-2 * others.delta_loglike, 0.0)
    return Fluxes(flux, ts, groups)
