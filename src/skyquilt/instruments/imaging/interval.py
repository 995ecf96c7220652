"""Good times of events within a time interval of the configuration."""

import logging
from datetime import UTC, datetime

import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.imaging.clock import Clock
from skyquilt.instruments.imaging.good_times import GoodTimes

logger = logging.getLogger(__name__)

_LEAST = 1e-3
"""Good time that is worth a fit [s]; clocks and UNIX time agree to some microseconds."""


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
    start, stop = (float(end) for end in good.clock.from_unix(np.array(interval)))
    ends = (start, stop)
    cut = good.cut(np.array([ends]))
    if not cut.total > _LEAST:
        several = f", in {good.start.size} pieces" if good.start.size > 1 else ""
        raise InputError(
            f"{path}: nothing of its good times lies in data.interval, {_say(*interval)}; they "
            f"go from {_say(*_ends(good, good.clock))}{several}: choose an interval among them."
        )
    logger.info(
        "%s: %.6g of %.6g s of good time lie in data.interval, %s",
        *(path, cut.total, good.total, _say(*interval)),
    )
    return cut, ends


def _ends(good: GoodTimes, clock: Clock) -> tuple[float, float]:
    first, last = clock.to_unix(np.array([good.start[0], good.stop[-1]]))
    return float(first), float(last)


def _say(start: float, stop: float) -> str:
    """Two times, for people."""
    dates = (_date(one) for one in (start, stop))
    return f"{start:.6f} to {stop:.6f} s ({' to '.join(dates)})"


def _date(unix: float) -> str:
    try:
        return f"{datetime.fromtimestamp(unix, UTC):%Y-%m-%dT%H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return "no date"
