"""Positions and fluxes of sources that overlap, fitted together.

With sources k of flux f_k at p_k, mu_i = b_i + sum_k f_k e_i(p_k) and counts d, the log-likelihood

    L(f, p) = sum_i d_i ln mu_i - sum_k f_k E(p_k)

is climbed in all fluxes and positions at a time (`skyquilt.inference.climb`). Its curvature is
taken as sum_i d_i (d mu_i) (d mu_i)^T / mu_i^2, which is never negative and, at the truth, what is
expected; derivatives by positions are differences of expectations. Groups of sources are climbed
side by side, each over a background that holds all others as they are.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from skyquilt.inference.climb import Status, climb
from skyquilt.inference.surface import Derivatives
from skyquilt.problem.problem import FitProblem
from skyquilt.sky.frames import rotation
from skyquilt.sky.tangent import from_tangent, tangent_axes
from skyquilt.sources.model import most_directions, source_counts_at

TOLERANCE = 5e-4
"""Increase of L that a step still promises at the end: 0.03 standard errors of a position."""

MAX_ITER = 60
"""Limit of steps. A pair that was one source at first takes 10 to 20."""

_NOWHERE = 9.0  # coordinates of what is not in the sky, far from all that is
_SIDE = 0.1  # standard errors over which differences are taken, to both sides
# differences by position: where expectations are taken, in sides, and what each counts for
_EAST, _NORTH = np.array([0.0, 1.0, -1.0, 0.0, 0.0]), np.array([0.0, 0.0, 0.0, 1.0, -1.0])
_OF, _SIGN = np.array([0, 1, 1, 2, 2]), np.array([1.0, 0.5, -0.5, 0.5, -0.5])

Allow = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Takes all directions as they are, the numbers of sources, where these are and would go; says for
each of them whether it may."""


class Moves(NamedTuple):
    """How far sources move.

    Attributes
    ----------
    max_step : float
        Farthest that a position moves in one step [deg]; there may be many.
    allow : callable
        Which moves are allowed, see `Allow`.
    sigma : ndarray of float64, shape (n,)
        Standard errors of the positions [deg], as far as they are known: derivatives are taken over
        half of them.
    """

    max_step: float
    allow: Allow
    sigma: np.ndarray


class JointFit(NamedTuple):
    """Groups of sources, each fitted together; one row for each source of each group.

    Attributes
    ----------
    group, number : ndarray of int64, shape (n,)
        The group of a row and the number of its source.
    direction : ndarray of float64, shape (n, 3)
        Best directions, in the frame of the problem.
    flux : ndarray of float64, shape (n,)
        Best fluxes, 0 or more.
    sigma : ndarray of float64, shape (n,)
        Standard errors of the positions along a line, all else known [deg]; up to 180.
    is_bound : ndarray of bool, shape (n,)
        Whether something holds the source, or its flux is 0 and would fall.
    has_converged : ndarray of bool, shape (n_group,)
        Whether the climb of a group has arrived.
    delta_loglike : ndarray of float64, shape (n_group,)
        L of each group at the end less L of all sources as they were.
    curvature : ndarray of float64, shape (n_group, p, p)
        Minus the second derivatives, three rows per source: flux, east, north [deg].
    """

    group: np.ndarray
    number: np.ndarray
    direction: np.ndarray
    flux: np.ndarray
    sigma: np.ndarray
    is_bound: np.ndarray
    has_converged: np.ndarray
    delta_loglike: np.ndarray
    curvature: np.ndarray


def fit_jointly(
    problem: FitProblem,
    direction: np.ndarray,
    flux: np.ndarray,
    groups: Sequence[np.ndarray],
    *,
    moves: Moves | None = None,
    start: np.ndarray | None = None,
    absent: np.ndarray | None = None,
    tolerance: float = TOLERANCE,
) -> JointFit:
    """Climb to the best positions and fluxes of groups of sources.

    Parameters
    ----------
    problem : FitProblem
        The problem, without sources in its background.
    direction : ndarray of float64, shape (n, 3)
        All sources, unit vectors in its frame.
    flux : ndarray of float64, shape (n,)
        Their fluxes.
    groups : sequence of ndarray of int64
        Numbers of the sources of each group. Groups share no source that moves.
    moves : Moves, optional
        How sources move; positions are known when left out.
    start : ndarray of float64, shape (n,), optional
        Fluxes from which to climb; those given when left out.
    absent : ndarray of int64, shape (n_group,), optional
        One source of each group whose flux is 0.
    tolerance : float
        Increase of L that a step still promises when a group has arrived.

    Returns
    -------
    JointFit
        The tops that were reached.
    """
    numbers = np.full((len(groups), max(map(len, groups), default=0)), -1)
    for row, group in zip(numbers, groups, strict=True):
        row[: len(group)] = group
    surface = OverlappingSources(problem, direction, flux, numbers, moves)
    is_free = numbers >= 0
    if absent is not None:
        is_free &= numbers != absent[:, np.newaxis]
    is_there = flux > 0
    is_there[numbers[numbers >= 0]], is_there[numbers[is_free]] = False, True
    surface.now[~is_there] = _NOWHERE
    n_group, size = numbers.shape
    x = np.zeros((n_group, size, surface.n_own))
    x[:, :, 0] = np.where(is_free, (flux if start is None else start)[numbers], 0.0)
    free, low = np.repeat(is_free, surface.n_own, axis=1), np.full(surface.n_own, -np.inf)
    low[0], max_step = 0.0, np.full(surface.n_own, np.inf)
    max_step[1:] = moves.max_step if moves else np.inf
    end = climb(
        *(surface, x.reshape(n_group, size * surface.n_own)),
        lower=np.tile(low, size),
        is_free=free,
        max_step=np.tile(max_step, size),
        within=surface.within if moves else None,
        tolerance=tolerance,
        max_iter=MAX_ITER,
    )
    best = surface.sources(end.x, np.arange(n_group))
    is_bound = np.any(end.is_bound.reshape(x.shape), axis=2)[best.group, best.member]
    has_converged = np.array([one != Status.NOT_CONVERGED for one in end.status], dtype=bool)
    sigma = np.minimum(surface.sigma[best.number], 180.0)
    curvature = np.asarray(end.derivatives.curvature)
    return JointFit(
        *(best.group, best.number, best.direction, best.flux, sigma, is_bound),
        *(has_converged, end.value, curvature),
    )


class _Rows(NamedTuple):
    """Sources of groups: the group, member and number of each, direction and flux."""

    group: np.ndarray
    member: np.ndarray
    number: np.ndarray
    direction: np.ndarray
    flux: np.ndarray


class OverlappingSources:
    """Log-likelihood of groups of sources, each over a background that holds all others.

    Parameters are the flux of each source and, where sources move, its position to the east and the
    north of where it was [deg]. Values are relative to that of all sources as they were.

    Parameters
    ----------
    problem, direction, flux, moves
        As of `fit_jointly`.
    numbers : ndarray of int64, shape (n_group, size)
        Sources of each group, -1 where it has fewer.
    """

    def __init__(
        self,
        problem: FitProblem,
        direction: np.ndarray,
        flux: np.ndarray,
        numbers: np.ndarray,
        moves: Moves | None,
    ) -> None:
        self._problem, self._numbers, self._moves = problem, numbers, moves
        self._here, self.now = direction, direction.copy()
        self._axes = tangent_axes(direction, rotation("icrs", problem.frame)[:, 2])
        self._max_side = moves.max_step / 4 if moves else 1.0  # [deg]
        self.sigma = moves.sigma.copy() if moves else np.ones(len(flux))
        self.n_own = 3 if moves else 1
        counts = source_counts_at(problem, direction)
        self._expected = problem.background + flux @ counts.unit_counts
        group, member = np.nonzero(numbers >= 0)
        own = counts.unit_counts[numbers[group, member]].tocoo()
        row, column = own.coords
        self._own_group, self._own_bin = group[row], column.astype(np.int64)
        self._own_counts = flux[numbers[group, member]][row] * own.data
        lost = (flux * counts.total)[numbers[group, member]]
        self._own_total = np.bincount(group, lost, minlength=len(numbers))

    def sources(self, x: np.ndarray, lanes: np.ndarray) -> _Rows:
        """Sources of some groups at points."""
        lane, member = np.nonzero(self._numbers[lanes] >= 0)
        number = self._numbers[lanes[lane], member]
        own = x.reshape(len(lanes), self._numbers.shape[1], self.n_own)[lane, member]
        direction = self._here[number]
        if self._moves:
            axes = self._axes[0][number], self._axes[1][number]
            direction = from_tangent(direction, axes, own[:, 1:2], own[:, 2:3])[:, 0]
        return _Rows(lanes[lane], member, number, direction, own[:, 0])

    def value(self, x: np.ndarray, lanes: np.ndarray) -> np.ndarray:
        """Log-likelihood of groups, shape (m,)."""
        value = np.empty(len(lanes))
        for part in self._parts(lanes):
            rows = self.sources(x[part], lanes[part])
            bins = self._bins(lanes[part], rows.group, rows.direction, rows.flux)
            growth = bins.expected / self._expected[bins.bin]
            logs = self._problem.counts[bins.bin] * np.log(growth)
            total = np.bincount(rows.group, rows.flux * bins.total, minlength=len(self._numbers))
            gain = np.bincount(bins.group, logs, minlength=len(self._numbers))
            value[part] = (gain - total + self._own_total)[lanes[part]]
        return value

    def derivatives(self, x: np.ndarray, lanes: np.ndarray) -> Derivatives:
        """Slopes and curvatures of groups; sources stand where these were taken last."""
        n_par = x.shape[1]
        gradient, curvature = np.zeros((len(lanes), n_par)), np.zeros((len(lanes), n_par, n_par))
        for part in self._parts(lanes):
            rows = self.sources(x[part], lanes[part])
            self.now[rows.number] = rows.direction
            taken = self.n_own > _OF  # the first five, or the centre
            side = np.minimum(_SIDE * self.sigma[rows.number, np.newaxis], self._max_side)
            axes = self._axes[0][rows.number], self._axes[1][rows.number]
            around = from_tangent(rows.direction, axes, _EAST[taken] * side, _NORTH[taken] * side)
            is_centre = _OF[taken] == 0
            bins = self._bins(
                *(lanes[part], np.repeat(rows.group, around.shape[1]), around.reshape(-1, 3)),
                np.where(is_centre, rows.flux[:, np.newaxis], 0.0).ravel(),
            )
            factor = np.where(is_centre, 1.0, rows.flux[:, np.newaxis] / side)
            factor = (factor * _SIGN[taken]).ravel()
            column = (self.n_own * rows.member[:, np.newaxis] + _OF[taken]).ravel()
            index = bins.entry * n_par + column[bins.row]
            change = np.bincount(
                index, factor[bins.row] * bins.unit_counts, minlength=bins.bin.size * n_par
            ).reshape(-1, n_par)
            counts = self._problem.counts[bins.bin]
            ends = np.searchsorted(bins.group, [lanes[part], lanes[part] + 1])
            for lane, first, last in zip(part, *ends, strict=True):
                own, d, m = change[first:last], counts[first:last], bins.expected[first:last]
                scaled = own * (np.sqrt(d) / m)[:, np.newaxis]
                curvature[lane] = scaled.T @ scaled
                gradient[lane] = own.T @ (d / m)
            lane = part[np.searchsorted(lanes[part], np.repeat(rows.group, around.shape[1]))]
            np.subtract.at(gradient, (lane, column), factor * bins.total)
        if self._moves:
            lane, member = np.nonzero(self._numbers[lanes] >= 0)
            flux = self.n_own * member
            east, north = (curvature[lane, flux + k, flux + k] for k in (1, 2))
            sigma = np.maximum(east * north, np.finfo(float).tiny) ** -0.25
            number = self._numbers[lanes[lane], member]
            self.sigma[number] = np.maximum(sigma, self.sigma[number] / 4)
        return Derivatives(gradient, curvature)

    def within(self, x: np.ndarray, there: np.ndarray, lanes: np.ndarray) -> np.ndarray:
        """Points with the positions held that are not allowed."""
        assert self._moves is not None
        before, after = self.sources(x, lanes), self.sources(there, lanes)
        goes = self._moves.allow(self.now, after.number, before.direction, after.direction)
        there = there.reshape(len(lanes), self._numbers.shape[1], self.n_own).copy()
        held = np.searchsorted(lanes, after.group[~goes]), after.member[~goes]
        there[*held, 1:] = x.reshape(there.shape)[*held, 1:]
        return there.reshape(x.shape)

    def _parts(self, lanes: np.ndarray) -> Iterator[np.ndarray]:
        """Groups, by their indices, so many that their expected counts fit into memory."""
        per_group = self._numbers.shape[1] * len(_OF)
        size = max(most_directions(self._problem) // max(per_group, 1), 1)
        for first in range(0, len(lanes), size):
            yield np.arange(first, min(first + size, len(lanes)))

    def _bins(
        self, lanes: np.ndarray, group: np.ndarray, direction: np.ndarray, flux: np.ndarray
    ) -> "_Bins":
        """Hit bins that groups see, with sources of some fluxes in some directions."""
        unit_counts, total = source_counts_at(self._problem, direction)
        row, column = unit_counts.tocoo().coords
        is_asked = np.zeros(len(self._numbers), dtype=bool)
        is_asked[lanes] = True
        own = is_asked[self._own_group]
        n_hit, n_own = self._problem.counts.size, np.count_nonzero(own)
        keys = self._own_group[own] * n_hit + self._own_bin[own], group[row] * n_hit + column
        key, inverse = np.unique(np.concatenate(keys), return_inverse=True)
        of_group, number = np.divmod(key, n_hit)
        own_counts = np.bincount(inverse[:n_own], self._own_counts[own], minlength=key.size)
        # no less than the background, whatever the difference of two large numbers rounds to
        others = np.maximum(self._expected[number] - own_counts, self._problem.background[number])
        added = np.bincount(inverse[n_own:], flux[row] * unit_counts.data, minlength=key.size)
        return _Bins(
            *(of_group, number, others + added, inverse[n_own:]),
            *(row, unit_counts.data, total),
        )


class _Bins(NamedTuple):
    """Hit bins that groups see.

    Attributes
    ----------
    group, bin : ndarray of int64, shape (n,)
        Each bin of each group, ascending.
    expected : ndarray of float64, shape (n,)
        What is expected there, with the sources of the group at their fluxes.
    entry, row : ndarray of int64, shape (m,)
        For each expected count, which of these it belongs to, and which direction.
    unit_counts : ndarray of float64, shape (m,)
        Expected counts for unit flux.
    total : ndarray of float64, shape (n_row,)
        Totals of the directions.
    """

    group: np.ndarray
    bin: np.ndarray
    expected: np.ndarray
    entry: np.ndarray
    row: np.ndarray
    unit_counts: np.ndarray
    total: np.ndarray
