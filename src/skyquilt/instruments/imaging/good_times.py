"""Good time intervals of a file, on the clock of its events."""

import logging
from typing import Any, NamedTuple

import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.imaging.clock import MAX_SECONDS, Clock, offset, read_clock, time_unit
from skyquilt.instruments.imaging.fits_file import column_unit, read_column

logger = logging.getLogger(__name__)


class GoodTimes(NamedTuple):
    """Times in which photons were counted.

    Attributes
    ----------
    start, stop : ndarray of float64, shape (n,)
        Ends of intervals that ascend and do not overlap [s].
    clock : Clock or None
        What they count from; None where no header says.
    """

    start: np.ndarray
    stop: np.ndarray
    clock: Clock | None

    @property
    def total(self) -> float:
        """Sum of the intervals [s]."""
        return float(np.sum(self.stop - self.start))

    def contain(self, time: np.ndarray) -> np.ndarray:
        """Which times lie in an interval."""
        index = np.searchsorted(self.start, time, side="right") - 1
        return (index >= 0) & (time <= self.stop[index])

    def cut(self, ranges: np.ndarray) -> "GoodTimes":
        """The same within some ranges [s], shape (n, 2)."""
        ends = [np.clip((self.start, self.stop), low, high) for low, high in ranges]
        start, stop = _merge(*np.concatenate(ends, axis=1))
        kept = stop > start
        return self._replace(start=start[kept], stop=stop[kept])

    def on_clock(self, clock: Clock | None) -> "GoodTimes":
        """The same, counted by another clock."""
        shift = offset(self.clock, clock)
        return GoodTimes(self.start + shift, self.stop + shift, clock or self.clock)

    def span_unix(self) -> tuple[float, float] | None:
        """First start and last stop [UNIX s]; None where the clock is not known, or none are."""
        if self.clock is None or not self.start.size:
            return None
        ends = self.clock.to_unix(np.array([self.start[0], self.stop[-1]]))
        return float(ends[0]), float(ends[1])


def read_good_times(table: Any, path: str) -> GoodTimes:
    """Good time intervals of a table, on its own clock; those that overlap are one.

    Raises
    ------
    InputError
        If there are no columns START and STOP, no intervals, or one does not end after its start.
    """
    header = table.header
    start, stop = (
        read_column(table, path, name)
        * time_unit(header.get("TIMEUNIT"), column_unit(table, name), path, table.name)
        for name in ("START", "STOP")
    )
    is_finite = np.maximum(np.abs(start), np.abs(stop)) <= MAX_SECONDS
    is_good = is_finite & (start <= stop)
    if not (start.size and is_good.all()):
        raise InputError(
            f"{path}: table {table.name} has {start.size} intervals, {np.count_nonzero(~is_good)} "
            "of them not finite, or without a START at or before the STOP; there must be one or "
            "more, all good."
        )
    merged = _merge(start, stop)
    overlap = float(np.sum(stop - start) - np.sum(merged[1] - merged[0]))
    if overlap > 1e-6 * float(np.sum(stop - start)):
        logger.warning(
            "%s: intervals of table %s overlap; %.6g s are there twice, and count once",
            *(path, table.name, overlap),
        )
    return GoodTimes(*merged, read_clock(header, path, table.name))


def _merge(start: np.ndarray, stop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Intervals in order; those that overlap or touch are one."""
    order = np.argsort(start, kind="stable")
    start, reached = start[order], np.maximum.accumulate(stop[order])
    is_new = np.append(True, start[1:] > reached[:-1])[: start.size]
    is_last = np.append(is_new[1:], True)[: start.size]
    return start[is_new], reached[is_last]


def common_time(one: GoodTimes, other: GoodTimes) -> float:
    """Seconds that lie in intervals of both, which count by one clock."""
    return _until(one, other.stop) - _until(one, other.start)


def _until(times: GoodTimes, moments: np.ndarray) -> float:
    """Sum over moments of the good time before each [s]."""
    before = np.concatenate([[0.0], np.cumsum(times.stop - times.start)])
    index = np.searchsorted(times.start, moments, side="right")
    last = np.maximum(index - 1, 0)
    inside = np.clip(moments - times.start[last], 0, (times.stop - times.start)[last])
    return float(np.sum(before[last] + np.where(index > 0, inside, 0.0)))
