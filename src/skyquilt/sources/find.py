"""Find the sources of a map and measure them."""

from typing import NamedTuple

import numpy as np

from skyquilt.config.sources import SourceOptions
from skyquilt.fit.position import Positions
from skyquilt.maps.skymap import SkyMap
from skyquilt.problem.problem import FitProblem
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.healpix import vec_to_nest
from skyquilt.sources.measure import Measured, measure_alone, measure_together
from skyquilt.sources.peaks import is_at_edge
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
    """

    position: Positions
    measured: Measured
    is_at_edge: np.ndarray

    def take(self, numbers: np.ndarray) -> "SourceList":
        """Some of the sources, by their numbers, in that order."""
        measured = Measured(*(values[numbers] for values in self.measured))
        return SourceList(self.position.take(numbers), measured, self.is_at_edge[numbers])


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
    else:
        search.find_iteratively()
        position, measured = measure_together(problem, search.found, search.flux, confidence_level)
    turned = rotate(rotation(problem.frame, skymap.frame), position.direction)
    home = vec_to_nest(skymap.nside, turned)
    at_edge = is_at_edge(skymap, home) | np.isnan(skymap.sample("ts", home))
    order = np.argsort(-measured.ts, kind="stable")
    return SourceList(position, measured, at_edge).take(order)
