"""Keywords of event lists that change what their rows mean."""

from collections.abc import Collection
from typing import Any

from skyquilt.errors import InputError
from skyquilt.instruments.imaging.fits_file import find_table
from skyquilt.instruments.judge import object_to

_LISTS = ("", "ALL", "ACCEPTED")
"""HDUCLAS2 of events that were seen and kept; others are background, rejected or the like."""
_NOT_SKY = ("OFF", "BKG", "BACKGROUND", "CAL", "CALIB", "CALIBRATION", "DARK", "PEDESTAL", "TEST")
"""OBS_MODE of observations that are not of the sky, or not of sources."""
_SYSTEMS = ("", "ICRS", "FK5", "J2000")


def find_single_table(file: Any, path: str, name: str) -> Any:
    """The one table of a name.

    Raises
    ------
    InputError
        If there is none, or there are several.
    """
    table = find_table(file, path, name)
    n_tables = sum(hdu.name == name for hdu in file)
    if n_tables > 1:
        raise InputError(
            f"{path}: {n_tables} tables {name}; one is needed: give files of one each."
        )
    return table


def check_kind(header: Any, path: str, accepted: Collection[str]) -> None:
    """Refuse tables of other things than photons from the sky.

    Raises
    ------
    InputError
        If HDUCLAS1, HDUCLAS2 or OBS_MODE say so and "selection" is not accepted.
    """
    stated = {key: _text(header, key) for key in ("HDUCLAS1", "HDUCLAS2", "OBS_MODE")}
    wrong = {
        "HDUCLAS1": stated["HDUCLAS1"] not in ("", "EVENTS"),
        "HDUCLAS2": stated["HDUCLAS2"] not in _LISTS,
        "OBS_MODE": stated["OBS_MODE"] in _NOT_SKY,
    }
    for key in (key for key, is_wrong in wrong.items() if is_wrong):
        message = (
            f"{path}: table EVENTS has {key} {stated[key]!r}: these are no photons of the sky."
        )
        object_to(accepted, "selection", message)


def check_equinox(header: Any, primary: Any, path: str) -> None:
    """Refuse RA and DEC of another system than ICRS; FK5 of 2000 is within 0.1 arcsec of it.

    Raises
    ------
    InputError
        If RADESYS (RADECSYS) or EQUINOX say so, in the header of the table or else of the file.
    """
    keys = ("RADESYS", "RADECSYS", "EQUINOX")
    stated: Any = next(
        (one for one in (header, primary) if any(_text(one, key) for key in keys)), {}
    )
    system = _text(stated, "RADESYS") or _text(stated, "RADECSYS")
    equinox = _text(stated, "EQUINOX").lstrip("J") or "2000"
    try:
        is_2000 = abs(float(equinox) - 2000) < 1e-3
    except ValueError:
        is_2000 = False
    if system not in _SYSTEMS or not (is_2000 or system == "ICRS"):
        raise InputError(
            f"{path}: RA and DEC of table EVENTS are of {system or 'equinox'} {equinox}; known are "
            "ICRS and FK5 of 2000: convert them."
        )


def _text(header: Any, key: str) -> str:
    value = header.get(key)
    return "" if value is None else str(value).strip().upper()
