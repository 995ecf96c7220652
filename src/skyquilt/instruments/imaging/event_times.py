"""Which events of a list lie in its good times."""

import logging
from collections.abc import Collection
from typing import Any, NamedTuple, cast

import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.imaging.clock import Clock, read_clock, time_unit
from skyquilt.instruments.imaging.event_header import find_single_table
from skyquilt.instruments.imaging.fits_file import column_unit, read_column
from skyquilt.instruments.imaging.good_times import GoodTimes, read_good_times
from skyquilt.instruments.imaging.interval import cut_good_times
from skyquilt.instruments.imaging.selections import HeaderSelection
from skyquilt.instruments.judge import object_to

logger = logging.getLogger(__name__)


class EventTimes(NamedTuple):
    """Events and their good times.

    Attributes
    ----------
    is_good : ndarray of bool, shape (n,)
        Events that lie in the good times; all, where the file has none.
    good : GoodTimes or None
        The good times, on the clock of the events; those of the interval, where there is one.
    whole : GoodTimes or None
        The good times of the whole file.
    time : ndarray of float64, shape (n,), or None
        Times of all events on their clock [s]; None where there are no good times.
    """

    is_good: np.ndarray
    good: GoodTimes | None
    whole: GoodTimes | None
    time: np.ndarray | None = None

    @property
    def span(self) -> tuple[float, float] | None:
        """First and last good time [UNIX s]; None where they are not known."""
        return None if self.good is None else self.good.span_unix()


def read_event_times(
    file: Any,
    table: Any,
    path: str,
    selections: tuple[HeaderSelection, ...] = (),
    accepted: Collection[str] = (),
    interval: tuple[float, float] | None = None,
) -> EventTimes:
    """Good times of a list, which are turned to the clock of its events, and the events in them.

    Parameters
    ----------
    file : HDUList
        The open file.
    table : BinTableHDU
        Its events.
    path : str
        Its name, for messages.
    selections : tuple of HeaderSelection
        Selections of time: of the table that DSREF names, or ranges.
    accepted : collection of str
        With "clock", good times count by the clock of the events, whatever their header says; with
        "selection", selections of time that are not understood have no effect.
    interval : tuple of float, optional
        Interval [start, stop) to cut to [UNIX s].

    Raises
    ------
    InputError
        If a table or column is missing, a time is not finite, no event lies in the good times, or
        these are not known or have nothing in the interval.
    """
    whole = _read_good(file, table, path, selections, accepted)
    if interval is not None:
        good, (start, stop) = cut_good_times(whole, interval, path)
        whole = cast("GoodTimes", whole)  # or it could not be cut
    elif whole is None:
        return EventTimes(np.ones(len(table.data), dtype=bool), None, None)
    else:
        good, start, stop = whole, -np.inf, np.inf
    unit = time_unit(table.header.get("TIMEUNIT"), column_unit(table, "TIME"), path, table.name)
    time = read_column(table, path, "TIME") * unit
    if n_bad := int(np.count_nonzero(~np.isfinite(time))):
        raise InputError(f"{path}: {n_bad} times of table EVENTS are not finite.")
    is_good = whole.contain(time)
    if time.size and not is_good.any():
        raise InputError(_none_is_good(file, table, path, whole, time))
    if n_out := int(np.count_nonzero(~is_good)):
        logger.info("%s: %d events outside the good time intervals are left out", path, n_out)
    # an event at the border of two intervals is in the second only
    is_inside = (time >= start) & (time < stop)
    if n_out := int(np.count_nonzero(is_good & ~is_inside)):
        logger.info("%s: %d events outside data.interval are left out", path, n_out)
    return EventTimes(is_good & is_inside, good, whole, time)


def _read_good(
    file: Any,
    table: Any,
    path: str,
    selections: tuple[HeaderSelection, ...],
    accepted: Collection[str],
) -> GoodTimes | None:
    names, ranges = [], []
    for one in selections:
        if one.value == "TABLE":
            names.append(one.reference.partition(":")[2].partition("[")[0].strip() or "GTI")
            continue
        try:
            ranges.append(one.ranges("s"))
        except ValueError as error:
            object_to(accepted, "selection", f"{path}: {error}.")
    name = (names or ["GTI"])[0].upper()
    if not names and "GTI" not in file:
        good = GoodTimes(np.array([-np.inf]), np.array([np.inf]), None) if ranges else None
    else:
        good = _on_clock_of_events(file, table, path, name, accepted)
    if good is None:
        return None
    for each in ranges:
        good = good.cut(each)
    if ranges and not good.start.size:
        raise InputError(f"{path}: nothing of the good times is in the selected {selections[0]}.")
    return good


def _on_clock_of_events(
    file: Any, table: Any, path: str, name: str, accepted: Collection[str]
) -> GoodTimes:
    intervals = find_single_table(file, path, name)
    good = read_good_times(intervals, path)
    clock = _clock(file, table, path) or good.clock
    if "clock" in accepted:
        return good._replace(clock=clock)
    if good.clock is None:
        _check_zeros(intervals.header, table.header, path, name)
    turned = good.on_clock(clock)
    shift = float(turned.start[0] - good.start[0])
    if abs(shift) > 1e-3:
        logger.warning(
            "%s: table %s counts times from %s, EVENTS from %s; %.6g s were added",
            *(path, name, good.clock, clock, shift),
        )
    return turned


def _check_zeros(intervals: Any, events: Any, path: str, name: str) -> None:
    """Refuse intervals without a clock of their own that have another TIMEZERO than the events."""
    ours, theirs = (header.get("TIMEZERO") or 0.0 for header in (events, intervals))
    if ours != theirs:
        raise InputError(
            f"{path}: table EVENTS has TIMEZERO {ours}, table {name} has {theirs} and no MJDREF: "
            "what it counts from is not known. `accept: [clock]` under data takes both to count by "
            "one clock."
        )


def _clock(file: Any, table: Any, path: str) -> Clock | None:
    return read_clock(table.header, path, "EVENTS") or read_clock(file[0].header, path, "PRIMARY")


def _none_is_good(file: Any, table: Any, path: str, good: GoodTimes, time: np.ndarray) -> str:
    return (
        f"{path}: none of the {time.size} events lies in the good time intervals of table GTI, "
        f"{good.start[0]:.9g} to {good.stop[-1]:.9g} s on the clock of EVENTS, whose times are "
        f"{time.min():.9g} to {time.max():.9g} s: are MJDREF, TIMEZERO and TIMESYS of both tables "
        "right? `accept: [clock]` under data takes both to count by one clock."
    )
