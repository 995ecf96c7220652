"""What readers of orientation files share: the records, and those that an interval needs."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

Interval = tuple[float, float]
N_FULL = 9
"""Numbers of a whole record: time, x lat, x lon, z lat, z lon, altitude, Earth lat, Earth lon,
livetime."""


class Records(NamedTuple):
    """Records of an orientation file, or some of them in a row.

    Attributes
    ----------
    time : ndarray of float64, shape (n,)
        Stamps [UNIX s].
    livetime : ndarray of float64, shape (n,), or None
        Livetime of the interval that starts at each stamp [s]; None if the file has none.
    pointings : ndarray of float64, shape (m, 7)
        Latitude and longitude of x and z [deg, galactic], altitude [km], latitude and longitude of
        the Earth's zenith [deg, galactic] of the records that the interval needs.
    first : int
        Record to which the first of the m belongs.
    covers : tuple of float
        First and last stamp of the whole file [UNIX s].
    """

    time: np.ndarray
    livetime: np.ndarray | None
    pointings: np.ndarray
    first: int
    covers: Interval


def widen(records: np.ndarray) -> np.ndarray:
    """Records of 5, 8 or 9 numbers as records of 9.

    The altitude and the livetime are NaN where they are missing, the direction of the Earth is 0.
    """
    n_numbers = records.shape[1]
    if n_numbers == N_FULL:
        return records
    wide = np.zeros((len(records), N_FULL))
    wide[:, :n_numbers] = records
    wide[:, 8] = np.nan
    if n_numbers < 6:
        wide[:, 5] = np.nan
    return wide


def collect(blocks: Iterator[np.ndarray], interval: Interval | None) -> Records:
    """Time and livetime of all records, pointings of those needed for an interval.

    Parameters
    ----------
    blocks : iterator of ndarray of float64, shape (n, 9)
        The records in order, some at a time; livetimes are NaN where the file has none.
    interval : tuple of float or None
        Interval of the pointings [UNIX s]; None is the whole file.
    """
    start, stop = interval or (-np.inf, np.inf)
    times: list[np.ndarray] = []
    pointings: list[np.ndarray] = []
    first, n_before, last = 0, 0, -np.inf
    for block in (block for block in blocks if len(block)):
        time = block[:, 0]
        times.append(block[:, [0, 8]])
        if time[0] <= start:  # what was kept lies before the interval
            pointings.clear()
        if last < stop:
            low = max(int(np.searchsorted(time, start, side="right")) - 1, 0)
            high = np.searchsorted(time, stop) + 1
            first = first if pointings else n_before + low
            pointings.append(block[low:high, 1:8].copy())
        n_before, last = n_before + len(block), time[-1]
    if not times:
        return Records(np.empty(0), None, np.empty((0, 7)), 0, (np.nan, np.nan))
    time, livetime = np.concatenate(times).T.copy()
    is_known = not np.isnan(livetime[0])
    return Records(
        time,
        livetime if is_known else None,
        np.concatenate(pointings),
        first,
        (float(time[0]), float(time[-1])),
    )


class Stored(NamedTuple):
    """All records of a file that can be read from anywhere.

    Attributes
    ----------
    time : ndarray, shape (n,)
        Stamps as they are stored, mapped.
    unit : float
        Their unit [s].
    times : callable
        Gives stamps and livetimes of a slice of the records [s]; livetimes are None if there are
        none.
    pointings : callable
        Gives the seven numbers of `Records.pointings` of a slice of the records.
    """

    time: np.ndarray
    unit: float
    times: Callable[[slice], tuple[np.ndarray, np.ndarray | None]]
    pointings: Callable[[slice], np.ndarray]


def pick(stored: Stored, interval: Interval | None, other: Interval | None) -> Records:
    """Records that the intervals need; stamps are looked up by bisection.

    Parameters
    ----------
    stored : Stored
        All records.
    interval : tuple of float or None
        Interval of the pointings [UNIX s]; None is the whole file.
    other : tuple of float or None
        Another interval whose stamps and livetimes are kept, too.
    """
    time, unit, n_records = stored.time, stored.unit, len(stored.time)
    if n_records == 0:
        return collect(iter(()), interval)
    spans = [span for span in (interval, other) if span is not None]
    low, high = 0, n_records
    if interval is not None:
        low = max(bisect_right(time, min(span[0] for span in spans) / unit) - 1, 0)
        high = bisect_left(time, max(span[1] for span in spans) / unit) + 1
    low = max(min(low, n_records - 2), 0)
    high = min(max(high, low + 2), n_records)
    stamps, livetime = stored.times(slice(low, high))
    start, stop = interval or (stamps[0], stamps[-1])
    first = max(int(np.searchsorted(stamps, start, side="right")) - 1, 0)
    last = int(np.searchsorted(stamps, stop)) + 1
    pointings = stored.pointings(slice(low + first, min(low + last, high)))
    covers = float(time[0]) * unit, float(time[-1]) * unit
    return Records(stamps, livetime, pointings, first, covers)
