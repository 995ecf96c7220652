"""Climb to the maximum of a log-likelihood by damped Newton steps, within ranges.

Levenberg (1944, Q. Appl. Math. 2, 164) and Marquardt (1963, SIAM J. 11, 431), with steps projected
onto the ranges (Bertsekas 1982, SIAM J. Control Optim. 20, 221). Several climbs go side by side,
each with its own damping; one that has arrived no longer takes part.

A step is taken where ln L rises. Near the top, ln L may be rougher than what is left to rise (bins
come into the reach of a source as it moves), and its slope, a difference, is not: there a step is
taken, too, after which less is promised than before.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from skyquilt.inference.arrow import Arrow
from skyquilt.inference.steps import promise, sizes, solve
from skyquilt.inference.surface import Derivatives, Surface

MAX_ITER = 200
"""Limit of steps. 5 to 20 are common; a curved ridge takes 50."""

TOLERANCE = 1e-6
"""Increase of ln L that a Newton step still promises when a climb ends: 0.0014 standard errors."""

_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 1e-3, 1e-9, 1e12
_LESS, _MORE, _MUCH_MORE = 0.2, 3.0, 10.0  # after a good step, a poor one, one that is not taken
_GOOD, _POOR, _ENOUGH = 0.75, 0.25, 1e-4  # increase of ln L over that promised
_ROUGH = 1e-2  # of ln L: bins that come into the reach of a source make steps of as much


Within = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Takes points where climbs are and would go, both of shape (m, p), and the numbers of the climbs,
of shape (m,); gives where they may go, with parameters that may not move as they are."""


class Status(StrEnum):
    """How a climb, or the determination of errors, ended."""

    GOOD = "good"
    AT_BOUND = "at_bound"
    """Good, with a parameter at the end of its range, or held, that would go on."""
    NOT_CONVERGED = "not_converged"
    """The limit of steps was reached, or no step rises though one is promised."""
    DEGENERATE = "degenerate"
    """A combination of parameters is not determined."""
    NO_EFFECT = "no_effect"
    """Nothing depends on a parameter."""


class Climb(NamedTuple):
    """Where n climbs ended.

    Attributes
    ----------
    x : ndarray of float64, shape (n, p)
        Parameters.
    value : ndarray of float64, shape (n,)
        Log-likelihood there, no lower than at the start but by less than 0.01 where it is rough.
    derivatives : Derivatives
        Derivatives there.
    is_bound : ndarray of bool, shape (n, p)
        Parameters at an end of their range that the slope would take beyond it, and those that
        `within` held.
    promised : ndarray of float64, shape (n,)
        Increase of ln L that a Newton step within the ranges still promises.
    n_iter : ndarray of int64, shape (n,)
        Steps tried.
    status : list of Status, length n
        Good, at_bound or not_converged.
    """

    x: np.ndarray
    value: np.ndarray
    derivatives: Derivatives
    is_bound: np.ndarray
    promised: np.ndarray
    n_iter: np.ndarray
    status: list[Status]


def climb(
    surface: Surface,
    start: np.ndarray,
    *,
    lower: np.ndarray | float = -np.inf,
    upper: np.ndarray | float = np.inf,
    is_free: np.ndarray | None = None,
    max_step: np.ndarray | float = np.inf,
    within: Within | None = None,
    tolerance: float = TOLERANCE,
    max_iter: int = MAX_ITER,
) -> Climb:
    """Climb from each start to the maximum that lies uphill.

    Parameters
    ----------
    surface : Surface
        What is climbed.
    start : ndarray of float64, shape (n, p)
        Starts of n climbs, within the ranges.
    lower, upper : ndarray of float64, shape (p,), or float
        Ends of the ranges.
    is_free : ndarray of bool, shape (n, p) or (p,), optional
        Parameters that are fitted; all if not given.
    max_step : ndarray of float64, shape (p,), or float
        Farthest that a parameter moves in one step; there may be many.
    within : callable, optional
        Holds parameters where they are that ranges cannot, see `Within`. They are let go when the
        others have moved.
    tolerance : float
        Promised increase of ln L at which a climb ends.
    max_iter : int
        Limit of steps.

    Returns
    -------
    Climb
        The ends.

    Raises
    ------
    ValueError
        If a start is outside its range, or the value or a derivative there is not finite.

    Examples
    --------
    >>> class Parabola:
    ...     def value(self, x, lanes):
    ...         return -0.5 * np.sum((x - 1) ** 2, axis=1)
    ...     def derivatives(self, x, lanes):
    ...         return Derivatives(1 - x, np.tile(np.eye(2), (len(x), 1, 1)))
    >>> end = climb(Parabola(), np.zeros((1, 2)), upper=np.array([5.0, 0.5]))
    >>> end.x.round(2).tolist(), str(end.status[0])
    ([[1.0, 0.5]], 'at_bound')
    """
    at = np.array(start, dtype=np.float64)
    climbs = _Climbs(surface, at, lower, upper, is_free, max_step, within)
    for _ in range(max_iter):
        climbs.look(tolerance)
        if not climbs.todo.size:
            break
        climbs.step()
    climbs.look(tolerance)
    return climbs.end()


class _Climbs:
    """Climbs on their way; arrays have a row per climb, `todo` numbers those that go on."""

    def __init__(
        self,
        surface: Surface,
        start: np.ndarray,
        lower: np.ndarray | float,
        upper: np.ndarray | float,
        is_free: np.ndarray | None,
        max_step: np.ndarray | float,
        within: Within | None,
    ) -> None:
        n, p = start.shape
        self._surface, self._x, self._within = surface, start, within
        self._lower, self._upper = np.broadcast_to(lower, p), np.broadcast_to(upper, p)
        self._is_free = np.broadcast_to(True if is_free is None else is_free, (n, p))
        self._check_ranges()
        self._max_step = np.minimum(max_step, self._upper - self._lower)
        self.todo = np.arange(n)
        self._value = np.array(surface.value(start, self.todo), dtype=np.float64)
        gradient, curvature = surface.derivatives(start, self.todo)
        self._derivatives = Derivatives(
            np.array(gradient), curvature if isinstance(curvature, Arrow) else np.array(curvature)
        )
        if not (np.all(np.isfinite(self._value)) and np.all(np.isfinite(gradient))):
            raise ValueError("start: the log-likelihood or its slope is not finite there.")
        self._damping = np.full(n, _DAMPING)
        self._promised = np.full(n, np.inf)
        self._has_arrived = np.zeros(n, dtype=bool)
        self._n_iter = np.zeros(n, dtype=np.int64)
        self._is_held = np.zeros((n, p), dtype=bool)

    def look(self, tolerance: float) -> None:
        """Leave out the climbs that have arrived, or that no step leads on."""
        if not self.todo.size:
            return
        here, size, can_move = self._here()
        step = self._cut(solve(here, size, can_move, np.zeros(len(size))))
        promised = np.maximum(promise(here, step), 0.0)
        slope = np.max(np.abs(here.gradient * size) * can_move, axis=1, initial=0.0)
        self._promised[self.todo] = promised
        self._has_arrived[self.todo] = (promised <= tolerance) & (slope**2 <= 2 * tolerance)
        goes_on = ~self._has_arrived[self.todo] & (self._damping[self.todo] < _MOST_DAMPING)
        self.todo = self.todo[goes_on]

    def step(self) -> None:
        """One step of each climb, taken where the log-likelihood rises enough."""
        here, size, can_move = self._here()
        x = self._x[self.todo]
        there = x + self._cut(solve(here, size, can_move, self._damping[self.todo]))
        if self._within is not None:
            wanted, there = there, self._within(x, there, self.todo)
            self._is_held[self.todo] |= there != wanted
        promised = promise(here, there - x)
        value = np.asarray(self._surface.value(there, self.todo), dtype=np.float64)
        gain = np.nan_to_num(value - self._value[self.todo], nan=-np.inf, posinf=-np.inf)
        is_taken = (gain > _ENOUGH * promised) & (promised > 0)
        is_rough = ~is_taken & (promised > 0) & (promised < _ROUGH) & (gain > -_ROUGH)
        is_taken[is_rough] = self._levels_off(self.todo[is_rough], there[is_rough])
        change = np.where(
            gain >= _GOOD * promised, _LESS, np.where(gain < _POOR * promised, _MORE, 1)
        )
        self._damping[self.todo] *= np.where(is_taken, change, _MUCH_MORE)
        np.maximum(self._damping, _LEAST_DAMPING, out=self._damping)
        self._n_iter[self.todo] += 1
        self._move(self.todo[is_taken], there[is_taken], value[is_taken])

    def _levels_off(self, lanes: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Whether a step promises less after a step than before, so that the slope may lead."""
        if not lanes.size:
            return np.zeros(0, dtype=bool)
        there = self._surface.derivatives(x, lanes)
        can_move = self._can_move(x, there.gradient) & self._is_free[lanes]
        size = sizes(there, x, self._max_step)
        step = solve(there, size, can_move, np.zeros(len(size)))
        return promise(there, step) < self._promised[lanes]

    def end(self) -> Climb:
        """Result of all climbs."""
        can_move = self._can_move(self._x, self._derivatives.gradient) & ~self._is_held
        is_bound = self._is_free & ~can_move
        status = [
            _status(has_arrived, any(bound))
            for has_arrived, bound in zip(self._has_arrived, is_bound, strict=True)
        ]
        return Climb(
            *(self._x, self._value, self._derivatives, is_bound),
            *(self._promised, self._n_iter, status),
        )

    def _check_ranges(self) -> None:
        is_outside = np.any((self._x < self._lower) | (self._x > self._upper), axis=0)
        if np.any(is_outside):
            number = int(np.argmax(is_outside))
            raise ValueError(
                f"start: parameter {number} is outside its range, {self._lower[number]:g} to "
                f"{self._upper[number]:g}."
            )

    def _here(self) -> tuple[Derivatives, np.ndarray, np.ndarray]:
        """Derivatives, sizes, and which parameters move, of the climbs that go on."""
        curvature = self._derivatives.curvature
        if not isinstance(curvature, Arrow):
            curvature = curvature[self.todo]
        here = Derivatives(self._derivatives.gradient[self.todo], curvature)
        can_move = self._can_move(self._x[self.todo], here.gradient)
        can_move &= self._is_free[self.todo] & ~self._is_held[self.todo]
        return here, sizes(here, self._x[self.todo], self._max_step), can_move

    def _can_move(self, x: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        return ~((x <= self._lower) & (gradient <= 0) | (x >= self._upper) & (gradient >= 0))

    def _cut(self, step: np.ndarray) -> np.ndarray:
        """Steps shortened to their limits and cut at the ends of the ranges."""
        with np.errstate(divide="ignore", invalid="ignore"):
            part = np.nanmin(self._max_step / np.abs(step), axis=1, initial=1.0)
        x = self._x[self.todo]
        return np.clip(x + step * part[:, np.newaxis], self._lower, self._upper) - x

    def _move(self, lanes: np.ndarray, x: np.ndarray, value: np.ndarray) -> None:
        if not lanes.size:
            return
        self._x[lanes], self._value[lanes], self._is_held[lanes] = x, value, False
        there = self._surface.derivatives(x, lanes)
        self._derivatives.gradient[lanes] = there.gradient
        held = self._derivatives.curvature
        if isinstance(held, Arrow) or isinstance(there.curvature, Arrow):
            self._derivatives = there
        else:
            held[lanes] = there.curvature


def _status(has_arrived: bool, is_bound: bool) -> Status:
    if not has_arrived:
        return Status.NOT_CONVERGED
    return Status.AT_BOUND if is_bound else Status.GOOD
