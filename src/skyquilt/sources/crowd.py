"""Sources of a problem, fitted together: each has all others in its background.

A list is the better, the larger 2 L is less the threshold for each of its sources. A source joins
if 2 L then rises by at least the threshold. It leaves if 2 L falls by less, after the others have
moved and brightened to stand in for it. Each step makes the list better, so the search ends; a
source that was put between two real ones leaves once these are found.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from skyquilt.fit.pixels import fit_pixels
from skyquilt.fit.position import Positions, refine_positions
from skyquilt.likelihood.groups import connected, disjoint_sets, linked
from skyquilt.problem.problem import FitProblem
from skyquilt.sky.frames import separation
from skyquilt.sources.fluxes import fit_fluxes
from skyquilt.sources.joint import JointFit, Moves, fit_jointly
from skyquilt.sources.links import NO_TS, correlations, given_ts
from skyquilt.sources.model import source_counts_at, with_sources

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_COUPLED = 0.01  # TS that a source gives at the position of another; above, they shift each other
_ALIKE = 0.1  # correlation from which on a source may stand in for another: 3 widths apart
_SETTLED = 0.1  # move in standard errors from which on the sources around are fitted again
_MAX_SWEEPS = 5


class Crowd:
    """Sources of a problem, and what fits them together.

    Parameters
    ----------
    problem : FitProblem
        The problem, without sources in its background.
    pixel_size : float
        Side of a pixel of its map [deg]: farthest that a source moves in a step.
    threshold : float
        Least TS of a source.
    min_separation : float
        Least angle between two sources [deg].
    is_inside : callable
        Whether directions are in the map.
    threads : int
        Threads that fit positions.

    Attributes
    ----------
    direction : ndarray of float64, shape (n, 3)
        The sources, in the frame of the problem.
    flux : ndarray of float64, shape (n,)
        Their fluxes.
    sigma : ndarray of float64, shape (n,)
        Standard errors of their positions along a line, the others known [deg].
    is_bound : ndarray of bool, shape (n,)
        Whether the edge of the map, or another source, held them in their last fit.
    """

    def __init__(
        self,
        problem: FitProblem,
        pixel_size: float,
        threshold: float,
        min_separation: float,
        is_inside: Callable[[np.ndarray], np.ndarray],
        threads: int = 1,
    ) -> None:
        self._problem, self._pixel_size, self._threads = problem, pixel_size, threads
        self._threshold, self._is_inside = threshold, is_inside
        self._least_chord = 2 * np.sin(np.radians(min(min_separation, 180.0)) / 2)
        self.direction, self.flux = np.empty((0, 3)), np.empty(0)
        self.sigma, self.is_bound = np.empty(0), np.empty(0, dtype=bool)

    @property
    def problem(self) -> FitProblem:
        """The problem with all sources in its background."""
        return with_sources(
            self._problem, source_counts_at(self._problem, self.direction), self.flux
        )

    def refine(
        self, problem: FitProblem, start: np.ndarray, step: np.ndarray | None = None
    ) -> Positions:
        """Tops of TS near directions, each as if it were alone in a problem."""
        return refine_positions(
            lambda vec: fit_pixels(problem, vec, threads=self._threads).ts,
            *(start, problem.frame, self._pixel_size, step),
        )

    def add(self, direction: np.ndarray, flux: np.ndarray) -> np.ndarray:
        """Let sources join, as they are; their numbers."""
        n_before = self.flux.size
        self.direction = np.concatenate([self.direction, direction])
        self.flux = np.concatenate([self.flux, flux])
        self.sigma = np.append(self.sigma, np.full(len(flux), self._pixel_size / 2))
        self.is_bound = np.append(self.is_bound, np.zeros(len(flux), dtype=bool))
        return np.arange(n_before, self.flux.size)

    def split(self, direction: np.ndarray, most: int) -> np.ndarray:
        """Let sources join, where those around make room and that pays.

        Where one source stands for two, each of these may have less TS beside it than the
        threshold; together they raise 2 L by more.

        Parameters
        ----------
        direction : ndarray of float64, shape (n, 3)
            Sources that may join; none is near another.
        most : int
            Number of them that may.

        Returns
        -------
        ndarray of int64, shape (m,)
            Which did, by their numbers in `direction`.
        """
        n, problem = self.flux.size, self.problem
        every = source_counts_at(self._problem, np.concatenate([self.direction, direction]))
        alike = (correlations(problem, every) >= _ALIKE)[n:, :n].tocsr()
        beside = np.flatnonzero(np.diff(alike.indptr))
        flux, joined = fit_pixels(problem, direction).flux, np.empty(0, dtype=np.int64)
        for some in disjoint_sets(alike, beside):
            some = some[: most - joined.size]
            n = self.flux.size
            new = self.add(direction[some], np.zeros(some.size))
            groups = [
                np.append(linked(alike, one), own) for one, own in zip(some, new, strict=True)
            ]
            fit = self._fit(groups, start=np.append(self.flux[:n], flux[some]))
            pays = 2 * fit.delta_loglike >= self._threshold
            self._put(fit, pays)
            self.keep(np.append(np.arange(n), new[pays]))
            joined = np.append(joined, some[pays])
        return joined

    def keep(self, numbers: np.ndarray) -> None:
        """Let all other sources leave."""
        self.direction, self.flux = self.direction[numbers], self.flux[numbers]
        self.sigma, self.is_bound = self.sigma[numbers], self.is_bound[numbers]

    def settle(self, numbers: np.ndarray) -> None:
        """Fit sources and those coupled with them, positions and fluxes.

        Where that moves a source by more than `_SETTLED` of its error, those around it follow.
        """
        is_coupled = self.links(_COUPLED)
        todo = np.union1d(linked(is_coupled, numbers), numbers)
        for _ in range(_MAX_SWEEPS):
            before = self.direction[todo]
            groups = connected(is_coupled[todo][:, todo])
            fit = self._fit([todo[group] for group in groups])
            self._put(fit, np.ones(len(groups), dtype=bool))
            moved = separation(before, self.direction[todo])
            is_moving = todo[moved >= _SETTLED * self.sigma[todo]]
            wider = np.union1d(is_moving, linked(is_coupled, is_moving))
            if np.all(np.isin(wider, todo)):
                break
            todo = np.union1d(wider, todo)

    def drop(self, numbers: np.ndarray) -> np.ndarray:
        """Let those of some sources leave, weakest first, for which others can stand in.

        Returns
        -------
        ndarray of int64, shape (m,)
            The numbers that they had.
        """
        alike = correlations(self.problem, source_counts_at(self._problem, self.direction))
        alike = (alike >= _ALIKE).tocsr()
        numbers = np.union1d(numbers, linked(alike, numbers))
        ts = self.ts_fixed()[numbers]
        is_doubtful = (ts < self._threshold) | (np.diff(alike.indptr)[numbers] > 1)
        order = np.argsort(ts, kind="stable")
        is_kept = np.ones(self.flux.size, dtype=bool)
        for some in disjoint_sets(alike, numbers[order[is_doubtful[order]]]):
            around = [linked(alike, one) for one in some]
            fit = self._fit([group[is_kept[group]] for group in around], absent=some)
            leaves = -2 * fit.delta_loglike < self._threshold
            self._put(fit, leaves)
            is_kept[some[leaves]] = False
        if not np.all(is_kept):
            self.keep(np.flatnonzero(is_kept))
        return np.flatnonzero(~is_kept)

    def finish(self) -> Positions:
        """Refine all positions and their errors; the weakest leave while below the threshold."""
        while True:
            n = self.flux.size
            covariance, is_fitted = np.full((n, 2, 2), np.nan), np.zeros(n, dtype=bool)
            for some in disjoint_sets(self.links(NO_TS), np.arange(n)):
                counts = source_counts_at(self._problem, self.direction)
                problem = with_sources(self._problem, counts, self.flux, but=some)
                here = self.direction[some]
                step = np.minimum(self.sigma[some], self._pixel_size / 2)
                found = self.refine(problem, here, step)
                goes = found.is_fitted & self._allow(self.direction, some, here, found.direction)
                is_fitted[some], there = goes, some[goes]
                self.direction[there] = found.direction[goes]
                covariance[there] = found.covariance[goes]
            self.flux, ts, _ = fit_fluxes(self._problem, self.direction, self.flux)
            if not np.any(ts < self._threshold):
                return Positions(self.direction, ts, covariance, is_fitted)
            self.keep(np.delete(np.arange(n), np.argmin(ts)))

    def ts_fixed(self) -> np.ndarray:
        """TS of each source, all others as they are."""
        every = np.arange(self.flux.size)
        return -2 * self._fit(list(every[:, np.newaxis]), absent=every, moves=False).delta_loglike

    def links(self, least_ts: float) -> "csr_array":
        """Whether sources, of either the one at the position of the other, give so much TS."""
        counts = source_counts_at(self._problem, self.direction)
        given = given_ts(correlations(self.problem, counts), self.ts_fixed(), least_ts)
        return (given + given.T).tocsr()

    def _fit(
        self,
        groups: Sequence[np.ndarray],
        *,
        absent: np.ndarray | None = None,
        start: np.ndarray | None = None,
        moves: bool = True,
    ) -> JointFit:
        return fit_jointly(
            *(self._problem, self.direction, self.flux, groups),
            moves=Moves(self._pixel_size, self._allow, self.sigma) if moves else None,
            start=start,
            absent=absent,
        )

    def _put(self, fit: JointFit, is_better: np.ndarray) -> None:
        rows = is_better[fit.group]
        numbers = fit.number[rows]
        self.direction[numbers], self.flux[numbers] = fit.direction[rows], fit.flux[rows]
        self.sigma[numbers], self.is_bound[numbers] = fit.sigma[rows], fit.is_bound[rows]

    def _allow(
        self, every: np.ndarray, numbers: np.ndarray, here: np.ndarray, there: np.ndarray
    ) -> np.ndarray:
        """Which moves neither leave the map nor bring two sources too close."""
        from scipy.spatial import cKDTree

        stays = ~self._is_inside(there)
        near, which = cKDTree(every).query(there, k=2)
        stays |= np.any((near < self._least_chord) & (which != numbers[:, np.newaxis]), axis=1)
        while True:
            where = np.where(stays[:, np.newaxis], here, there)
            pairs = cKDTree(where).query_pairs(self._least_chord, output_type="ndarray").ravel()
            if np.all(stays[pairs]):
                return ~stays
            stays[pairs] = True
