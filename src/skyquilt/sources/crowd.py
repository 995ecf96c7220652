"""Sources of a problem, fitted together: each has all others in its background.

What is listed is what makes 2 L less the threshold for each source largest: a source joins where
2 L rises by at least the threshold, and leaves where it loses less when others move and brighten in
its place. So the search ends, and a source that was put between two leaves when these are found.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from skyquilt.fit.pixels import fit_pixels
from skyquilt.fit.position import Positions, refine_positions, sigma_of
from skyquilt.likelihood.fluxes import connected
from skyquilt.problem.problem import FitProblem
from skyquilt.sky.frames import separation
from skyquilt.sources.joint import JointFit, fit_jointly
from skyquilt.sources.measure import fit_together, ts_together
from skyquilt.sources.model import correlations, source_counts_at, with_sources

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_COUPLED = 0.01  # TS that a source gives at the place of another; above, they shift each other
_APART = 1e-4  # the same, below which sources are positioned at a time: 0.01 standard errors
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
    found : Positions
        The sources, in the frame of the problem.
    flux : ndarray of float64, shape (n,)
        Their fluxes.
    templates : SourceCounts
        Their expected counts.
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
        self._threshold, self._min_separation = threshold, min_separation
        self._is_inside = is_inside
        self.found = self.refine(problem, np.empty((0, 3)))
        self.flux = np.empty(0)
        self.templates = source_counts_at(problem, self.found.direction)

    @property
    def problem(self) -> FitProblem:
        """The problem with all sources in its background."""
        return with_sources(self._problem, self.templates, self.flux)

    def refine(
        self, problem: FitProblem, start: np.ndarray, step: np.ndarray | None = None
    ) -> Positions:
        """Tops of TS near directions, each as if it were alone in a problem."""
        return refine_positions(
            lambda vec: fit_pixels(problem, vec, threads=self._threads).ts,
            start,
            problem.frame,
            self._pixel_size,
            step,
        )

    def add(self, new: Positions) -> np.ndarray:
        """Let sources join; their numbers."""
        numbers = self.flux.size + np.arange(new.ts.size)
        self.found = self.found.join(new)
        self.templates = self.templates.join(source_counts_at(self._problem, new.direction))
        self._fit_fluxes(np.concatenate([self.flux, np.zeros(new.ts.size)]))
        return numbers

    def split(self, new: Positions, most: int) -> np.ndarray:
        """Let sources join, one by one, where those around make room and that pays.

        Where one source stands for two, each of these may have less TS beside it than the
        threshold; together they raise 2 L by more.

        Parameters
        ----------
        new : Positions
            Sources that may join; none is near another.
        most : int
            Number of them that may.

        Returns
        -------
        ndarray of int64, shape (m,)
            Which did, by their numbers in `new`.
        """
        n_before = self.flux.size
        every = self.templates.join(source_counts_at(self._problem, new.direction))
        alike = (correlations(self.problem, every) >= _ALIKE)[n_before:, :n_before]
        beside = np.flatnonzero(np.diff(alike.indptr))
        flux = fit_pixels(self.problem, new.direction[beside]).flux
        joined: list[int] = []
        for number, own in zip(beside, flux, strict=True):
            if len(joined) == most:
                break
            around = _linked(alike, np.array([number]))
            if self._add_beside(new.take(np.array([number])), own, around):
                joined.append(int(number))
        return np.array(joined, dtype=np.int64)

    def keep(self, numbers: np.ndarray) -> None:
        """Let all other sources leave."""
        self.found = self.found.take(numbers)
        self.templates = self.templates.take(numbers)
        self._fit_fluxes(self.flux[numbers])

    def settle(self, numbers: np.ndarray) -> None:
        """Fit sources and those coupled with them, positions and fluxes.

        Where that moves a source by more than `_SETTLED` of its error, those around it follow.
        """
        given = given_ts(self._correlations(), self.found.ts, _COUPLED)
        is_coupled = _without_diagonal(given + given.T)
        todo = np.union1d(_linked(is_coupled, numbers), numbers)
        todo = todo[np.diff(is_coupled.indptr)[todo] > 0]
        for _ in range(_MAX_SWEEPS):
            before = self.found
            for group in connected(is_coupled[todo][:, todo]):
                self._put(todo[group], self._climb(todo[group], self.flux))
            is_moving = np.flatnonzero(_moves(before, self.found) >= _SETTLED)
            wider = np.union1d(is_moving, _linked(is_coupled, is_moving))
            if np.all(np.isin(wider, todo)):
                break
            todo = wider
        self._fit_fluxes(self.flux)

    def drop(self, numbers: np.ndarray) -> np.ndarray:
        """Let those of some sources leave, weakest first, for which others can stand in.

        Returns
        -------
        ndarray of int64, shape (m,)
            The numbers that they had.
        """
        alike = _without_diagonal(self._correlations() >= _ALIKE)
        numbers = np.union1d(numbers, _linked(alike, numbers))
        is_kept = np.ones(self.flux.size, dtype=bool)
        losses = self._losses(numbers)
        is_doubtful = (2 * losses < self._threshold) | (np.diff(alike.indptr)[numbers] > 0)
        order = np.argsort(losses, kind="stable")
        for number in numbers[order[is_doubtful[order]]]:
            around = _linked(alike, np.array([number]))
            is_kept[number] = self._is_needed(number, around[is_kept[around]])
        dropped = np.flatnonzero(~is_kept)
        if dropped.size:
            self.keep(np.flatnonzero(is_kept))
        return dropped

    def finish(self) -> None:
        """Refine all positions and their errors; the weakest leave while below the threshold."""
        while self.flux.size:
            self._refine_all()
            ts = ts_together(self._problem, self.templates, self.flux)
            weakest = np.argmin(ts)
            if ts[weakest] >= self._threshold:
                break
            self.keep(np.delete(np.arange(ts.size), weakest))

    def _add_beside(self, new: Positions, flux: float, around: np.ndarray) -> bool:
        """Add one source if those around it make room, and that pays; whether it does."""
        before = self.found, self.flux, self.templates
        self.found = self.found.join(new)
        self.flux = np.append(self.flux, flux)
        self.templates = self.templates.join(source_counts_at(self._problem, new.direction))
        numbers = np.append(around, self.flux.size - 1)
        fit = self._climb(numbers, self.flux)
        if new.ts[0] + 2 * fit.rise >= self._threshold:
            self._put(numbers, fit)
            return True
        self.found, self.flux, self.templates = before
        return False

    def _fit_fluxes(self, start: np.ndarray) -> None:
        self.flux = fit_together(self._problem, self.templates, start).flux

    def _correlations(self) -> "csr_array":
        return correlations(self.problem, self.templates)

    def _climb(self, numbers: np.ndarray, flux: np.ndarray) -> JointFit:
        """Best positions and fluxes of some sources, the others as they are."""
        problem = with_sources(self._problem, self.templates, flux, but=numbers)
        here = self.found.direction
        others = np.delete(here, np.union1d(numbers, np.flatnonzero(flux == 0)), axis=0)
        return fit_jointly(
            problem, here[numbers], flux[numbers], self._pixel_size, self._allow(others)
        )

    def _put(self, numbers: np.ndarray, fit: JointFit) -> None:
        self.flux[numbers] = fit.flux
        self.templates = self.templates.put(numbers, fit.templates)
        covariance = fit.sigma[:, np.newaxis, np.newaxis] ** 2 * np.eye(2)
        is_fitted = np.ones(numbers.size, dtype=bool)
        ts = 2 * self._losses(numbers)
        self.found = self.found.put(numbers, Positions(fit.direction, ts, covariance, is_fitted))

    def _losses(self, numbers: np.ndarray) -> np.ndarray:
        """L that is lost without each of some sources, all others as they are."""
        flux, expected = self.flux[numbers], self.problem.background
        rows = self.templates.unit_counts[numbers].tocoo()
        row, column = rows.coords
        # no less than the background, whatever the difference of two large numbers rounds to
        without = np.maximum(
            expected[column] - flux[row] * rows.data, self._problem.background[column]
        )
        logs = self._problem.counts[column] * np.log(expected[column] / without)
        lost = np.bincount(row, logs, minlength=numbers.size)
        return lost - flux * self.templates.total[numbers]

    def _is_needed(self, number: int, around: np.ndarray) -> bool:
        """Whether TS falls by the threshold without a source; if not, others take its place."""
        alone = np.array([number])
        flux, loss = self.flux.copy(), self._losses(alone)[0]
        flux[number] = 0
        fit = self._climb(around, flux) if around.size else None
        if 2 * (loss - (fit.rise if fit else 0.0)) >= self._threshold:
            return True
        self.flux = flux
        if fit:
            self._put(around, fit)
        return False

    def _allow(self, others: np.ndarray) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        """Moves that neither leave the map nor bring two sources too close."""
        from scipy.spatial import cKDTree

        least = 2 * np.sin(np.radians(min(self._min_separation, 180.0)) / 2)

        def allow(here: np.ndarray, there: np.ndarray) -> np.ndarray:
            stays = ~self._is_inside(there)
            if len(others):
                stays |= cKDTree(others).query(there)[0] < least
            while True:
                there = np.where(stays[:, np.newaxis], here, there)
                pairs = cKDTree(there).query_pairs(least, output_type="ndarray").ravel()
                if np.all(stays[pairs]):
                    return there
                stays[pairs] = True

        return allow

    def _refine_all(self) -> None:
        apart = given_ts(self._correlations(), self.found.ts, _APART)
        for some in _unlinked((apart + apart.T).tocsr(), np.arange(self.flux.size)):
            self._refine_some(some)
        self._fit_fluxes(self.flux)

    def _refine_some(self, numbers: np.ndarray) -> None:
        """Refine the positions of sources of which none is near another."""
        problem = with_sources(self._problem, self.templates, self.flux, but=numbers)
        here = self.found.take(numbers)
        step = np.where(here.is_fitted, sigma_of(here), self._pixel_size / 2)
        refined = self.refine(problem, here.direction, step)
        others = np.delete(self.found.direction, numbers, axis=0)
        there = self._allow(others)(here.direction, refined.direction)
        is_there = np.all(there == refined.direction, axis=1) & refined.is_fitted
        found = here._replace(is_fitted=is_there, covariance=np.full((numbers.size, 2, 2), np.nan))
        found = found.put(np.flatnonzero(is_there), refined.take(np.flatnonzero(is_there)))
        self.found = self.found.put(numbers, found)
        rows = source_counts_at(self._problem, found.direction)
        self.templates = self.templates.put(numbers, rows)


def given_ts(alike: "csr_array", ts: np.ndarray, least: float) -> "csr_array":
    """Whether a source (row) gives that TS at the place of another, or more."""
    from scipy.sparse import csr_array

    alike = alike.tocoo()
    row, column = alike.coords
    is_given = alike.data**2 * ts[row] >= least
    return csr_array((is_given[is_given], (row[is_given], column[is_given])), shape=alike.shape)


def _without_diagonal(links: "csr_array") -> "csr_array":
    links = links.tolil()
    links.setdiag(False)
    return links.tocsr()


def _linked(links: "csr_array", numbers: np.ndarray) -> np.ndarray:
    """Sources that are linked with any of some."""
    return np.unique(links[numbers].indices)


def _unlinked(links: "csr_array", numbers: np.ndarray) -> list[np.ndarray]:
    """Sources shared out to sets in which none is linked with another."""
    share = np.full(links.shape[0], -1)
    for number in numbers:
        used = share[links.indices[links.indptr[number] : links.indptr[number + 1]]]
        share[number] = np.setdiff1d(np.arange(used.size + 1), used)[0]
    return [numbers[share[numbers] == k] for k in range(share.max(initial=-1) + 1)]


def _moves(before: Positions, after: Positions) -> np.ndarray:
    """Moves in standard errors; 0 for positions without an error."""
    return np.nan_to_num(separation(before.direction, after.direction) / sigma_of(after))
