"""Samples of a posterior: an ensemble of walkers, evaluated together.

The moves are those of emcee (Foreman-Mackey et al. 2013, PASP 125, 306): differential evolution
(ter Braak 2006, Stat. Comput. 16, 239; with snooker updates, ter Braak and Vrugt 2008), whose
correlation times are 0.45 to 0.7 of those of stretch moves for Gaussians of 5 to 50 numbers. The
state of the random generator is part of that of the walkers, so that a chain goes on where it was
left as if it had not been.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from skyquilt.errors import SkyquiltError
from skyquilt.inference.profile import Range

LEAST_WALKERS = 8
"""Fewest walkers: a move needs three others of a quarter of them."""

_SNOOKER = 0.2  # of all moves
_ROUNDS = 100  # of draws of a start with a finite posterior
_GENERATOR = "MT19937"

LogPosterior = Callable[[np.ndarray], np.ndarray]
"""Takes points of shape (m, p), within the ranges; gives log-posteriors of shape (m,)."""


class Walkers(NamedTuple):
    """An ensemble between two steps.

    Attributes
    ----------
    x : ndarray of float64, shape (n_walker, p)
        Points.
    value : ndarray of float64, shape (n_walker,)
        Log-posterior there.
    key : ndarray of uint32, shape (624,)
        State of the random generator (Mersenne twister).
    counter : ndarray of float64, shape (3,)
        Its position, whether it holds a normal number, and that.
    """

    x: np.ndarray
    value: np.ndarray
    key: np.ndarray
    counter: np.ndarray


class Cloud(NamedTuple):
    """Where walkers start: around the best point, as wide as its errors.

    Attributes
    ----------
    x : ndarray of float64, shape (p,)
        Best point.
    covariance : ndarray of float64, shape (p, p)
        Covariance; rows that are NaN are not known.
    size : ndarray of float64, shape (p,)
        Width of numbers of which the covariance is not known.
    """

    x: np.ndarray
    covariance: np.ndarray
    size: np.ndarray


def least_walkers(n_free: int) -> int:
    """Fewest walkers that can move in a space of so many numbers."""
    return max(2 * n_free, LEAST_WALKERS)


def check_walkers(n_walker: int, n_free: int) -> None:
    """Refuse an ensemble that cannot move.

    Raises
    ------
    ValueError
        If there is nothing to sample, or the walkers are fewer than twice the free numbers.
    """
    if n_free == 0:
        raise ValueError("no number is free: there is nothing to sample")
    if n_walker < least_walkers(n_free):
        raise ValueError(
            f"{n_walker} walkers for {n_free} free numbers: at least {least_walkers(n_free)} are "
            "needed, twice the free numbers"
        )


def start_walkers(
    log_posterior: LogPosterior, cloud: Cloud, ranges: Range, n_walker: int, seed: int, number: int
) -> Walkers:
    """Draw the first points of an ensemble.

    Parameters
    ----------
    log_posterior : callable
        What is sampled.
    cloud : Cloud
        Where to start.
    ranges : Range
        Ranges of the numbers; draws beyond an end are mirrored at it.
    n_walker, seed : int
        Size of the ensemble, and what its random numbers follow from.
    number : int
        Of the ensemble: those of one seed are independent.

    Returns
    -------
    Walkers
        All with a finite posterior.

    Raises
    ------
    ValueError
        If there are too few walkers, or the posterior is not finite around the best point.
    """
    check_walkers(n_walker, cloud.x.size)
    sequence = np.random.SeedSequence(seed, spawn_key=(number,))
    random = np.random.RandomState(np.random.MT19937(sequence))
    x, value = np.tile(cloud.x, (n_walker, 1)), np.full(n_walker, -np.inf)
    bounded = _within(log_posterior, ranges)
    for _ in range(_ROUNDS):
        todo = np.flatnonzero(~np.isfinite(value))
        if not todo.size:
            break
        x[todo] = draw_around(cloud, ranges, todo.size, random)
        value[todo] = bounded(x[todo])
    if not np.all(np.isfinite(value)):
        raise ValueError("the posterior is not finite around the best fit: nothing can be sampled")
    return Walkers(x, value, *_state(random.get_state()))


def draw_around(cloud: Cloud, ranges: Range, n: int, random: np.random.RandomState) -> np.ndarray:
    """Normal numbers around the best point, shape (n, p); those beyond a range are mirrored."""
    drawn = cloud.x + random.standard_normal((n, cloud.x.size)) @ _factor(cloud).T
    return _mirror(drawn, ranges)


def walk(
    log_posterior: LogPosterior, walkers: Walkers, ranges: Range, n_step: int
) -> Iterator[Walkers]:
    """Let an ensemble walk, step by step.

    Parameters
    ----------
    log_posterior : callable
        What is sampled; NaN counts as not possible.
    walkers : Walkers
        Where it stands: at its start, or where an earlier walk was left.
    ranges : Range
        Ranges of the numbers; nothing beyond is possible.
    n_step : int
        Number of steps.

    Yields
    ------
    Walkers
        The ensemble after each step.

    Raises
    ------
    SkyquiltError
        If emcee is not installed.
    """
    emcee = import_emcee()
    check_walkers(*walkers.x.shape)
    moves = [
        (emcee.moves.DEMove(), 1 - _SNOOKER),
        (emcee.moves.DESnookerMove(), _SNOOKER),
    ]
    bounded = _within(log_posterior, ranges)
    sampler = emcee.EnsembleSampler(*walkers.x.shape, bounded, moves=moves, vectorize=True)
    position, has_normal, normal = walkers.counter
    random = _GENERATOR, walkers.key, int(position), int(has_normal), float(normal)
    state = emcee.State(walkers.x, log_prob=walkers.value, random_state=random)
    options = {"iterations": n_step, "store": False, "skip_initial_state_check": True}
    for after in sampler.sample(state, **options):
        yield Walkers(after.coords.copy(), after.log_prob.copy(), *_state(after.random_state))


def _within(log_posterior: LogPosterior, ranges: Range) -> LogPosterior:
    """The posterior within the ranges, and -inf beyond or where it is NaN."""

    def value(x: np.ndarray) -> np.ndarray:
        found = np.full(len(x), -np.inf)
        is_inside = np.all((x >= ranges.lower) & (x <= ranges.upper), axis=1)
        if np.any(is_inside):
            inner = np.asarray(log_posterior(x[is_inside]), dtype=np.float64)
            found[is_inside] = np.where(np.isnan(inner), -np.inf, inner)
        return found

    return value


def _factor(cloud: Cloud) -> np.ndarray:
    """Matrix that turns independent normal numbers into those of the cloud."""
    is_known = np.isfinite(np.diag(cloud.covariance))
    covariance = np.diag(cloud.size**2)
    covariance[np.ix_(is_known, is_known)] = cloud.covariance[np.ix_(is_known, is_known)]
    scale = np.sqrt(np.diag(covariance))
    value, vector = np.linalg.eigh(covariance / np.outer(scale, scale))
    return scale[:, np.newaxis] * vector * np.sqrt(np.maximum(value, 0.0))


def _mirror(x: np.ndarray, ranges: Range) -> np.ndarray:
    """Points beyond an end of a range as far within it, or at the other end."""
    x = np.where(x < ranges.lower, 2 * ranges.lower - x, x)
    x = np.where(x > ranges.upper, 2 * ranges.upper - x, x)
    return np.clip(x, ranges.lower, ranges.upper)


def _state(state: Any) -> tuple[np.ndarray, np.ndarray]:
    _, key, *counter = state
    return np.array(key, dtype=np.uint32), np.array(counter, dtype=np.float64)


def import_emcee() -> Any:
    """The module emcee.

    Raises
    ------
    SkyquiltError
        If it is not installed.
    """
    try:
        import emcee
    except ImportError as error:
        raise SkyquiltError(
            "samples need emcee, which is not installed: pip install 'skyquilt[sampling]'"
        ) from error
    return emcee
