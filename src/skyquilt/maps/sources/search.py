"""Search for sources: the peaks of a map, or iteratively, strongest first.

The iterative search adds the strongest source to the background and makes the map again, until
no peak is above the threshold. Sources that look unlike to the likelihood are added in one round
and positioned at a time, and only pixels that a changed source changes are fitted again.
"""

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from skyquilt.config.sources import SourceOptions
from skyquilt.fit.pixels import fit_pixels
from skyquilt.maps.skymap import SkyMap
from skyquilt.maps.sources.measure import fit_together
from skyquilt.maps.sources.model import (
    correlations,
    most_directions,
    source_counts_at,
    with_sources,
)
from skyquilt.maps.sources.overlap import changed_pixels
from skyquilt.maps.sources.peaks import find_peaks, keep_apart
from skyquilt.maps.sources.position import Positions, refine_positions
from skyquilt.problem.problem import FitProblem
from skyquilt.sky.frames import rotate, rotation, separation
from skyquilt.sky.healpix import nest_to_vec

if TYPE_CHECKING:
    from scipy.sparse import csr_array

logger = logging.getLogger(__name__)

CANDIDATE = 0.4
"""Part of the threshold from which on a pixel is a candidate.

A source is not at the centre of its pixel, and TS is lower there: less than half of the top where
pixels are twice as wide as the point spread. Sources of such maps that lie in the corner of four
pixels can be missed.
"""

_COUPLED = 0.01  # TS that a source gives at the place of another; above, they shift each other
_APART = 1e-4  # the same, below which sources are positioned at a time: 0.01 standard errors
_CHANGED = 0.02  # change of sqrt(TS) that makes a pixel worth a fit
_SETTLED = 0.1  # largest move in standard errors that ends the sweeps over coupled positions
_MAX_SWEEPS = 5


class Search:
    """Search of a map; its state is the sources found, and the map with them in the background.

    Parameters
    ----------
    problem : FitProblem
        The problem that the map answers.
    skymap : SkyMap
        Map with a column "ts".
    options : SourceOptions
        Threshold, least separation and number of sources.
    threads : int
        Threads that fit pixels.

    Attributes
    ----------
    found : Positions
        Sources in the frame of the problem.
    flux : ndarray of float64, shape (n,)
        Their fluxes, fitted together; empty after `find_peaks`.
    """

    def __init__(
        self, problem: FitProblem, skymap: SkyMap, options: SourceOptions, threads: int = 1
    ) -> None:
        self._problem, self._options, self._threads = problem, options, threads
        self._map = replace(skymap, columns={"ts": skymap.ts.copy()})
        turn = rotation(skymap.frame, problem.frame)
        self._directions = rotate(turn, nest_to_vec(skymap.nside, skymap.ipix))
        self._pixel_size = float(np.sqrt(skymap.pixel_area))
        self._min_separation = options.min_separation or self._pixel_size
        self._is_rejected = np.zeros(skymap.ipix.size, dtype=bool)
        self.found = self._refine(problem, np.empty((0, 3)))
        self.flux = np.empty(0)
        self._templates = source_counts_at(problem, self.found.direction)
        self._background = problem.background  # that the map was fitted with

    def find_peaks(self) -> None:
        """Take all peaks of the map, strongest first, as if each were alone."""
        found = self._refine(self._problem, self._directions[self._peaks()])
        found = found.take(np.argsort(-found.ts, kind="stable"))
        is_source = self._are_sources(found)
        self.found = found.take(np.flatnonzero(is_source)[: self._options.max_sources])

    def find_iteratively(self) -> None:
        """Add sources to the background, strongest first, until no peak is a source."""
        n_round = 0
        while self._room > 0 and self._add_strongest():
            n_round += 1
            logger.info("round %d: %d sources", n_round, self.found.ts.size)
        self._settle(np.arange(self.found.ts.size), _MAX_SWEEPS)

    @property
    def is_full(self) -> bool:
        """Whether the search ended at the largest number of sources."""
        return self._room == 0

    @property
    def _room(self) -> int:
        return self._options.max_sources - self.found.ts.size

    def _peaks(self) -> np.ndarray:
        """Places of pixels that may hold a source, highest TS first."""
        place = find_peaks(self._map, CANDIDATE * self._options.threshold)
        return place[~self._is_rejected[place]]

    def _refine(
        self, problem: FitProblem, start: np.ndarray, step: np.ndarray | None = None
    ) -> Positions:
        return refine_positions(
            lambda vec: fit_pixels(problem, vec, threads=self._threads).ts,
            start,
            problem.frame,
            self._pixel_size,
            step,
        )

    def _are_sources(self, found: Positions) -> np.ndarray:
        """Which refined peaks are above the threshold and far from all sources."""
        is_strong = found.ts >= self._options.threshold
        others = self.found.direction
        is_source = np.zeros(is_strong.size, dtype=bool)
        is_source[is_strong] = keep_apart(found.direction[is_strong], self._min_separation, others)
        return is_source

    def _add_strongest(self) -> bool:
        """One round; whether there was a peak to look at."""
        problem = with_sources(self._problem, self._templates, self.flux)
        peaks = self._peaks()
        if not peaks.size:
            return False
        peaks = self._unlike(problem, peaks)
        found = self._refine(problem, self._directions[peaks])
        is_source = self._are_sources(found)
        self._is_rejected[peaks[~is_source]] = True
        if np.any(is_source):
            self._add(found.take(np.flatnonzero(is_source)[: self._room]))
        return True

    def _unlike(self, problem: FitProblem, peaks: np.ndarray) -> np.ndarray:
        """Of peaks, strongest first, those on which the stronger ones have no influence.

        A stronger peak has one if it gives some TS at the place of the weaker, or if both may be
        what is left of one source whose position is not yet right.
        """
        peaks = peaks[: most_directions(problem)]
        every = self._templates.join(source_counts_at(problem, self._directions[peaks]))
        ts, n = np.concatenate([self.found.ts, self._map.ts[peaks]]), self.found.ts.size
        given = _given(correlations(problem, every), ts)[:, n:].tocsc()
        kept: list[int] = []
        is_taken = np.zeros(ts.size, dtype=bool)  # peaks kept, and sources that these touch
        for number in range(peaks.size):
            givers = given.indices[given.indptr[number] : given.indptr[number + 1]]
            if not np.any(is_taken[givers]):
                kept.append(number)
                is_taken[givers[givers < n]] = True
                is_taken[n + number] = True
        return peaks[kept]

    def _add(self, new: Positions) -> None:
        n_before = self.found.ts.size
        self.found = self.found.join(new)
        self._templates = self._templates.join(source_counts_at(self._problem, new.direction))
        self._fit(np.concatenate([self.flux, np.zeros(new.ts.size)]))
        self._settle(np.arange(n_before, self.found.ts.size), _MAX_SWEEPS)
        self._fit_map()

    def _fit(self, start: np.ndarray) -> None:
        self.flux = fit_together(self._problem, self._templates, start).flux

    def _fit_map(self) -> None:
        """Fit the pixels that changed with all sources in the background."""
        problem = with_sources(self._problem, self._templates, self.flux)
        place = changed_pixels(
            *(problem, self._background, self._map, self._directions, self.found.direction),
            least=_CHANGED,
        )
        logger.info("%d of %d pixels are fitted again", place.size, self._map.ipix.size)
        self._map.ts[place] = fit_pixels(problem, self._directions[place], threads=self._threads).ts
        self._is_rejected[place] = False
        self._background = problem.background

    def _settle(self, numbers: np.ndarray, n_sweeps: int) -> None:
        """Position sources, and those coupled with them, each with all others in the background."""
        alike = correlations(self._problem, self._templates)
        coupling = _given(alike, self.found.ts)
        is_coupled = (coupling + coupling.T).tolil()
        is_coupled.setdiag(False)
        is_coupled = is_coupled.tocsr()
        apart = _given(alike, self.found.ts, _APART)
        is_near = (apart + apart.T).tocsr()
        todo = _linked(is_coupled, numbers)
        todo = np.union1d(todo, numbers[np.diff(is_coupled.indptr)[numbers] > 0])
        for _ in range(n_sweeps):
            if not todo.size:
                break
            before = self.found
            for some in _unlinked(is_near, todo):
                self._position(some)
            self._fit(self.flux)
            is_moving = _moves(before, self.found) >= _SETTLED
            todo = np.union1d(np.flatnonzero(is_moving), _linked(is_coupled, is_moving))

    def _position(self, numbers: np.ndarray) -> None:
        """Refine the positions of sources, each with all others in the background.

        None of them is near another, so that it makes no difference that all leave it.
        """
        problem = with_sources(self._problem, self._templates, self.flux, but=numbers)
        here = self.found.take(numbers)
        step = np.where(here.is_fitted, sigma_of(here), self._pixel_size / 2)
        refined = self._refine(problem, here.direction, step)
        is_fitted = refined.is_fitted
        refined, numbers = refined.take(np.flatnonzero(is_fitted)), numbers[is_fitted]
        self.found = self.found.put(numbers, refined)
        rows = source_counts_at(self._problem, refined.direction)
        self._templates = self._templates.put(numbers, rows)


def _given(alike: "csr_array", ts: np.ndarray, least: float = _COUPLED) -> "csr_array":
    """Whether a source (row) gives that TS at the place of another, or more."""
    from scipy.sparse import csr_array

    alike = alike.tocoo()
    row, column = alike.coords
    is_given = alike.data**2 * ts[row] >= least
    return csr_array((is_given[is_given], (row[is_given], column[is_given])), shape=alike.shape)


def _linked(links: "csr_array", numbers: np.ndarray) -> np.ndarray:
    """Sources that are linked with any of some."""
    return np.unique(links[numbers].indices)


def _unlinked(links: "csr_array", numbers: np.ndarray) -> list[np.ndarray]:
    """Sources shared out to sets in which none is linked with another."""
    share = np.full(links.shape[0], -1)
    for number in numbers:
        used = share[links.indices[links.indptr[number] : links.indptr[number + 1]]]
        share[number] = np.setdiff1d(np.arange(used.size + 1), used)[0]
    return [numbers[share[numbers] == k] for k in range(share.max() + 1)]


def sigma_of(found: Positions) -> np.ndarray:
    """Standard error along a line, the mean of both axes [deg]; NaN where there is none."""
    (east, mixed), (_, north) = np.moveaxis(found.covariance, 0, -1)
    return (east * north - mixed**2) ** 0.25


def _moves(before: Positions, after: Positions) -> np.ndarray:
    """Moves in standard errors; 0 for positions without an error."""
    return np.nan_to_num(separation(before.direction, after.direction) / sigma_of(after))
