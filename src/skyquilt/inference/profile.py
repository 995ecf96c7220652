"""Profiles of a log-likelihood: its maximum over all other parameters, along one of them.

Each value of the parameter is a climb of its own that starts from the best point, shifted as the
curvature there says, so that a point of a profile does not depend on the others.
"""

from typing import NamedTuple

import numpy as np

from skyquilt.inference.arrow import Arrow
from skyquilt.inference.climb import Climb, Status, climb
from skyquilt.inference.steps import sizes, solve
from skyquilt.inference.surface import Derivatives, Surface

MAX_ROUNDS = 30
"""Limit of rounds of a search for the ends of an interval. 3 to 6 are common."""

_CLOSE = 1e-4  # of the square root of the fall at which an end is found
_FAR = 3.0  # square roots of the fall from which on halves of a range are left out
_FARTHER = 2.0  # by which a search goes on that has not fallen enough


class Range(NamedTuple):
    """Ends of the ranges of p parameters.

    Attributes
    ----------
    lower, upper : ndarray of float64, shape (p,)
        Least and largest value.
    """

    lower: np.ndarray
    upper: np.ndarray


class Profile(NamedTuple):
    """Maximum over all other parameters at n values of one.

    Attributes
    ----------
    x : ndarray of float64, shape (n, p)
        All parameters there.
    value : ndarray of float64, shape (n,)
        Log-likelihood.
    status : list of Status, length n
        How each climb ended.
    """

    x: np.ndarray
    value: np.ndarray
    status: list[Status]


class Interval(NamedTuple):
    """Where a profile has fallen by some amount, to both sides of its maximum.

    Attributes
    ----------
    low, high : float
        Values of the parameter; the end of its range where the profile does not fall so far, NaN
        where a fit did not converge.
    is_low_bound, is_high_bound : bool
        Whether this is the end of the range.
    """

    low: float
    high: float
    is_low_bound: bool
    is_high_bound: bool


def profile(
    surface: Surface,
    best: Climb,
    number: int,
    values: np.ndarray,
    ranges: Range,
    is_free: np.ndarray | None = None,
) -> Profile:
    """Fit all other parameters at given values of one.

    Parameters
    ----------
    surface : Surface
        The log-likelihood; all climbs are of its lane 0.
    best : Climb
        A single climb to its maximum.
    number : int
        Parameter.
    values : ndarray of float64, shape (n,)
        Its values.
    ranges : Range
        Ranges of all parameters.
    is_free : ndarray of bool, shape (p,), optional
        Parameters that are fitted; all if not given.

    Returns
    -------
    Profile
        One row per value.
    """
    x, p = best.x[0], best.x.shape[1]
    is_rest = np.ones(p, dtype=bool) if is_free is None else np.array(is_free)
    is_rest[number] = False
    shift = _response(best, number, is_rest & ~best.is_bound[0])
    start = x + np.outer(values - x[number], shift)
    start = np.where(is_rest, np.clip(start, ranges.lower, ranges.upper), x)
    start[:, number] = values
    start = _possible(surface, start, x, number)
    is_arrow = isinstance(best.derivatives.curvature, Arrow)  # of one point at a time
    parts = np.split(start, len(start)) if is_arrow else [start]
    ends = [_fit_rest(surface, part, ranges, is_rest) for part in parts]
    return Profile(
        np.concatenate([end.x for end in ends]),
        np.concatenate([end.value for end in ends]),
        [status for end in ends for status in end.status],
    )


def _possible(surface: Surface, start: np.ndarray, x: np.ndarray, number: int) -> np.ndarray:
    """Starts, with the other parameters as at the maximum where they are not possible."""
    value = surface.value(start, np.zeros(len(start), dtype=np.int64))
    plain = np.tile(x, (len(start), 1))
    plain[:, number] = start[:, number]
    return np.where(np.isfinite(value)[:, np.newaxis], start, plain)


def _fit_rest(surface: Surface, start: np.ndarray, ranges: Range, is_rest: np.ndarray) -> Profile:
    """Climbs with one parameter kept; one that cannot begin has not converged."""
    value = np.asarray(surface.value(start, np.zeros(len(start), dtype=np.int64)))
    found = Profile(start.copy(), value, [Status.NOT_CONVERGED] * len(start))
    rows = np.flatnonzero(np.isfinite(value))
    if rows.size:
        end = _climb_rest(surface, start[rows], ranges, is_rest)
        found.x[rows], found.value[rows] = end.x, end.value
        for row, status in zip(rows, end.status, strict=True):
            found.status[row] = status
    return found


def _climb_rest(surface: Surface, start: np.ndarray, ranges: Range, is_rest: np.ndarray) -> Climb:
    return climb(
        *(_OneLane(surface), start),
        lower=np.minimum(ranges.lower, start.min(axis=0)),
        upper=np.maximum(ranges.upper, start.max(axis=0)),
        is_free=is_rest,
    )


def interval(
    surface: Surface,
    best: Climb,
    number: int,
    ranges: Range,
    *,
    fall: float = 1.0,
    is_free: np.ndarray | None = None,
) -> Interval:
    """Where twice the log-likelihood has fallen by `fall` along one parameter, others refitted.

    Parameters
    ----------
    surface, best, number, ranges, is_free
        As in `profile`.
    fall : float
        Fall of 2 ln L: 1 for 68 %, 2.706 for 90 %, 3.841 for 95 % of one parameter.

    Returns
    -------
    Interval
        Both ends.
    """
    low_end, high_end = ranges.lower[number], ranges.upper[number]
    search = _Search(surface, best, number, ranges, is_free, np.sqrt(fall))
    low, is_low_bound = search.find(-1.0, low_end)
    high, is_high_bound = search.find(1.0, high_end)
    return Interval(low, high, is_low_bound, is_high_bound)


def upper_end(
    surface: Surface,
    best: Climb,
    number: int,
    ranges: Range,
    *,
    fall: float,
    is_free: np.ndarray | None = None,
) -> float:
    """Upper end of an interval alone: an upper limit.

    Parameters
    ----------
    surface, best, number, ranges, fall, is_free
        As in `interval`.

    Returns
    -------
    float
        The end of the range where the profile does not fall so far; NaN where a fit did not
        converge.
    """
    search = _Search(surface, best, number, ranges, is_free, np.sqrt(fall))
    return search.find(1.0, ranges.upper[number])[0]


class _Search(NamedTuple):
    """Search for the ends of an interval along one parameter."""

    surface: Surface
    best: Climb
    number: int
    ranges: Range
    is_free: np.ndarray | None
    depth: float  # square root of the fall of 2 ln L

    def find(self, side: float, end: float) -> tuple[float, bool]:
        """End of the interval to one side, and whether it is that of the range.

        The square root of the fall is nearly a straight line, so that false position finds the
        end in a few fits (Illinois rule).
        """
        centre = float(self.best.x[0, self.number])
        inner, inner_gap = centre, -self.depth
        outer = centre + side * self.depth * self._error()
        outer_gap = np.nan
        for _ in range(MAX_ROUNDS):
            outer = min(outer, end) if side > 0 else max(outer, end)
            outer_gap = self._gap(outer)
            if np.isnan(outer_gap) or outer_gap >= 0:
                break
            if outer == end:
                return end, True
            inner, inner_gap = outer, outer_gap
            outer = centre + _FARTHER * (outer - centre)
        return self._close(inner, inner_gap, outer, outer_gap), False

    def _close(self, inner: float, inner_gap: float, outer: float, outer_gap: float) -> float:
        for _ in range(MAX_ROUNDS):
            if np.isnan(outer_gap) or outer_gap < 0:
                return np.nan
            if outer_gap <= _CLOSE * self.depth:
                return outer
            part = outer_gap / (outer_gap - inner_gap)
            is_far = outer_gap > _FAR * self.depth  # where a straight line says little
            middle = outer - max(part, 0.5 * is_far) * (outer - inner)
            gap = self._gap(middle)
            if np.isnan(gap) or abs(gap) <= _CLOSE * self.depth:
                return np.nan if np.isnan(gap) else middle
            if gap < 0:
                inner, inner_gap, outer_gap = middle, gap, outer_gap
            else:
                outer, outer_gap, inner_gap = middle, gap, inner_gap / 2
        return np.nan

    def _gap(self, value: float) -> float:
        """Square root of the fall of 2 ln L at a value, less that which is looked for."""
        found = profile(
            *(self.surface, self.best, self.number, np.array([value])), self.ranges, self.is_free
        )
        if found.status[0] is Status.NOT_CONVERGED:
            return np.nan
        return float(np.sqrt(max(2 * (self.best.value[0] - found.value[0]), 0.0)) - self.depth)

    def _error(self) -> float:
        """Standard error of the parameter, the others refitted, as the curvature tells."""
        p = self.best.x.shape[1]
        is_free = np.ones(p, dtype=bool) if self.is_free is None else np.array(self.is_free)
        is_free &= ~self.best.is_bound[0]
        is_free[self.number] = True
        one = np.zeros((1, p))
        one[0, self.number] = 1.0
        derivatives = Derivatives(one, self.best.derivatives.curvature)
        size = sizes(derivatives, self.best.x, self.ranges.upper - self.ranges.lower)
        variance = solve(derivatives, size, is_free[np.newaxis], np.zeros(1))[0, self.number]
        return float(np.sqrt(max(variance, np.finfo(float).tiny)))


class _OneLane:
    """A surface whose every climb is of lane 0."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface

    def value(self, x: np.ndarray, lanes: np.ndarray) -> np.ndarray:
        return self._surface.value(x, np.zeros_like(lanes))

    def derivatives(self, x: np.ndarray, lanes: np.ndarray) -> Derivatives:
        return self._surface.derivatives(x, np.zeros_like(lanes))


def _response(best: Climb, number: int, is_rest: np.ndarray) -> np.ndarray:
    """Change of the other parameters with one of them that keeps them at their best."""
    curvature = best.derivatives.curvature
    p = is_rest.size
    one = np.eye(p)[number]
    column = curvature.times(one) if isinstance(curvature, Arrow) else curvature[0] @ one
    derivatives = Derivatives(-column[np.newaxis], curvature)
    size = sizes(derivatives, best.x, np.inf)
    return solve(derivatives, size, is_rest[np.newaxis], np.zeros(1))[0]
