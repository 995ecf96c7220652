"""Step `contains`: whether a position is in the region of a sky map, of skyquilt or of others."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from skyquilt.errors import ConfigError, ProductError
from skyquilt.localisation.file import SKYMAP
from skyquilt.localisation.probability.file import read_probability, read_schema
from skyquilt.localisation.probability.map import Coverage, ProbabilityMap
from skyquilt.localisation.standing import find_standing
from skyquilt.maps.credible import find_credible_region
from skyquilt.maps.multiorder_file import read_multiorder
from skyquilt.sky.frames import position_to_vec

LEVEL = 0.9
"""Level of the credible region, where none is given."""

_PLAIN = ("skyquilt/flat-skymap", "skyquilt/region")  # own files, laid out as those of others


class Answer(NamedTuple):
    """What a sky map says of a position.

    Attributes
    ----------
    is_inside : bool
        Whether the credible region, or the part of the sky of a coverage map, holds it.
    text : str
        The same and more, in lines.
    """

    is_inside: bool
    text: str


def ask_skymap(
    skymap: str | Path,
    lon: float,
    lat: float,
    frame: str,
    level: float | None = None,
    map_frame: str | None = None,
) -> Answer:
    """Find a position in the regions of a sky map.

    Parameters
    ----------
    skymap : str or Path
        skymap.multiorder.fits, or a sky map of others: of many orders (UNIQ), flat HEALPix, or a
        coverage map (MOC).
    lon, lat : float
        Position [deg].
    frame : str
        Its frame, by the astropy name.
    level : float, optional
        Level of the credible region, 0.9 by default; a coverage map has none.
    map_frame : {"galactic", "icrs"}, optional
        Frame of the pixels of a map of others, where its header does not say.

    Raises
    ------
    ConfigError
        If a frame or the level is not possible.
    InputError
        If a file of others is damaged, or no sky map.
    ProductError
        If a file of skyquilt is missing, damaged or of another kind.
    """
    path = str(skymap)
    if not Path(path).is_file():
        raise ProductError(f"{path}: no such file; give the sky map's path.")
    schema = read_schema(path)
    is_own = schema is not None and schema.startswith("skyquilt/") and schema not in _PLAIN
    if is_own and schema != SKYMAP.name:
        raise ProductError(
            f"{path}: is of the kind {schema}, and no sky map: give skymap.multiorder.fits of the "
            "analysis, which `skyquilt localise` writes."
        )
    try:
        if is_own:
            return _ask_own(path, lon, lat, frame, LEVEL if level is None else level)
        found = read_probability(path, map_frame)
        direction = position_to_vec(lon, lat, frame, found.frame)
        if isinstance(found, Coverage):
            return _ask_coverage(path, found, direction, level)
        return _ask_probability(found, direction, LEVEL if level is None else level)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _ask_coverage(
    path: str, coverage: Coverage, direction: np.ndarray, level: float | None
) -> Answer:
    if level is not None:
        raise ConfigError(
            f"{path}: a coverage map has no probabilities, so `--level` has no meaning: leave it "
            "out, or give the sky map."
        )
    is_inside = coverage.holds(direction)
    text = f"the region of the coverage map ({coverage.area:.4g} deg2)"
    return Answer(is_inside, f"{'in' if is_inside else 'not in'} {text}")


def _ask_probability(sky: ProbabilityMap, direction: np.ndarray, level: float) -> Answer:
    threshold, area = sky.credible_area(level)
    index = sky.find(direction)
    if index < 0:
        return _outside(level, area, "the map has no pixel there")
    is_inside = bool(sky.density[index] >= threshold)
    return Answer(is_inside, _describe(is_inside, level, area, *sky.searched(index)))


def _ask_own(path: str, lon: float, lat: float, frame: str, level: float) -> Answer:
    cells, _ = read_multiorder(path, SKYMAP)
    standing = find_standing(cells, position_to_vec(lon, lat, frame, cells.frame))
    region = find_credible_region(cells, cells.columns["probdensity"], level)
    if standing is None:
        return _outside(level, region.area, "nothing was fitted there")
    is_inside = bool(standing.cell in region.cells)
    return Answer(
        is_inside,
        f"{_describe(is_inside, level, region.area, standing.probability, standing.area)}\n"
        f"smallest containment region, statistical only: "
        f"{100 * standing.containment_level:.5g} %, TS {standing.ts_drop:.4g} below the maximum",
    )


def _outside(level: float, area: float, why: str) -> Answer:
    return Answer(False, f"not in {_name(level, area)}: {why}")


def _describe(
    is_inside: bool, level: float, area: float, searched: float, searched_area: float
) -> str:
    return (
        f"{'in' if is_inside else 'not in'} {_name(level, area)}\n"
        f"smallest credible region that holds it: {100 * searched:.5g} %, {searched_area:.4g} deg2"
    )


def _name(level: float, area: float) -> str:
    return f"the {100 * level:g} % credible region ({area:.4g} deg2)"
