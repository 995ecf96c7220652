"""Part of the sky that events of an observation are taken of."""

import numpy as np

from skyquilt.config.dl3 import FieldRegion
from skyquilt.sky.frames import position_to_vec


class FieldBorders:
    """Borders of a region and of a field of view, in the frame ICRS.

    Parameters
    ----------
    region : FieldRegion or None
        Section `region`; None for the whole field of view.
    pointing : ndarray of float64, shape (3,)
        Unit vector to the middle of the field of view.
    radius : float
        Its radius [rad].
    """

    def __init__(self, region: FieldRegion | None, pointing: np.ndarray, radius: float):
        self.pointing, self.radius = pointing, radius
        self._circles = [(pointing, radius)]
        self._sides: list[tuple[np.ndarray, float]] = []
        if region is None:
            return
        lon, lat, frame = region.center.lon, region.center.lat, region.center.frame
        center = position_to_vec(lon, lat, frame, "icrs")
        if region.radius is not None:
            self._circles.append((center, float(np.radians(region.radius))))
        if region.square is not None:
            pole = position_to_vec(0.0, 90.0, frame, "icrs")
            east = np.cross(pole, center)
            if np.linalg.norm(east) < 1e-9:  # the centre is the pole
                east = position_to_vec(90.0, 0.0, frame, "icrs")
            east /= np.linalg.norm(east)
            north = np.cross(center, east)
            half = float(np.radians(region.square))
            self._sides = [(sign * axis, half) for axis in (east, north) for sign in (1.0, -1.0)]
            self._circles.append((center, np.pi / 2))

    def sides(self, margin: float = 0.0) -> np.ndarray:
        """Borders moved inwards by an angle [rad], as `OffsetGrid.sides`, shape (n, 4)."""
        circles = [np.append(c, np.cos(max(r - margin, 0.0))) for c, r in self._circles]
        sides = [np.append(-n, -np.sin(max(half - margin, 0.0))) for n, half in self._sides]
        return np.array(circles + sides)

    def contain(self, directions: np.ndarray) -> np.ndarray:
        """Which directions, of shape (n, 3), lie within all borders."""
        inside = np.ones(len(directions), dtype=bool)
        for *normal, least in self.sides():
            inside &= directions @ normal >= least - 1e-12
        return inside

    def farthest(self) -> float:
        """Angle from the pointing up to which a source may be [rad]."""
        return self.radius
