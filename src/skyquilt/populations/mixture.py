"""Events of several populations: the log-likelihood of their numbers and parameters.

With densities p_k of integral 1, and N_k expected events of population k,

    ln L(N, t) = sum_i n_i ln sum_k N_k p_k(i; t) - sum_k N_k,

whose best fractions N_k / sum N are those of fixed numbers of events, and whose errors are, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from skyquilt.errors import InputError
from skyquilt.inference.surface import Derivatives
from skyquilt.populations.population import Population

_BLOCK = 1 << 20  # densities that are held at a time: 8 MB


class Parameter(NamedTuple):
    """A parameter of a population.

    Attributes
    ----------
    name : str
        "population.parameter".
    start, lower, upper : float
        Where it begins, and its range.
    """

    name: str
    start: float
    lower: float
    upper: float


@dataclass(frozen=True, eq=False)
class Mixture:
    """Populations of the same events, and how often each event was counted.

    Attributes
    ----------
    populations : tuple of Population
        All of them.
    counts : ndarray of float64, shape (n_event,)
        1 for events one by one.

    Raises
    ------
    InputError
        If an event has a density of 0 for every population.
    """

    populations: tuple[Population, ...]
    counts: np.ndarray

    def __post_init__(self):
        is_seen = np.any([one.response > 0 for one in self.populations], axis=0)
        if not np.all(is_seen):
            first = int(np.argmin(is_seen))
            raise InputError(
                f"{np.count_nonzero(~is_seen)} of {is_seen.size} events have a density of 0 for "
                f"every population, the first is number {first}: add a population that covers "
                "them, as `isotropic`, or narrow the region or the energies."
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the populations."""
        return tuple(one.name for one in self.populations)

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """Parameters of all populations, in their order."""
        return tuple(
            Parameter(f"{one.name}.{name}", start, low, high)
            for one in self.populations
            if one.curve is not None
            for name, start, low, high in zip(
                *(one.curve.free, one.curve.start, one.curve.lower, one.curve.upper), strict=True
            )
        )

    @cached_property
    def owner(self) -> np.ndarray:
        """Number of the population of each parameter."""
        return np.repeat(np.arange(len(self.populations)), [one.n_free for one in self.populations])

    def select(self, names: Sequence[str]) -> "Mixture":
        """Some of the populations, in their order here."""
        return Mixture(tuple(one for one in self.populations if one.name in names), self.counts)

    def split(self, values: np.ndarray) -> list[np.ndarray]:
        """Parameters of each population, of an array of shape (..., n_parameter)."""
        ends = np.cumsum([one.n_free for one in self.populations])[:-1]
        return np.split(values, ends, axis=-1)

    def densities(self, values: np.ndarray) -> np.ndarray:
        """Densities of all populations for one set of parameters, shape (K, n_event)."""
        own = self.split(values)
        return np.concatenate(
            [one.density(some[np.newaxis]) for one, some in zip(self.populations, own, strict=True)]
        )

    def slopes(self, values: np.ndarray) -> np.ndarray:
        """Derivatives of the logarithms of densities by the parameters, (n_parameter, n_event)."""
        own = self.split(values)
        return np.concatenate(
            [one.slopes(some) for one, some in zip(self.populations, own, strict=True)]
        )

    def log_likelihoods(self, fractions: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Log-likelihoods of fractions whose sum is 1, whatever the number of events.

        Parameters
        ----------
        fractions : ndarray of float64, shape (m, K)
            Fractions.
        values : ndarray of float64, shape (m, n_parameter)
            Parameters.

        Returns
        -------
        ndarray of float64, shape (m,)
            One per row; -inf where an event is impossible.
        """
        n, size = self.counts.size, max(_BLOCK // max(len(fractions), 1), 1)
        found = np.zeros(len(fractions))
        own = self.split(values)
        for start in range(0, n, size):
            events = slice(start, min(start + size, n))
            mixed = np.zeros((len(fractions), events.stop - start))
            for one, some, fraction in zip(self.populations, own, fractions.T, strict=True):
                mixed += fraction[:, np.newaxis] * one.density(some, events)
            with np.errstate(divide="ignore"):
                found += np.log(mixed, out=mixed) @ self.counts[events]
        return found


class ExpectedEvents:
    """Surface of the log-likelihood: expected events of each population, then parameters."""

    def __init__(self, mixture: Mixture) -> None:
        self._mixture, self._n = mixture, len(mixture.populations)

    def value(self, x: np.ndarray, lanes: np.ndarray) -> np.ndarray:
        """Log-likelihood, shape (m,)."""
        del lanes
        found = np.empty(len(x))
        for row, one in enumerate(x):
            with np.errstate(divide="ignore"):
                logs = np.log(one[: self._n] @ self._mixture.densities(one[self._n :]))
            found[row] = logs @ self._mixture.counts - one[: self._n].sum()
        return found

    def derivatives(self, x: np.ndarray, lanes: np.ndarray) -> Derivatives:
        """Derivatives; the curvature is Gauss and Newton's."""
        del lanes
        gradient, curvature = np.empty_like(x), np.empty((*x.shape, x.shape[1]))
        counts, owner = self._mixture.counts, self._mixture.owner
        for row, one in enumerate(x):
            events, values = np.split(one, [self._n])
            density = self._mixture.densities(values)
            density /= events @ density
            change = events[owner, np.newaxis] * density[owner] * self._mixture.slopes(values)
            change = np.concatenate([density, change])
            gradient[row] = change @ counts
            curvature[row] = (change * counts) @ change.T
        gradient[:, : self._n] -= 1
        return Derivatives(gradient, curvature)


class LogRatios:
    """Surface of the posterior: ln of each fraction over the last, then parameters.

    Parameters
    ----------
    mixture : Mixture
        The populations.
    alpha : ndarray of float64, shape (K,)
        Exponents of the Dirichlet prior of the fractions; 1 is a flat one. Priors of parameters are
        flat in their ranges.
    """

    def __init__(self, mixture: Mixture, alpha: np.ndarray) -> None:
        self._mixture, self._alpha, self._n = mixture, alpha, len(mixture.populations) - 1

    def value(self, x: np.ndarray, lanes: np.ndarray) -> np.ndarray:
        """Log-likelihood and prior of these coordinates, but for its norm; shape (m,)."""
        del lanes
        fractions = to_fractions(x[:, : self._n])
        with np.errstate(divide="ignore"):
            prior = np.log(fractions) @ self._alpha
        return self._mixture.log_likelihoods(fractions, x[:, self._n :]) + prior

    def derivatives(self, x: np.ndarray, lanes: np.ndarray) -> Derivatives:
        """Derivatives; the curvature is Gauss and Newton's, and that of the prior."""
        del lanes
        gradient, curvature = np.empty_like(x), np.empty((*x.shape, x.shape[1]))
        counts, owner, own = self._mixture.counts, self._mixture.owner, slice(self._n)
        for row, one in enumerate(x):
            fraction, values = to_fractions(one[np.newaxis, own])[0], one[self._n :]
            density = self._mixture.densities(values)
            density /= fraction @ density
            change = fraction[owner, np.newaxis] * density[owner] * self._mixture.slopes(values)
            ratio = fraction[own, np.newaxis] * (density[own] - 1)
            change = np.concatenate([ratio, change])
            gradient[row] = change @ counts
            curvature[row] = (change * counts) @ change.T
            f, total = fraction[own], self._alpha.sum()
            gradient[row, own] += self._alpha[own] - total * f
            curvature[row, own, own] += total * (np.diag(f) - np.outer(f, f))
        return Derivatives(gradient, curvature)


def to_fractions(log_ratios: np.ndarray) -> np.ndarray:
    """Fractions, shape (m, K), of logarithms of ratios to the last one, shape (m, K - 1).

    Examples
    --------
    >>> to_fractions(np.log([[2.0, 1.0]]))
    array([[0.5 , 0.25, 0.25]])
    """
    whole = np.column_stack([log_ratios, np.zeros(len(log_ratios))])
    whole = np.exp(whole - whole.max(axis=1, keepdims=True))
    return whole / whole.sum(axis=1, keepdims=True)
