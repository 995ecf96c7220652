"""Step `plan`: which pixels to fit, and how they are cut into chunks."""

from pathlib import Path

import numpy as np

from skyquilt.config import Config, get_analysis
from skyquilt.config.analysis import Analysis
from skyquilt.config.map import Cone, MapGrid, PixelList, Polygon
from skyquilt.config.position import Position
from skyquilt.errors import ConfigError, InputError
from skyquilt.fit.exposed import is_unexposed
from skyquilt.fit.file import write_plan
from skyquilt.fit.plan import make_plan
from skyquilt.io.provenance import Provenance
from skyquilt.likelihood.options import FluxOptions
from skyquilt.problem.file import check_rows, read_problem
from skyquilt.problem.problem import FitProblem
from skyquilt.runs.answers import answer_from
from skyquilt.sky import regions
from skyquilt.sky.chunks import check_n_chunks
from skyquilt.sky.frames import position_to_vec


def plan_analysis(config: Config, name: str, problem: str | Path, output: str | Path) -> None:
    """Write the plan of an analysis.

    Raises
    ------
    InputError
        If no pixel of the region of the map has exposure.
    """
    analysis = get_analysis(config, name)
    grid, fit = analysis.map, analysis.fit
    answers = answer_from(config, name, "plan", problem=problem)
    settings = analysis.model_dump(mode="json", include={"map", "fit"})
    provenance = Provenance("plan", settings, (str(problem),), answers=answers)
    check_rows(problem)
    to_fit = read_problem(problem)
    if message := region_unseen(grid, to_fit):
        raise InputError(message)
    plan = make_plan(
        to_fit,
        nside=grid.nside,
        ordering=grid.ordering,
        frame=grid.frame,
        ranges=region_ranges(grid),
        chunks=fit.chunks,
        options=FluxOptions(**fit.flux_options),
    )
    write_plan(output, plan, provenance)


def check_map(analysis: Analysis) -> None:
    """Check region and number of chunks of a map, without a problem to fit.

    Raises
    ------
    ConfigError
        As `region_ranges`, or if the number of chunks does not divide the number of pixels.
    """
    region_ranges(analysis.map)
    if analysis.fit.chunks != "auto":
        try:
            check_n_chunks(analysis.fit.chunks, analysis.map.nside)
        except ValueError as error:
            raise ConfigError(f"fit.chunks: {error}") from error


def region_unseen(grid: MapGrid, problem: FitProblem) -> str | None:
    """What to say of a region of a map that the data do not see, where a second tells that.

    None if a pixel of it has exposure, it is the whole sky, or there are too many pixels to look.
    """
    if grid.region is None:
        return None
    ranges = region_ranges(grid)
    if not is_unexposed(problem, grid.nside, grid.frame, ranges):
        return None
    return (
        f"map.region: none of its {np.sum(ranges[:, 1] - ranges[:, 0])} pixels has exposure in "
        "these data: are frame, sign and order of its position right? Choose a region that they "
        "see, or leave it out."
    )


def region_ranges(grid: MapGrid) -> np.ndarray:
    """Nested pixel ranges of the region of a map.

    Raises
    ------
    ConfigError
        If the region holds no pixel, is not convex, or names a pixel that does not exist.
    """
    try:
        return _ranges(grid)
    except ValueError as error:
        raise ConfigError(f"map.region: {error}") from error


def _ranges(grid: MapGrid) -> np.ndarray:
    match grid.region:
        case None:
            return regions.full_sky(grid.nside)
        case Cone(center=center, radius=radius):
            return regions.cone(grid.nside, _vec(center, grid.frame), radius)
        case Polygon(vertices=vertices):
            corners = np.array([_vec(vertex, grid.frame) for vertex in vertices])
            return regions.polygon(grid.nside, corners)
        case PixelList(pixels=pixels):
            return regions.listed(grid.nside, np.array(pixels), grid.ordering)


def _vec(position: Position, frame: str) -> np.ndarray:
    return position_to_vec(position.lon, position.lat, position.frame, frame)
