"""What of exposure and background belongs to an interval of the events.

Both are taken in proportion to the good time: the telescope is taken to look at the sky alike, with
one fraction of dead time, at all good times.
"""

import logging
from collections.abc import Collection
from typing import NamedTuple

from skyquilt.config.imaging import BackgroundCube, ImagingData
from skyquilt.instruments.backgrounds import read_each
from skyquilt.instruments.imaging.declared import Files
from skyquilt.instruments.imaging.events import ImagingEvents
from skyquilt.instruments.imaging.good_times import GoodTimes, common_time
from skyquilt.instruments.judge import object_to

logger = logging.getLogger(__name__)

_SAME_TIME = 0.01
"""Relative difference of good times that are taken for the same."""


class _Times(NamedTuple):
    """Good times of all events, and those of the interval."""

    whole: GoodTimes
    kept: GoodTimes


def time_fractions(
    data: ImagingData, files: Files, events: ImagingEvents
) -> tuple[float, dict[str, float]]:
    """Factors from exposure and background of the files to those of an interval.

    Parameters
    ----------
    data : ImagingData
        Section `data` of the analysis, with an interval.
    files : Files
        What the files say.
    events : ImagingEvents
        The events of the interval, with their good times.

    Returns
    -------
    of_exposure : float
        Factor on the exposure; 1 where its file is of the interval.
    of_background : dict of str to float
        The same of each component of the background.

    Raises
    ------
    InputError
        If good times of a file are neither those of all events nor those of the interval.
    ValueError
        If the events have no good times.
    """
    if events.whole is None or events.good is None:
        raise ValueError("events without good times have no interval.")
    times = _Times(events.whole, events.good)
    exposure = files.exposure
    of_exposure = _fraction(exposure.path, "exposure", exposure.good, times, data.accept)

    def of_component(name: str, section: BackgroundCube) -> float:
        own = files.backgrounds[name].good if section.scale == 1 else times.whole
        return _fraction(section.path, "background", own, times, data.accept)

    return of_exposure, read_each(data.backgrounds(), of_component)


def _fraction(
    path: str, what: str, own: GoodTimes | None, times: _Times, accepted: Collection[str]
) -> float:
    whole, kept = times
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
