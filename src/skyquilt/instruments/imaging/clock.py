"""What times in a table count from: MJDREF, TIMEZERO, TIMESYS, TIMEUNIT."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from skyquilt.errors import InputError

_MAX_DAY = 1e5  # MJD: 2132
MAX_SECONDS = 1e10
"""Largest time that is taken for one [s]: 300 years, and MJD in seconds."""
_SCALES = ("tai", "tcb", "tcg", "tdb", "tt", "utc")
_UNITS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
    "ms": 1e-3,
    "us": 1e-6,
}  # [s]


class Clock(NamedTuple):
    """Zero of the times of a table.

    Attributes
    ----------
    day, fraction : float
        Zero [days, MJD].
    zero : float
        Time added to all times (TIMEZERO) [s].
    scale : str
        Time scale, as astropy calls it.
    """

    day: float
    fraction: float
    zero: float
    scale: str

    def to_time(self, seconds: np.ndarray | float) -> Any:
        """Times of this clock as astropy's."""
        from astropy.time import Time, TimeDelta

        with _any_year():
            start = Time(self.day, self.fraction, format="mjd", scale=self.scale)
            return start + TimeDelta(np.asarray(seconds) + self.zero, format="sec")

    def to_unix(self, seconds: np.ndarray) -> np.ndarray:
        """Times of this clock [UNIX s]."""
        with _any_year():
            return self.to_time(seconds).unix

    def from_unix(self, unix: np.ndarray) -> np.ndarray:
        """Times of this clock from UNIX ones [s]."""
        from astropy.time import Time

        with _any_year():
            return (Time(unix, format="unix").tai - self.to_time(0.0).tai).sec

    def __str__(self) -> str:
        zero = f" + {self.zero:.12g} s" if self.zero else ""
        return f"MJD {self.day + self.fraction:.12g}{zero} {self.scale.upper()}"


def read_clock(header: Any, path: str, table: str) -> Clock | None:
    """Clock of a header; None where it does not say when it began.

    Raises
    ------
    InputError
        If a keyword has no value that is known.
    """
    if "MJDREF" not in header and "MJDREFI" not in header:
        return None
    scale = (str(header.get("TIMESYS") or "").strip() or "UTC").lower()
    if scale not in _SCALES:
        raise InputError(
            f"{path}: table {table} has TIMESYS {scale.upper()!r}; known are "
            f"{', '.join(_SCALES).upper()}."
        )
    unit = time_unit(header.get("TIMEUNIT"), None, path, table)
    try:
        day = float(header.get("MJDREFI", header.get("MJDREF", 0.0)))
        fraction = float(header.get("MJDREFF", 0.0)) if "MJDREFI" in header else 0.0
        zero = float(header.get("TIMEZERO", 0.0)) * unit
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: table {table}: MJDREF or TIMEZERO is no number.") from error
    if not (abs(day) + abs(fraction) <= _MAX_DAY and abs(zero) <= MAX_SECONDS):
        raise InputError(
            f"{path}: table {table}: MJDREF {day + fraction:g} or TIMEZERO {zero:g} s is no time "
            f"within {_MAX_DAY:g} days."
        )
    return Clock(day, fraction, zero, scale)


def time_unit(stated: object, column: str | None, path: str, table: str) -> float:
    """Unit of the times of a column [s], from TIMEUNIT and the column's own unit.

    Raises
    ------
    InputError
        If one is not known, or they differ.
    """
    found = {}
    for name, text in (("TIMEUNIT", stated), ("TUNIT", column)):
        if text is None or not str(text).strip():
            continue
        unit = _UNITS.get(str(text).strip().lower())
        if unit is None:
            raise InputError(
                f"{path}: table {table} has times in {str(text)!r}, {name}; known: s, min, h, d."
            )
        found[name] = unit
    if len(set(found.values())) > 1:
        raise InputError(
            f"{path}: table {table} has TIMEUNIT {str(stated)!r}, but a column of times in "
            f"{column!r}: mend the header."
        )
    return next(iter(found.values()), 1.0)


def offset(one: Clock | None, other: Clock | None) -> float:
    """Seconds to add to times of one clock for those of another; 0 where one is not known."""
    if one is None or other is None or one == other:
        return 0.0
    # at one time of both, so that leap seconds since their zeros do not count
    with _any_year():
        return float((one.to_time(0.0).tai - other.to_time(0.0).tai).sec)


@contextmanager
def _any_year() -> Iterator[None]:
    """Without warnings of years before UTC, or after its last announced second."""
    from erfa import ErfaWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ErfaWarning)
        yield
