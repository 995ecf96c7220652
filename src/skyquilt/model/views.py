"""Where the sources of a model are looked for: their directions, and those beside them."""

from collections.abc import Mapping, Sequence
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
    steps = {}
    if lon in moving:
        steps[lon] = angle / np.maximum(np.cos(np.radians(here[lat])), _LEAST_COS)
    if lat in moving:
        steps[lat] = np.asarray(angle)
    if offset is not None:
        steps |= {name: np.asarray(angle) for name in offset[1:] if name in moving}
    for part in source.shape_parameters:
        name = f"{source.name}.{part}"
        if name in moving:
            steps[name] = np.maximum(_SHAPE_STEP * np.abs(here[name]), _SHAPE_STEP * angle)
    read = (lon, lat, *(() if offset is None else offset[1:]))
    n_cell = max(here[name].size for name in read)
    values = {name: _spread(here[name], name, steps, n_cell) for name in read}
    centre = lonlat_to_vec(values[lon], values[lat])
    if offset is not None:
        centre = _move(centre, *(values[name] for name in offset[1:]))
    if source.shape is None:
        views = Views(centre[:, :, np.newaxis], np.ones((len(centre), 1)))
    else:
        views = _with_points(source, here, steps, centre)
    if frames[0] != frames[1]:
        views = views._replace(directions=views.directions @ rotation(*frames).T)
    return views, [Difference(name, 2 * step) for name, step in steps.items()]


def _spread(
    value: np.ndarray, name: str, steps: Mapping[str, np.ndarray], n_cell: int
) -> np.ndarray:
    """A quantity in all views, shape (n_view, n_cell)."""
    spread = np.empty((1 + 2 * len(steps), n_cell))
    spread[:] = value
    if name in steps:
        number = list(steps).index(name)
        spread[2 * number + 1] += steps[name]
        spread[2 * number + 2] -= steps[name]
    return spread


def _move(centre: np.ndarray, east: np.ndarray, north: np.ndarray) -> np.ndarray:
    """Directions moved by angles in each view and cell [deg], shape (n_view, n_cell, 3)."""
    angles = (angle.reshape(-1, 1) for angle in (east, north))
    return _around(centre.reshape(-1, 3), *angles)[:, 0].reshape(centre.shape)


def _with_points(
    source: Source,
    here: Mapping[str, np.ndarray],
    steps: Mapping[str, np.ndarray],
    centre: np.ndarray,
) -> Views:
    """The points of a shape around the centres of all views."""
    names = [f"{source.name}.{part}" for part in source.shape_parameters]
    n_cell = max(here[name].size for name in names)
    spread = [_spread(here[name], name, steps, n_cell) for name in names]
    directions, weights = [], []
    for number, own in enumerate(centre):
        values = [one[number] for one in spread]
        around, weight = _points(source, own, values)
        directions.append(around)
        weights.append(weight)
    shape = max(len(one) for one in directions), *directions[0].shape[1:]
    return Views(np.stack([np.broadcast_to(one, shape) for one in directions]), np.stack(weights))


def _points(
    source: Source, centre: np.ndarray, values: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Points of a source in one view, shape (1 or n_cell, n_point, 3), and their weights."""
    assert source.shape is not None
    cells = list(zip(*np.broadcast_arrays(*values), strict=True))
    each = [
        source.shape.points(**dict(zip(source.shape.parameters, cell, strict=True)))
        for cell in cells
    ]
    east, north = (np.stack([points[axis] for points in each]) for axis in (0, 1))
    n = max(len(each), len(centre))
    centre = np.broadcast_to(centre, (n, 3))
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
