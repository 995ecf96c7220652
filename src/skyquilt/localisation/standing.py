"""How a position stands: the smallest regions that hold it."""

from typing import NamedTuple

import numpy as np

from skyquilt.maps.containment import containment_level
from skyquilt.maps.credible import probability_inside
from skyquilt.maps.multiorder import MultiOrderMap


class Standing(NamedTuple):
    """When a position enters the regions, as they grow.

    Attributes
    ----------
    cell : int
        Index of its cell in the map.
    probability : float
        Searched probability: that of all cells as dense as the one of the position, or denser.
    area : float
        Searched area: theirs [deg2].
    ts_drop : float
        TS_max - TS of the cell.
    containment_level : float
        Level of the smallest containment region with that cell.
    """

    cell: int
    probability: float
    area: float
    ts_drop: float
    containment_level: float


def find_standing(cells: MultiOrderMap, direction: np.ndarray) -> Standing | None:
    """Standing of a direction.

    Parameters
    ----------
    cells : MultiOrderMap
        Map of the whole sky with the columns "probdensity" and "ts".
    direction : ndarray of float64, shape (3,)
        Unit vector in the frame of the map.

    Returns
    -------
    Standing or None
        None where the map has no TS.
    """
    index = int(cells.find(direction[np.newaxis])[0])
    if np.isnan(cells.ts[index]):
        return None
    density = cells.columns["probdensity"]
    is_searched = density >= density[index]
    drop = float(np.nanmax(cells.ts) - cells.ts[index])
    return Standing(
        cell=index,
        probability=probability_inside(cells, density, is_searched),
        area=float(cells.pixel_area[is_searched].sum()),
        ts_drop=drop,
        containment_level=containment_level(drop),
    )
