"""Find the sources of a map and measure them."""

from typing import NamedTuple

import numpy as np

from skyquilt.config.sources import SourceOptions
from skyquilt.fit.position import Positions
from skyquilt.inference.climb import Status
from skyquilt.maps.peaks import is_at_edge
from skyquilt.maps.skymap import SkyMap
from skyquilt.problem.problem import FitProblem
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.healpix import vec_to_nest
from skyquilt.sources.measure import Measured, measure_alone, measure_together
from skyquilt.sources.search import Search


class SourceList(NamedTuple):
    """Sources of a map, highest TS first.

    Attributes
    ----------
    position : Positions
        Positions in the frame of the problem.
    measured : Measured
        Fluxes and TS.
    is_at_edge : ndarray of bool, shape (n,)
        Whether the source's pixel touches pixels without a TS, or has none itself.
    fit : ndarray of str, shape (n,)
        How the fit of all sources together ended: good; at_bound, held by the edge of the map or
        the least separation; not_converged, TS has no top there; degenerate, its errors beside the
        others are not determined.
    """

    position: Positions
    measured: Measured
    is_at_edge: np.ndarray
    fit: np.ndarray

    def take(self, numbers: np.ndarray) -> "SourceList":
        """Some of the sources, by their numbers, in that order."""
        measured = Measured(*(values[numbers] for values in self.measured))
        return SourceList(
            self.position.take(numbers), measured, self.is_at_edge[numbers], self.fit[numbers]
        )


def find_sources(
    problem: FitProblem,
    skymap: SkyMap,
    options: SourceOptions,
    *,
    confidence_level: float | None = None,
    threads: int = 1,
) -> SourceList:
    """Find the sources of a map, and fit their positions and fluxes.

    Parameters
    ----------
    problem : FitProblem
        The problem that the map answers.
    skymap : SkyMap
        Map with a column "ts".
    options : SourceOptions
        Method, threshold, least separation and number of sources.
    confidence_level : float, optional
        Of upper limits; without it there are neither limits nor errors to both sides.
    threads : int
        Threads that fit pixels.

    Returns
    -------
    SourceList
        The sources; none is an answer, too.
    """
    search = Search(problem, skymap, options, threads)
    if options.method == "peaks":
        position = search.find_peaks()
        measured = measure_alone(problem, position.direction, confidence_level)
        is_bound = is_degenerate = np.zeros(len(position.ts), dtype=bool)
    else:
        position = search.find_iteratively()
        position, measured, is_degenerate = measure_together(
            problem, position, search.crowd.flux, confidence_level
        )
        is_bound = search.crowd.is_bound
    turned = rotate(rotation(problem.frame, skymap.frame), position.direction)
    home = vec_to_nest(skymap.nside, turned)
    at_edge = is_at_edge(skymap, home) | np.isnan(skymap.sample("ts", home))
    order = np.argsort(-measured.ts, kind="stable")
    fit = np.select(
        [is_bound, ~position.is_fitted, is_degenerate],
        [Status.AT_BOUND, Status.NOT_CONVERGED, Status.DEGENERATE],
        Status.GOOD,
    )
    return SourceList(position, measured, at_edge, fit).take(order)
