"""Livetime times the fall of the effective area with zenith angle."""

import numpy as np

from skyquilt.config.light_curve import LightCurve
from skyquilt.instruments.compton.orientation import Orientation
from skyquilt.instruments.compton.simulator.orbit import HORIZON_COS
from skyquilt.instruments.compton.simulator.telescope import zenith_factor
from skyquilt.light_curves.factors import integrate_factor

_BLOCK = 1 << 20  # products of record and direction at a time


def record_weights(
    orientation: Orientation, livetime: np.ndarray, directions: np.ndarray
) -> np.ndarray:
    """Effective livetime of each record for each direction; none below the horizon.

    Parameters
    ----------
    orientation : Orientation
        Attitude; each record stands for the interval that it starts.
    livetime : ndarray of float64, shape (n_record,)
        Livetime of the interval of each record [s].
    directions : ndarray of float64, shape (n, 3)
        Directions, galactic.

    Returns
    -------
    ndarray of float64, shape (n_record, n)
        Livetime times zenith factor [s].
    """
    is_up = orientation.zenith @ directions.T > HORIZON_COS
    return livetime[:, None] * zenith_factor(orientation.z @ directions.T) * is_up


def exposures(orientation: Orientation, livetime: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Sum of `record_weights` over the records [s], shape (n,)."""
    total = np.zeros(len(directions))
    used = np.flatnonzero(livetime)
    for part in np.array_split(used, 1 + used.size * len(directions) // _BLOCK):
        total += record_weights(take(orientation, part), livetime[part], directions).sum(axis=0)
    return total


def livetime_within(orientation: Orientation, start: float, stop: float) -> np.ndarray:
    """Livetime of each record within [start, stop) [s], shape (n_record,)."""
    return np.append(orientation.overlap(start, stop), 0) * orientation.livetime


def record_factors(
    orientation: Orientation, curve: LightCurve | None, start: float, stop: float
) -> np.ndarray:
    """Mean of a light curve over the part of each record within [start, stop), shape (n_record,).

    A record without such a part has 0; all have 1 without a light curve.
    """
    if curve is None:
        return np.ones(orientation.time.size)
    begin = np.clip(orientation.time[:-1], start, stop)
    end = np.clip(orientation.time[1:], start, stop)
    length = end - begin
    mean = np.divide(
        integrate_factor(curve, begin, end), length, where=length > 0, out=np.zeros_like(length)
    )
    return np.append(mean, 0.0)


def within(time: np.ndarray, start: float, stop: float) -> np.ndarray:
    """Whether each stamp is in [start, stop)."""
    return (time >= start) & (time < stop)


def take(orientation: Orientation, records: np.ndarray) -> Orientation:
    """Some records of an orientation, by index or mask."""
    columns = ("time", "x", "z", "zenith", "altitude", "livetime")
    return Orientation(orientation.path, *(getattr(orientation, name)[records] for name in columns))


def spacecraft_axes(orientation: Orientation) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Axes x, y, z of the spacecraft, galactic, each of shape (n_record, 3)."""
    return orientation.x, np.cross(orientation.z, orientation.x), orientation.z
