"""Events of a time interval, and what of exposure and background belongs to it.

Exposure and background of all good times are taken in proportion to the good time: the telescope
is taken to look at the sky alike, with one fraction of dead time, at all of them.
"""

import logging
from collections.abc import Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from skyquilt.config.imaging import ImagingData
from skyquilt.errors import InputError
from skyquilt.instruments.imaging.good_times import GoodTimes, common_time
from skyquilt.instruments.judge import object_to

if TYPE_CHECKING:
    from skyquilt.instruments.imaging.declared import Files
    from skyquilt.instruments.imaging.events import Events

logger = logging.getLogger(__name__)

_LEAST = 1e-3
"""Good time that is worth a fit [s]; clocks and UNIX time agree to some microseconds."""
_SAME_TIME = 0.01
"""Relative difference of good times that are taken for the same."""


def cut_good_times(
    good: GoodTimes | None, interval: tuple[float, float], path: str
) -> tuple[GoodTimes, tuple[float, float]]:
    """Good times within an interval.

    Parameters
    ----------
    good : GoodTimes or None
        Good times of a list of events.
    interval : tuple of float
        Start and end [UNIX s].
    path : str
        The list, for messages.

    Returns
    -------
    good : GoodTimes
        Those in the interval.
    ends : tuple of float
        The interval on their clock [s].

    Raises
    ------
    InputError
        If no good times are known, or not what they count from, or none is in the interval.
    """
    if good is None or not np.isfinite(good.total):
        raise InputError(
            f"{path}: its good times are not known (no table GTI), so that the exposure of "
            "data.interval is not known either: add the table, or give files of that time without "
            "`interval`."
        )
    if good.clock is None:
        raise InputError(
            f"{path}: what its times count from is not known (no MJDREF, or MJDREFI and MJDREFF), "
            "but data.interval is in UNIX s: mend the header, or give files of that time without "
            "`interval`."
        )
    ends = tuple(float(end) for end in good.clock.from_unix(np.array(interval)))
    cut = good.cut(np.array([ends]))
    if not cut.total > _LEAST:
        first, last = good.span_unix()
        raise InputError(
            f"{path}: nothing of its good times lies in data.interval, {_say(*interval)}; they "
            f"go from {_say(first, last)} with gaps: choose an interval among them."
        )
    logger.info(
        "%s: %.6g of %.6g s of good time lie in data.interval, %s",
        *(path, cut.total, good.total, _say(*interval)),
    )
    return cut, ends


def time_fractions(data: ImagingData, files: "Files", events: "Events") -> tuple[float, float]:
    """Factors from exposure and background of the files to those of an interval.

    Parameters
    ----------
    data : ImagingData
        Section `data` of the analysis, with an interval.
    files : Files
        What the files say.
    events : Events
        The events of the interval.

    Returns
    -------
    tuple of float
        Factor on the exposure, and on the background; 1 where a file is of the interval.

    Raises
    ------
    InputError
        If good times of a file are neither those of all events nor those of the interval.
    """
    own = files.background.good if data.background.scale == 1 else events.whole
    return (
        _fraction(files.exposure.path, "exposure", files.exposure.good, events, data.accept),
        _fraction(files.background.path, "background", own, events, data.accept),
    )


def _fraction(
    path: str, what: str, own: GoodTimes | None, events: "Events", accepted: Collection[str]
) -> float:
    whole, kept = events.whole, events.good
    part = kept.total / whole.total
    if own is None:
        logger.warning(
            "%s: does not say of which time its %s is; it is taken to be of all %.6g s of good "
            "time of the events, and multiplied by %.6g for data.interval",
            *(path, what, whole.total, part),
        )
        return part
    if _is_same(own, kept):
        return 1.0
    if not _is_same(own, whole):
        object_to(
            accepted,
            "times",
            f"{path}: its {what} is of {own.total:.6g} s of good time, which are neither the "
            f"{whole.total:.6g} s of the events nor the {kept.total:.6g} s of them in "
            "data.interval.",
        )
    logger.info("%s: %s times %.6g for data.interval, as its good time", path, what, part)
    return part


def _is_same(one: GoodTimes, other: GoodTimes) -> bool:
    theirs = other.on_clock(one.clock)
    most = max(one.total, theirs.total)
    return common_time(one, theirs) >= (1 - _SAME_TIME) * most


def _say(start: float, stop: float) -> str:
    """Two times, for people."""
    dates = (_date(one) for one in (start, stop))
    return f"{start:.6f} to {stop:.6f} s ({' to '.join(dates)})"


def _date(unix: float) -> str:
    try:
        return f"{datetime.fromtimestamp(unix, UTC):%Y-%m-%dT%H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return "no date"
