"""A concave log-likelihood of one flux, known at some fluxes with its slope there."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

_NODE, _WEIGHT = np.polynomial.legendre.leggauss(8)
_HALVINGS, _STEPS = 60, 8
_NEXT_TO_NOTHING = 1e-14  # of a flux
_FIELDS = ("flux", "loglike", "slope")


@dataclass(frozen=True, eq=False)
class Curve:
    """ln L at some fluxes, a cubic between two of them and straight beyond the last.

    Attributes
    ----------
    flux : ndarray of float64, shape (n,)
        Fluxes, 0 or more, ascending.
    loglike : ndarray of float64, shape (n,)
        ln L less its maximum, 0 at the best flux.
    slope : ndarray of float64, shape (n,)
        Its derivative.
    """

    flux: np.ndarray
    loglike: np.ndarray
    slope: np.ndarray

    def at(self, flux: np.ndarray) -> np.ndarray:
        """Log-likelihood less its maximum at fluxes of 0 or more.

        Examples
        --------
        >>> nodes = np.array([0.0, 1.0, 3.0])
        >>> float(Curve(nodes, -((nodes - 1) ** 2) / 2, 1 - nodes).at(np.array(2.0)))
        -0.5
        """
        flux = np.asarray(flux, np.float64)
        index = np.clip(np.searchsorted(self.flux, flux) - 1, 0, len(self.flux) - 2)
        inside = np.clip(flux, self.flux[0], self.flux[-1])
        low = self.loglike[0] + (flux - self.flux[0]) * self.slope[0]
        high = self.loglike[-1] + (flux - self.flux[-1]) * self.slope[-1]
        between = self._cubic(index, inside)
        return np.where(flux < self.flux[0], low, np.where(flux > self.flux[-1], high, between))

    def join(self, farther: "Curve") -> "Curve":
        """The same with more fluxes, all of them above its own."""
        pairs = ((getattr(one, name) for one in (self, farther)) for name in _FIELDS)
        return Curve(*(np.concatenate([*pair]) for pair in pairs))

    @property
    def best(self) -> int:
        """Number of the best of the fluxes."""
        return int(np.argmax(self.loglike))

    def above(self, level: float) -> float:
        """Flux above the best one at which ln L less its maximum is at a level below 0."""
        if self.loglike[-1] > level:
            return float(self.flux[-1] + (level - self.loglike[-1]) / self.slope[-1])
        index = self.best + int(np.argmax(self.loglike[self.best :] <= level))
        return self._bisect(index - 1, level, falls=True)

    def below(self, level: float) -> float:
        """The same below the best one; 0 where that comes first."""
        lower = self.loglike[: self.best + 1]
        if lower[0] > level:
            return 0.0
        index = int(np.flatnonzero(lower <= level)[-1])
        return self._bisect(index, level, falls=False)

    def limit(self, confidence_level: float) -> float:
        """Flux below which the flux is with some probability, for a flat prior from 0 on."""
        wanted = confidence_level * self._mass[-1]
        upto = self._mass[:-1]
        index = int(np.searchsorted(upto, wanted, side="right")) - 1
        if index < 0:
            return float(self.flux[0])
        left = wanted - upto[index]
        if index == len(self.flux) - 1:  # in the tail, which is exponential
            rate = -self.slope[-1]
            return float(self.flux[-1] - np.log1p(-left * rate / np.exp(self.loglike[-1])) / rate)
        low, high = float(self.flux[index]), float(self.flux[index + 1])
        flux = low + (high - low) * left / (self._mass[index + 1] - upto[index])
        for _ in range(_STEPS):
            over = self._integral(np.array(index), np.array(low), np.array(flux)) - left
            step = float(over) / np.exp(self._interval(index)(flux))
            flux = min(max(flux - step, low), high)
            if abs(step) <= _NEXT_TO_NOTHING * flux:
                break
        return flux

    @cached_property
    def _mass(self) -> np.ndarray:
        """Integral of L from 0 to each of the fluxes, and to all."""
        first, rate = np.exp(self.loglike[0]), self.slope[0]
        below = first * self.flux[0]
        if rate > 0:
            below = first * -np.expm1(-rate * self.flux[0]) / rate
        numbers = np.arange(len(self.flux) - 1)
        parts = self._integral(numbers, self.flux[:-1], self.flux[1:])
        tail = np.exp(self.loglike[-1]) / -self.slope[-1]
        return np.cumsum([below, *parts, tail])

    def _integral(self, index: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        half = np.asarray(high - low)[..., np.newaxis] / 2
        flux = np.asarray(low)[..., np.newaxis] + half * (1 + _NODE)
        return np.sum(half * _WEIGHT * np.exp(self._cubic(index[..., np.newaxis], flux)), axis=-1)

    def _cubic(self, index: np.ndarray, flux: np.ndarray) -> np.ndarray:
        """Cubic with both values and slopes of an interval (Hermite)."""
        step = self.flux[index + 1] - self.flux[index]
        t = (flux - self.flux[index]) / step
        chord = self.loglike[index + 1] - self.loglike[index]
        first, last = step * self.slope[index] - chord, chord - step * self.slope[index + 1]
        return self.loglike[index] + t * chord + t * (1 - t) * ((1 - t) * first + t * last)

    def _interval(self, index: int) -> Callable[[float], float]:
        """The cubic of one interval, for single fluxes."""
        low, high = float(self.flux[index]), float(self.flux[index + 1])
        left, right = float(self.loglike[index]), float(self.loglike[index + 1])
        step, chord = high - low, right - left
        first = step * float(self.slope[index]) - chord
        last = chord - step * float(self.slope[index + 1])

        def cubic(flux: float) -> float:
            t = (flux - low) / step
            return left + t * chord + t * (1 - t) * ((1 - t) * first + t * last)

        return cubic

    def _bisect(self, index: int, level: float, *, falls: bool) -> float:
        """Where ln L passes a level in an interval, in which it falls or rises."""
        low, high, cubic = (
            float(self.flux[index]),
            float(self.flux[index + 1]),
            self._interval(index),
        )
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            if (cubic(middle) > level) == falls:
                low = middle
            else:
                high = middle
        return (low + high) / 2
