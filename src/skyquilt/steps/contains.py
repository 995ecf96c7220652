"""Step `contains`: whether a position is in the region of a sky map."""

from pathlib import Path
from typing import NamedTuple

from skyquilt.errors import ConfigError
from skyquilt.maps.credible import find_credible_region
from skyquilt.maps.localisation_file import SKYMAP
from skyquilt.maps.multiorder_file import read_multiorder
from skyquilt.maps.standing import find_standing
from skyquilt.sky.frames import position_to_vec


class Answer(NamedTuple):
    """What a sky map says of a position.

    Attributes
    ----------
    is_inside : bool
        Whether the credible region holds it.
    text : str
        The same and more, in lines.
    """

    is_inside: bool
    text: str


def ask_skymap(skymap: str | Path, lon: float, lat: float, frame: str, level: float) -> Answer:
    """Find a position in the regions of a sky map.

    Parameters
    ----------
    skymap : str or Path
        skymap.multiorder.fits.
    lon, lat : float
        Position [deg].
    frame : str
        Its frame, by the astropy name.
    level : float
        Level of the credible region.

    Raises
    ------
    ConfigError
        If the frame or level is not possible.
    ProductError
        If the file is missing, damaged or of another kind.
    """
    cells, _ = read_multiorder(skymap, SKYMAP)
    try:
        standing = find_standing(cells, position_to_vec(lon, lat, frame, cells.frame))
        region = find_credible_region(cells, cells.columns["probdensity"], level)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    name = f"the {100 * level:g} % credible region ({region.area:.4g} deg2)"
    if standing is None:
        return Answer(False, f"not in {name}: nothing was fitted there")
    is_inside = bool(standing.place in region.cells)
    return Answer(
        is_inside,
        f"{'in' if is_inside else 'not in'} {name}\n"
        f"smallest credible region that holds it: {100 * standing.probability:.5g} %, "
        f"{standing.area:.4g} deg2\n"
        f"smallest containment region, statistical only: "
        f"{100 * standing.containment_level:.5g} %, TS {standing.ts_drop:.4g} below the maximum",
    )
