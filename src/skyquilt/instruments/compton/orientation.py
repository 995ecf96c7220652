"""Orientation of the spacecraft over time: attitude, livetime and the Earth's position."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from skyquilt.errors import InputError

EARTH_RADIUS_KM = 6378.0  # as in cosipy's occultation (FORMATS: 180 deg - asin(R / (R + h)))


@dataclass(frozen=True)
class Orientation:
    """Attitude of the spacecraft over time, in galactic coordinates.

    Record i describes the interval from stamp i to stamp i + 1; the last has no interval.

    Attributes
    ----------
    path : str
        File it was read from.
    time : ndarray of float64, shape (n,)
        Stamps [UNIX s], strictly increasing.
    x, z, zenith : ndarray of float64, shape (m, 3)
        Unit vectors of the spacecraft's x and z axes and of the Earth's zenith, of the m records
        that were asked for.
    altitude : ndarray of float64, shape (m,)
        Height above the ground of the same records [km]; NaN where the file has none.
    livetime : ndarray of float64, shape (n,), or None
        Livetime of the interval that starts at each stamp [s]; None if the file has none.
    first : int
        Record to which the first of the m belongs.
    covers : tuple of float or None
        First and last stamp of the whole file [UNIX s], of which `time` may be a part.
    """

    path: str
    time: np.ndarray
    x: np.ndarray
    z: np.ndarray
    zenith: np.ndarray
    altitude: np.ndarray
    livetime: np.ndarray | None
    first: int = 0
    covers: tuple[float, float] | None = None

    def overlap(self, start: float, stop: float, whose: str = "") -> np.ndarray:
        """Fraction of each interval that lies in [start, stop), shape (n - 1,).

        `whose` time it is, and what gives it, is told in messages.

        Raises
        ------
        InputError
            If the file does not cover [start, stop].
        """
        if start < self.time[0] or stop > self.time[-1]:
            first, last = self.covers or (self.time[0], self.time[-1])
            raise InputError(
                f"{self.path}: covers {first:.6f} to {last:.6f} s, not the "
                f"interval {start:.6f} to {stop:.6f} s{whose}: use the file of this observation."
            )
        begin, end = np.maximum(self.time[:-1], start), np.minimum(self.time[1:], stop)
        return np.clip(end - begin, 0, None) / np.diff(self.time)

    def livetime_between(self, start: float, stop: float, whose: str = "") -> float:
        """Livetime in [start, stop) [s]; a part of an interval counts in proportion.

        Without livetimes in the file, the time itself. `whose` time it is, and what gives it, is
        told in messages.

        Raises
        ------
        InputError
            If the file does not cover [start, stop].
        """
        if self.livetime is None:
            return self.time_between(start, stop, whose)
        return self._sum(self.overlap(start, stop, whose), self.livetime[:-1])

    def time_between(self, start: float, stop: float, whose: str = "") -> float:
        """Time in [start, stop) [s], whether live or not; see `livetime_between`."""
        return self._sum(self.overlap(start, stop, whose), np.diff(self.time))

    @staticmethod
    def _sum(fraction: np.ndarray, length: np.ndarray) -> float:
        """Sum of parts of intervals, to the last digit the same however many others were read."""
        return math.fsum((fraction * length)[fraction > 0])

    def has_earth(self) -> bool:
        """Whether the file knows the spacecraft's altitude."""
        return bool(np.all(self.altitude > 0))


class Attitude(NamedTuple):
    """Attitude samples with their time weights.

    Attributes
    ----------
    rotation : ndarray of float64, shape (n, 3, 3)
        Rotations from galactic to spacecraft coordinates.
    weight : ndarray of float64, shape (n,)
        Time weight [s].
    zenith : ndarray of float64, shape (n, 3), or None
        Direction of the Earth's zenith, galactic; None if the Earth does not matter.
    horizon_cos : ndarray of float64, shape (n,), or None
        Cosine of the angle from the zenith to the Earth's limb.
    """

    rotation: np.ndarray
    weight: np.ndarray
    zenith: np.ndarray | None
    horizon_cos: np.ndarray | None


def cut_attitude(orientation: Orientation, start: float, stop: float, weights: str) -> Attitude:
    """Attitude samples of the time interval [start, stop).

    The attitude at the beginning of an interval stands for the whole interval, as in cosipy; an
    interval that begins before `start` is entered with the attitude interpolated to `start`.

    Parameters
    ----------
    orientation : Orientation
        The whole file.
    start, stop : float
        Interval [UNIX s].
    weights : {"livetime", "elapsed"}
        Weight a sample with the livetime or with the duration of its interval.

    Raises
    ------
    InputError
        If the file does not cover the interval, or has no livetimes, or none in it.
    """
    fraction = orientation.overlap(start, stop)
    is_live = weights == "livetime"
    length = get_livetimes(orientation)[:-1] if is_live else np.diff(orientation.time)
    weight = fraction * length
    used = np.flatnonzero(weight > 0)
    if used.size == 0:
        raise InputError(
            f"{orientation.path}: no {weights} time between {start:.6f} and {stop:.6f} s; choose "
            "another interval, or `time_weights: elapsed` if the livetimes are not filled in."
        )
    offset = start - orientation.time[used[0]]
    step = max(offset, 0) / np.diff(orientation.time[used[0] : used[0] + 2])[0]
    rotation, zenith, altitude = _states(orientation, used - orientation.first, step)
    horizon_cos = -np.sqrt(1 - (EARTH_RADIUS_KM / (EARTH_RADIUS_KM + altitude)) ** 2)
    return Attitude(rotation, weight[used], zenith, horizon_cos)


def attitude_at(orientation: Orientation, times: np.ndarray) -> np.ndarray:
    """Attitude at some times, turned evenly from stamp to stamp.

    Parameters
    ----------
    orientation : Orientation
        With the pointings of all these times.
    times : ndarray of float64, shape (n,)
        Times [UNIX s], in any order.

    Returns
    -------
    ndarray of float64, shape (n, 3, 3)
        Rotations from galactic to spacecraft coordinates.

    Raises
    ------
    InputError
        If the file does not cover a time.
    """
    if times.size == 0:
        return np.empty((0, 3, 3))
    orientation.overlap(times.min(), times.max())
    from scipy.spatial.transform import Rotation

    last = len(orientation.time) - 2
    interval = np.clip(np.searchsorted(orientation.time, times, side="right") - 1, 0, last)
    begun, inverse = np.unique(interval, return_inverse=True)
    at = begun - orientation.first
    begin = rotations(orientation.x[at], orientation.z[at])
    end = rotations(orientation.x[at + 1], orientation.z[at + 1])
    turn = Rotation.from_matrix(end @ begin.transpose(0, 2, 1)).as_rotvec()
    begun_at = orientation.time[interval]
    step = (times - begun_at) / (orientation.time[interval + 1] - begun_at)
    return Rotation.from_rotvec(step[:, None] * turn[inverse]).as_matrix() @ begin[inverse]


def get_livetimes(orientation: Orientation) -> np.ndarray:
    """Livetimes of an orientation [s]; a file without them is refused.

    Raises
    ------
    InputError
        If its records have none.
    """
    if orientation.livetime is None:
        raise InputError(
            f"{orientation.path}: its records have no livetimes (the ninth number, or the column "
            "LiveTime): set `data.time_weights: elapsed` to take all of the time as live, or use a "
            "file with livetimes."
        )
    return orientation.livetime


def _states(orientation: Orientation, used: np.ndarray, step: float) -> tuple:
    """Rotation, zenith and altitude at the beginning of the used intervals.

    The first interval is entered a fraction `step` after its stamp.
    """
    rotation = rotations(orientation.x[used], orientation.z[used])
    zenith, altitude = orientation.zenith[used], orientation.altitude[used]
    if step > 0:
        pair = slice(used[0], used[0] + 2)
        between = rotations(orientation.x[pair], orientation.z[pair])
        rotation[0] = _interpolate_rotation(between[0], between[1], step)
        zenith[0] = _normalise(np.array([1 - step, step]) @ orientation.zenith[pair])
        altitude[0] = np.array([1 - step, step]) @ orientation.altitude[pair]
    return rotation, zenith, altitude


def rotations(x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Nearest rotations to the frames (x, z cross x, z), galactic to spacecraft.

    Parameters
    ----------
    x, z : ndarray of float64, shape (n, 3)
        Unit vectors of the axes, galactic.

    Returns
    -------
    ndarray of float64, shape (n, 3, 3)
        Matrices that turn galactic vectors into those of the spacecraft.
    """
    frames = np.stack([x, np.cross(z, x), z], axis=1)
    u, _, vh = np.linalg.svd(frames)
    return u @ vh


def _interpolate_rotation(begin: np.ndarray, end: np.ndarray, step: float) -> np.ndarray:
    """Rotation a fraction `step` of the way along the shortest turn from `begin` to `end`."""
    from scipy.spatial.transform import Rotation

    turn = Rotation.from_matrix(end @ begin.T)
    return Rotation.from_rotvec(step * turn.as_rotvec()).as_matrix() @ begin


def _normalise(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)
