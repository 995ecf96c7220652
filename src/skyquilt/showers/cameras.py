"""Cameras: which pixels are neighbours, where they look, which are at the edge.

ctapipe describes cameras, too. Its import takes 2.9 s and 300 MB, more than most runs need to be
reconstructed, and it cannot be installed beside astropy 8; these are 10 ms for a camera, and a
test compares them with ctapipe's. Cameras are told apart by what they are made of: names are no
guide, for in many files each telescope is of a type of its own.
"""

from dataclasses import dataclass, field

import numpy as np

from skyquilt.errors import InputError
from skyquilt.io.digest import array_digest
from skyquilt.showers.images import Pixels
from skyquilt.showers.simtel import Telescope

_SQUARE = 2
# Distances of neighbours, in that of the nearest: a hexagonal grid has its second ring at 1.73, a
# square one at 2 (in the sum of both coordinates, where diagonal ones have 2).
_REACH = {True: 1.4, False: 1.5}


@dataclass(frozen=True)
class Camera:
    """A camera at a focal length.

    Attributes
    ----------
    pixels : Pixels
        Its pixels.
    radius : float
        Mean distance of the pixels at the edge from its middle [rad].
    """

    pixels: Pixels
    radius: float


@dataclass
class Cameras:
    """The cameras of a run, each made once.

    Parameters
    ----------
    focal_length : str
        Which one they are seen with, "effective" or "nominal".
    """

    focal_length: str
    _made: dict[str, Camera] = field(default_factory=dict)

    def find(self, telescope: Telescope) -> Camera:
        """Camera of a telescope.

        Raises
        ------
        InputError
            If the file has no such focal length, or its pixels are of an unknown shape.
        """
        length = telescope.focal_length(self.focal_length)
        if length is None:
            other = "nominal" if self.focal_length == "effective" else "effective"
            raise InputError(
                f"telescope {telescope.tel_id} has no {self.focal_length} focal length: "
                f"`focal_length: {other}` takes the other one."
            )
        settings = telescope.settings
        names = ("pixel_x", "pixel_y", "pixel_area", "pixel_shape")
        parts = [array_digest(np.ascontiguousarray(settings[name])) for name in names]
        key = f"{parts} {float(settings['cam_rot'])!r} {length!r}"
        if key not in self._made:
            self._made[key] = make_camera(telescope, length)
        return self._made[key]


def make_camera(telescope: Telescope, length: float) -> Camera:
    """Camera of a telescope at a focal length [m].

    Raises
    ------
    InputError
        If its pixels are of an unknown shape.
    """
    settings = telescope.settings
    shape = int(settings["pixel_shape"][0])
    if shape not in (0, 1, _SQUARE, 3):
        raise InputError(
            f"telescope {telescope.tel_id}: pixels of shape {shape}; known are 0 (circles), 1 and "
            "3 (hexagons), 2 (squares): leave it out with `telescopes`."
        )
    x, y = _rotated(settings["pixel_x"], settings["pixel_y"], float(settings["cam_rot"]))
    area = np.asarray(settings["pixel_area"], dtype=float) / length**2
    indptr, neighbour = _neighbours(x, y, shape)
    ring = _rings(indptr, neighbour)
    edge = ring == 1
    radius = np.mean(np.hypot(x[edge] - x.mean(), y[edge] - y.mean())) / length
    factor = {0: 2 / np.sqrt(np.pi), _SQUARE: 1.0}.get(shape, np.sqrt(2 / np.sqrt(3)))
    return Camera(
        Pixels(
            indptr=indptr,
            neighbour=neighbour,
            x=np.rad2deg(y / length),
            y=np.rad2deg(x / length),
            area=area * np.rad2deg(1) ** 2,
            diameter=np.rad2deg(factor * np.sqrt(area)),
            ring=ring,
        ),
        float(radius),
    )


def _rotated(x: np.ndarray, y: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Positions in a camera that is not rotated [m]."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    cosine, sine = np.cos(angle), np.sin(angle)
    return cosine * x - sine * y, sine * x + cosine * y


def _neighbours(x: np.ndarray, y: np.ndarray, shape: int) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours of each pixel, ascending."""
    from scipy.spatial import KDTree

    is_hexagonal = shape != _SQUARE
    most, norm = (6, 2) if is_hexagonal else (4, 1)
    positions = np.stack([x, y], axis=-1)
    k = min(most + 1, x.size)
    distance, found = KDTree(positions).query(positions, k=k, p=norm)
    distance, found = distance[:, 1:], found[:, 1:]
    is_near = distance < _REACH[is_hexagonal] * distance.min(axis=1, initial=np.inf)[:, np.newaxis]
    found = np.sort(np.where(is_near, found, x.size), axis=1)
    indptr = np.concatenate([[0], np.cumsum(is_near.sum(axis=1))]).astype(np.int64)
    return indptr, found[found < x.size].astype(np.int64)


def _rings(indptr: np.ndarray, neighbour: np.ndarray) -> np.ndarray:
    """1 of pixels with fewer neighbours than the others have, 2 of those beside them, 0 inside."""
    n_around = np.diff(indptr)
    ring = (n_around < n_around.max()).astype(np.uint8)
    row = np.repeat(np.arange(n_around.size), n_around)
    beside = np.zeros(n_around.size, dtype=bool)
    beside[row[ring[neighbour] == 1]] = True
    ring[beside & (ring == 0)] = 2
    return ring
