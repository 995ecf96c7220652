"""One observation of a Cherenkov telescope: its events, where it pointed, and for how long."""

import logging
from typing import Any, NamedTuple

import numpy as np

from skyquilt.config.dl3 import Dl3Data
from skyquilt.config.imaging import EventList
from skyquilt.errors import InputError
from skyquilt.instruments.imaging.events import ImagingEvents, read_events
from skyquilt.instruments.imaging.fits_file import find_table, open_fits
from skyquilt.instruments.judge import object_to
from skyquilt.sky.frames import lonlat_to_vec, rotate, rotation

logger = logging.getLogger(__name__)

_FIXED = ("", "POINTING", "WOBBLE", "ON", "SURVEY", "GRID", "CALIB")
_SAME_TIME = 0.01  # relative difference of times that are taken for the same


class Observation(NamedTuple):
    """Events in the good times of one observation, in the frame ICRS.

    Attributes
    ----------
    name : str
        Its number, or what the file is called.
    events : ImagingEvents
        The events.
    pointing : ndarray of float64, shape (3,)
        Unit vector to where the telescope pointed.
    livetime, ontime : float
        Good time without and with the time that the telescope was dead [s].
    """

    name: str
    events: ImagingEvents
    pointing: np.ndarray
    livetime: float
    ontime: float


def read_observation(path: str, data: Dl3Data) -> Observation:
    """Events and header of a file.

    Raises
    ------
    InputError
        If the file is damaged, a keyword is missing, or the telescope did not stay on one
        direction.
    """
    events = read_events(EventList(path=path), data.accept, data.interval)
    with open_fits(path) as file:
        header = find_table(file, path, "EVENTS").header
    mode = str(header.get("OBS_MODE") or "").strip().upper()
    if mode not in _FIXED:
        object_to(
            data.accept,
            "selection",
            f"{path}: OBS_MODE is {mode!r}: responses hold for one pointing of the telescope.",
        )
    lon, lat = (_number(header, path, key) for key in ("RA_PNT", "DEC_PNT"))
    if not (abs(lon) <= 360 and abs(lat) <= 90):
        raise InputError(f"{path}: RA_PNT {lon:g}, DEC_PNT {lat:g}: no direction on the sky.")
    livetime, ontime = _times(header, path, events)
    direction = rotate(rotation(events.frame, "icrs"), events.direction)
    return Observation(
        str(header.get("OBS_ID") or "").strip() or path.rpartition("/")[2].partition(".")[0],
        events._replace(frame="icrs", direction=direction),
        lonlat_to_vec(lon, lat),
        livetime,
        ontime,
    )


def _times(header: Any, path: str, events: ImagingEvents) -> tuple[float, float]:
    """Livetime and time of the observation [s], of the interval that is taken."""
    if events.good is None or events.whole is None:
        ontime = _number(header, path, "ONTIME")
        whole = ontime
    else:
        whole, ontime = events.whole.total, events.good.total
    fraction = ontime / whole if whole > 0 else 0.0
    livetime = _number(header, path, "LIVETIME")
    if not 0 < livetime <= whole * (1 + _SAME_TIME):
        raise InputError(
            f"{path}: LIVETIME is {livetime:g} s, the good time {whole:g} s: allowed is a time "
            "above 0 and no longer than that."
        )
    stated = header.get("ONTIME")
    if isinstance(stated, int | float) and abs(stated - whole) > _SAME_TIME * whole:
        logger.warning(
            "%s: ONTIME is %.6g s, the good time intervals have %.6g s, which are taken",
            *(path, stated, whole),
        )
    return livetime * fraction, ontime


def _number(header: Any, path: str, key: str) -> float:
    value = header.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise InputError(
            f"{path}: table EVENTS needs the keyword {key}, a number; it is {value!r}."
        )
    return float(value)
