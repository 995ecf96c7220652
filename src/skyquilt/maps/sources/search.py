"""Search for sources: the peaks of a map, or iteratively, strongest first.

The iterative search adds the strongest source to the background and makes the map again, until
no peak is above the threshold. Sources that look unlike to the likelihood are added in one round,
and only pixels that see a hit bin of a changed source are fitted again.
"""

import logging
from dataclasses import replace

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
from skyquilt.maps.sources.overlap import pixels_in_view
from skyquilt.maps.sources.peaks import find_peaks, keep_apart
from skyquilt.maps.sources.position import Positions, refine_positions
from skyquilt.problem.problem import FitProblem
from skyquilt.sky.frames import rotate, rotation, separation
from skyquilt.sky.healpix import nest_to_vec

logger = logging.getLogger(__name__)

CANDIDATE = 0.4
"""Part of the threshold from which on a pixel is a candidate.

A source is not at the centre of its pixel, and TS is lower there: less than half of the top where
pixels are twice as wide as the point spread.
"""

_COUPLED = 0.01  # TS that a source gives at the place of another; above, they shift each other
_CHANGED = 0.01  # change of a flux or position in standard errors that makes pixels worth a fit
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
        self.flux, self._flux_err = np.empty(0), np.empty(0)
        self._templates = source_counts_at(problem, self.found.direction)

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
        ts = np.concatenate([self.found.ts, self._map.ts[peaks]])
        is_given = correlations(problem, every) ** 2 * ts[:, np.newaxis] >= _COUPLED
        of_sources, of_peaks = np.split(is_given[:, self.found.ts.size :], [self.found.ts.size])
        kept: list[int] = []
        is_touched = np.zeros(self.found.ts.size, dtype=bool)
        for number in range(peaks.size):
            sources = of_sources[:, number]
            if not np.any(of_peaks[kept, number]) and not np.any(is_touched & sources):
                kept.append(number)
                is_touched |= sources
        return peaks[kept]

    def _add(self, new: Positions) -> None:
        n_before = self.found.ts.size
        before, flux = self.found, self.flux
        self.found = before.join(new)
        added = source_counts_at(self._problem, new.direction)
        self._templates = self._templates.join(added)
        self._fit(np.concatenate([flux, np.zeros(new.ts.size)]))
        self._settle(np.arange(n_before, self.found.ts.size), _MAX_SWEEPS)
        moved = _moves(before, self.found.take(np.arange(n_before)))
        drift = np.abs(self.flux[:n_before] - flux) / self._flux_err[:n_before]
        is_changed = np.append((moved > _CHANGED) | (drift > _CHANGED), np.ones(new.ts.size, bool))
        self._fit_map(self.found.direction[is_changed])

    def _fit(self, start: np.ndarray) -> None:
        fit = fit_together(self._problem, self._templates, start)
        self.flux = fit.flux
        self._flux_err = 1 / np.sqrt(np.maximum(np.diag(fit.curvature), np.finfo(float).tiny))

    def _fit_map(self, changed: np.ndarray) -> None:
        """Fit the pixels that see a changed source with all sources in the background."""
        problem = with_sources(self._problem, self._templates, self.flux)
        place = pixels_in_view(problem, self._map, self._directions, changed)
        logger.info("%d of %d pixels are fitted again", place.size, self._map.ipix.size)
        self._map.ts[place] = fit_pixels(problem, self._directions[place], threads=self._threads).ts
        self._is_rejected[place] = False

    def _settle(self, numbers: np.ndarray, n_sweeps: int) -> None:
        """Position sources, and those coupled with them, each with all others in the background."""
        given = correlations(self._problem, self._templates) ** 2 * self.found.ts[:, np.newaxis]
        np.fill_diagonal(given, 0)
        is_coupled = (given >= _COUPLED) | (given.T >= _COUPLED)
        coupled = np.flatnonzero(np.any(is_coupled[numbers], axis=0))
        coupled = np.union1d(coupled, numbers[np.any(is_coupled[numbers], axis=1)])
        for _ in range(n_sweeps if coupled.size else 0):
            before = self.found
            for number in coupled:
                self._position(number)
            self._fit(self.flux)
            if np.all(_moves(before, self.found) < _SETTLED):
                break

    def _position(self, number: int) -> None:
        """Refine the position of one source with all others in the background."""
        problem = with_sources(self._problem, self._templates, self.flux, but=number)
        one = self.found.take(np.array([number]))
        step = _sigma(one) if one.is_fitted[0] else None
        refined = self._refine(problem, one.direction, step)
        if refined.is_fitted[0]:
            self.found = self.found.put(number, refined)
            row = source_counts_at(self._problem, refined.direction)
            self._templates = self._templates.put(number, row)


def _sigma(found: Positions) -> np.ndarray:
    """Standard error along a line, the mean of both axes [deg]; NaN where there is none."""
    return np.linalg.det(found.covariance) ** 0.25


def _moves(before: Positions, after: Positions) -> np.ndarray:
    """Moves in standard errors; 0 for positions without an error."""
    return np.nan_to_num(separation(before.direction, after.direction) / _sigma(after))
