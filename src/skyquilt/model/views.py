"""Where the sources of a model are looked for: their directions, and those beside them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from skyquilt.model.sources import Offset, Source
from skyquilt.problem.cells import Views
from skyquilt.sky.frames import lonlat_to_vec, rotation
from skyquilt.sky.tangent import tangent_axes

_POLE = np.array([0.0, 0.0, 1.0])
_LEAST_COS = 1e-6  # of the latitude: at a pole, longitudes are no directions
_SHAPE_STEP = 1e-3  # difference of parameters of shapes, relative


class Difference(NamedTuple):
    """A derivative that is a difference of two views.

    Attributes
    ----------
    name : str
        Quantity.
    width : ndarray of float64, shape () or (n_cell,)
        Difference of the quantity between the views.
    """

    name: str
    width: np.ndarray


def look(
    source: Source,
    here: dict[str, np.ndarray],
    moving: Sequence[str],
    frames: tuple[str, str],
    angle: float,
    offset: Offset | None,
) -> tuple[Views, list[Difference]]:
    """Views of a source: as it is, and two for each quantity by which it moves or grows.

    Parameters
    ----------
    source : Source
        The source.
    here : dict of str to ndarray
        Quantities in the cells of a data set.
    moving : sequence of str
        Quantities by which derivatives are wanted.
    frames : tuple of str
        Frame of the model, and that of the data set.
    angle : float
        Angle of the differences [deg].
    offset : Offset, optional
        Pointing offset of the data set.

    Returns
    -------
    views : Views
        The first is the source as it is; views 2 i + 1 and 2 i + 2 are ahead and behind in
        quantity i.
    differences : list of Difference
        The quantities.
    """
    lon, lat = f"{source.name}.lon", f"{source.name}.lat"
    steps = {lon: angle / np.maximum(np.cos(np.radians(here[lat])), _LEAST_COS), lat: angle}
    if offset is not None:
        steps |= {offset.east: angle, offset.north: angle}
    for part in source.shape_parameters:
        name = f"{source.name}.{part}"
        steps[name] = np.maximum(_SHAPE_STEP * np.abs(here[name]), _SHAPE_STEP * angle)
    wanted = [name for name in steps if name in moving]
    places = [here]
    for name in wanted:
        places += [{**here, name: here[name] + sign * steps[name]} for sign in (1, -1)]
    each = [_directions(source, place, offset) for place in places]
    n_cell = max(len(directions) for directions, _ in each)
    shape = (n_cell, *each[0][0].shape[1:])
    directions = np.stack([np.broadcast_to(directions, shape) for directions, _ in each])
    if frames[0] != frames[1]:
        directions = directions @ rotation(*frames).T
    views = Views(directions, np.stack([weight for _, weight in each]))
    return views, [Difference(name, np.asarray(2 * steps[name])) for name in wanted]


def _directions(
    source: Source, here: dict[str, np.ndarray], offset: Offset | None
) -> tuple[np.ndarray, np.ndarray]:
    """Points of a source, shape (1 or n_cell, n_point, 3), and their weights."""
    lon, lat = np.broadcast_arrays(*(here[f"{source.name}.{part}"] for part in ("lon", "lat")))
    centre = lonlat_to_vec(np.atleast_1d(lon), np.atleast_1d(lat))
    if offset is not None:
        moved = (np.atleast_1d(here[name]) for name in (offset.east, offset.north))
        centre = _around(centre, *(angle[:, np.newaxis] for angle in moved))[:, 0]
    if source.shape is None:
        return centre[:, np.newaxis], np.ones(1)
    values = {part: here[f"{source.name}.{part}"] for part in source.shape_parameters}
    if any(np.ndim(value) for value in values.values()):
        return _of_cells(source, centre, values)
    east, north, weight = source.shape.points(**values)
    return _around(centre, east[np.newaxis], north[np.newaxis]), weight


def _of_cells(
    source: Source, centre: np.ndarray, values: dict[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Points of a source whose shape is another in each cell."""
    assert source.shape is not None
    lists = np.broadcast_arrays(*(np.atleast_1d(value) for value in values.values()))
    each = [
        source.shape.points(**dict(zip(values, one, strict=True)))
        for one in zip(*lists, strict=True)
    ]
    east, north = (np.stack([points[axis] for points in each]) for axis in (0, 1))
    centre = np.broadcast_to(centre, (len(each), 3))
    return _around(centre, east, north), each[0][2]


def _around(centre: np.ndarray, east: np.ndarray, north: np.ndarray) -> np.ndarray:
    """Directions at angles to the east and to the north [deg], shape (n, n_point, 3)."""
    axes = tangent_axes(centre, _POLE)
    x, y = np.radians(east), np.radians(north)
    angle = np.hypot(x, y)
    ratio = np.sinc(angle / np.pi)  # sine over angle
    x, y, z = (part[:, :, np.newaxis] for part in (ratio * x, ratio * y, np.cos(angle)))
    moved = z * centre[:, np.newaxis] + x * axes[0][:, np.newaxis] + y * axes[1][:, np.newaxis]
    return moved / np.linalg.norm(moved, axis=-1, keepdims=True)
