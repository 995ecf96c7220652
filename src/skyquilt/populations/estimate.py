"""Best numbers of events and parameters of populations, with errors and TS."""

from typing import NamedTuple

import numpy as np

from skyquilt.errors import InputError
from skyquilt.inference.climb import Status, climb
from skyquilt.inference.covariance import covariance, observed_curvature
from skyquilt.populations.mixture import ExpectedEvents, Mixture

_TOLERANCE = 1e-9  # increase of ln L that a step still promises
_N_EM = 20  # steps that find the basin, whatever the start
_LEAST = 1e-3  # part of an even share that the climb begins with, at least
_ALIKE = 1 - 1e-7  # correlation of densities from which on data cannot tell populations apart


class Estimate(NamedTuple):
    """Populations at the maximum of the likelihood.

    Attributes
    ----------
    events : ndarray of float64, shape (K,)
        Events of each population; their sum is that of all events.
    fraction : ndarray of float64, shape (K,)
        The same over their sum.
    parameter : ndarray of float64, shape (n_parameter,)
        Parameters; NaN of a population without events.
    covariance : ndarray of float64, shape (K + n_parameter, K + n_parameter)
        Of events, as of Poisson numbers, and parameters; NaN where one is at a bound.
    fraction_err : ndarray of float64, shape (K,)
        Standard errors of the fractions, the number of all events given.
    ln_likelihood : float
        Of the fractions.
    ts : ndarray of float64, shape (K,)
        Twice what ln L loses without the population, the others fitted again; infinite where an
        event has a density of 0 for all others.
    status : Status
        How the fit of all ended.
    """

    events: np.ndarray
    fraction: np.ndarray
    parameter: np.ndarray
    covariance: np.ndarray
    fraction_err: np.ndarray
    ln_likelihood: float
    ts: np.ndarray
    status: Status


def estimate(mixture: Mixture) -> Estimate:
    """Maximum of the likelihood, also where populations have no events.

    Raises
    ------
    InputError
        If two populations have proportional densities.
    """
    surface, k = ExpectedEvents(mixture), len(mixture.populations)
    _check_apart(mixture)
    ranges = [(one.start, one.lower, one.upper) for one in mixture.parameters]
    start, low, high = np.array(ranges).reshape(-1, 3).T
    spared = np.flatnonzero(~_is_needed(mixture))
    is_in = np.ones((1 + spared.size, k), dtype=bool)
    is_in[1 + np.arange(spared.size), spared] = False
    x = np.array([[*_begin(mixture, start, own), *start] for own in is_in])
    lower, upper = np.append(np.zeros(k), low), np.append(np.full(k, np.inf), high)
    end = climb(
        *(surface, x),
        lower=lower,
        upper=upper,
        is_free=np.concatenate([is_in, is_in[:, mixture.owner]], axis=1),
        tolerance=_TOLERANCE,
    )
    best, n = end.x[0], mixture.counts.sum()
    events, parameter = np.split(best, [k])
    is_free = (best > lower) & (best < upper)
    is_free[k:] &= events[mixture.owner] > 0
    size = 1 / np.sqrt(np.maximum(np.diag(np.asarray(end.derivatives.curvature)[0]), 1e-300))
    found = covariance(observed_curvature(surface, best, size, lower=lower, upper=upper), is_free)
    parameter = np.where(events[mixture.owner] > 0, parameter, np.nan)
    ts = np.full(k, np.inf)
    ts[spared] = np.maximum(2 * (end.value[0] - end.value[1:]), 0.0)
    status = found.status if end.status[0] == Status.GOOD else Status(end.status[0])
    return Estimate(
        *(events, events / n, parameter, found.matrix, _fraction_errors(events, found.matrix)),
        float(end.value[0] + n - n * np.log(n)),
        *(ts, status),
    )


def _is_needed(mixture: Mixture) -> np.ndarray:
    """Whether there are events that only one population explains, for each; shape (K,)."""
    is_seen = np.array([one.response > 0 for one in mixture.populations])
    return np.any(is_seen & (is_seen.sum(axis=0) == 1), axis=1)


def _begin(mixture: Mixture, values: np.ndarray, is_in: np.ndarray) -> np.ndarray:
    """Events of each population after some steps of expectation and maximisation."""
    density, counts = mixture.densities(values), mixture.counts
    even = events = is_in * counts.sum() / max(np.count_nonzero(is_in), 1)
    for _ in range(_N_EM):
        events = events * (density @ (counts / (events @ density)))
    return np.maximum(events, _LEAST * even)


def _fraction_errors(events: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Errors of fractions, by what events change them."""
    k, n = events.size, events.sum()
    jacobian = (np.eye(k) - (events / n)[:, np.newaxis]) / n
    known = np.nan_to_num(matrix[:k, :k])
    error = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", jacobian, known, jacobian), 0))
    return np.where(np.isnan(np.diag(matrix)[:k]), np.nan, error)


def _check_apart(mixture: Mixture) -> None:
    """Refuse populations that the data cannot tell from each other, whatever their numbers."""
    starts = np.array([one.start for one in mixture.parameters])
    density = mixture.densities(starts)
    scaled = density / density.mean(axis=0) * np.sqrt(mixture.counts)
    scaled /= np.linalg.norm(scaled, axis=1, keepdims=True)
    alike = scaled @ scaled.T
    for one, other in zip(*np.triu_indices(len(alike), 1), strict=True):
        if alike[one, other] > _ALIKE:
            names = mixture.names[one], mixture.names[other]
            raise InputError(
                f"populations {names[0]} and {names[1]} have the same density at every event "
                f"(correlation {alike[one, other]:.9f}): no data tell them apart; leave one out."
            )
