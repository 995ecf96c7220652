"""Search for sources: the peaks of a map, or iteratively, strongest first.

The iterative search adds the strongest source to the background and makes the map again, until
no peak is above the threshold. Sources that look unlike to the likelihood are added in one round,
and only pixels that a changed source changes are fitted again.
"""

import logging
from dataclasses import replace

import numpy as np

from skyquilt.config.sources import SourceOptions
from skyquilt.fit.pixels import fit_pixels
from skyquilt.fit.position import Positions
from skyquilt.maps.peaks import find_peaks, keep_apart, touches_ts
from skyquilt.maps.skymap import SkyMap
from skyquilt.problem.problem import FitProblem
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.healpix import nest_to_vec, vec_to_nest
from skyquilt.sources.crowd import Crowd
from skyquilt.sources.links import correlations, given_ts
from skyquilt.sources.model import most_directions, source_counts_at
from skyquilt.sources.overlap import changed_pixels

logger = logging.getLogger(__name__)

CANDIDATE = 0.2
"""Part of the threshold from which on a pixel is a candidate.

A source is not at the centre of its pixel, and TS is lower there: a fifth of the top in the corner
of pixels that are 2.5 times as wide as the point spread. Sources that lie there in wider ones can
be missed.
"""

_CHANGED = 0.02  # change of sqrt(TS) that makes a pixel worth a fit
_GIVEN = 0.01
"""TS that a peak gives at the position of another; above, they are not added at a time."""


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
    crowd : Crowd
        The sources found.
    """

    def __init__(
        self, problem: FitProblem, skymap: SkyMap, options: SourceOptions, threads: int = 1
    ) -> None:
        self._options, self._threads = options, threads
        self._map = replace(skymap, columns={"ts": skymap.ts.copy()})
        self._to_map = rotation(problem.frame, skymap.frame)
        self._directions = rotate(self._to_map.T, nest_to_vec(skymap.nside, skymap.ipix))
        pixel_size = float(np.sqrt(skymap.pixel_area))
        self._min_separation = options.min_separation or pixel_size
        self._is_rejected = np.zeros(skymap.ipix.size, dtype=bool)  # until their TS is made again
        self._is_barred = self._is_rejected.copy()
        self.crowd = Crowd(
            *(problem, pixel_size, options.threshold, self._min_separation),
            lambda vec: touches_ts(self._map, vec_to_nest(skymap.nside, rotate(self._to_map, vec))),
            threads,
        )
        # that the map was fitted with
        self._background, self._sources_of_map = problem.background, self.crowd.direction

    def find_peaks(self) -> Positions:
        """All peaks of the map, strongest first, as if each were alone."""
        peaks = find_peaks(self._map, CANDIDATE * self._options.threshold)
        found = self.crowd.refine(self.crowd.problem, self._directions[peaks])
        found = found.take(np.argsort(-found.ts, kind="stable"))
        found = found.take(np.flatnonzero(found.ts >= self._options.threshold))
        is_apart = keep_apart(found.direction, self._min_separation, np.empty((0, 3)))
        return found.take(np.flatnonzero(is_apart)[: self._options.max_sources])

    def find_iteratively(self) -> Positions:
        """Add sources to the background, strongest first, until no peak is a source."""
        while True:
            while self._add_strongest():
                pass
            every = np.arange(self.crowd.flux.size)
            self.crowd.settle(every)
            if not self.crowd.drop(every).size:
                return self.crowd.finish()
            self._fit_map()

    def _add_strongest(self) -> bool:
        """One round; whether there may be another."""
        crowd, n_before = self.crowd, self.crowd.flux.size
        peaks = find_peaks(self._map, CANDIDATE * self._options.threshold)
        peaks = peaks[~(self._is_rejected | self._is_barred)[peaks]]
        room = self._options.max_sources - n_before
        if not peaks.size or room <= 0:
            return False
        problem = crowd.problem
        peaks = self._unlike(problem, peaks)
        found = crowd.refine(problem, self._directions[peaks])
        is_apart = keep_apart(found.direction, self._min_separation, crowd.direction)
        is_strong = found.ts >= self._options.threshold
        new, weak = (
            np.flatnonzero(is_apart & is_strong)[:room],
            np.flatnonzero(is_apart & ~is_strong),
        )
        crowd.add(found.direction[new], fit_pixels(problem, found.direction[new]).flux)
        new = np.append(new, weak[crowd.split(found.direction[weak], room - new.size)])
        self._is_rejected[np.delete(peaks, new)] = True
        if new.size:
            numbers = n_before + np.arange(new.size)
            crowd.settle(numbers)
            # peaks of sources that leave are not tried again
            self._is_barred[peaks[new[np.isin(numbers, crowd.drop(numbers))]]] = True
            self._fit_map()
        return True

    def _unlike(self, problem: FitProblem, peaks: np.ndarray) -> np.ndarray:
        """Of peaks, strongest first, those on which the stronger ones have no influence.

        A stronger peak has one if it gives some TS at the position of the weaker, or if both may be
        what is left of one source whose position is not yet right.
        """
        peaks = peaks[: most_directions(problem)]
        crowd, n = self.crowd, self.crowd.flux.size
        every = np.concatenate([crowd.direction, self._directions[peaks]])
        alike = correlations(problem, source_counts_at(problem, every))
        ts = np.concatenate([crowd.ts_fixed(), self._map.ts[peaks]])
        given = given_ts(alike, ts, _GIVEN)[:, n:].tocsc()
        kept: list[int] = []
        is_taken = np.zeros(ts.size, dtype=bool)  # peaks kept, and sources that these touch
        for number in range(peaks.size):
            givers = given.indices[given.indptr[number] : given.indptr[number + 1]]
            if not np.any(is_taken[givers]):
                kept.append(number)
                is_taken[givers[givers < n]] = True
                is_taken[n + number] = True
        return peaks[kept]

    def _fit_map(self) -> None:
        """Fit the pixels that changed with all sources in the background."""
        problem, sources = self.crowd.problem, self.crowd.direction
        changed = changed_pixels(
            *(problem, self._background, self._map, self._directions),
            np.concatenate([sources, self._sources_of_map]),
            least=_CHANGED,
        )
        logger.info(
            "%d sources; %d of %d pixels are fitted again",
            *(self.crowd.flux.size, changed.size, self._map.ipix.size),
        )
        self._map.ts[changed] = fit_pixels(
            problem, self._directions[changed], threads=self._threads
        ).ts
        self._is_rejected[changed] = False
        self._background, self._sources_of_map = problem.background, sources.copy()
