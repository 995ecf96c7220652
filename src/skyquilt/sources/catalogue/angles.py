"""Columns of angles of a table of others: numbers with or without a unit, and sexagesimal texts."""

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from skyquilt.config.units import convert_unit
from skyquilt.errors import ConfigError, InputError

if TYPE_CHECKING:
    from astropy.table import Table

_UNITS = {
    **dict.fromkeys(("deg", "degs", "degree", "degrees", "°"), "deg"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "hourangle"), "hourangle"),
    **dict.fromkeys(("rad", "radian", "radians"), "rad"),
}
_NONE = {"", "-", "--", "---", "none"}  # units that say nothing
_BLANK = {*_NONE, "n/a", "na", "nan", "null"}  # cells without a number
# 5h34m31.97s, +22d00m52s, 05 34 31.97, -00:15:02, and 5h34.5m or 05 34.5
_SEXAGESIMAL = re.compile(
    r"([-+\u2212]?)\s*(\d{1,3})(?:\s*([hHdD\u00b0])\s*|\s*:\s*|\s+)"
    r"(\d{1,2}(?:\.\d*)?)(?:\s*[mM'\u2032]|"
    r"(?:\s*[mM'\u2032:]\s*|\s+)(\d{1,2}(?:\.\d*)?)\s*(?:[sS\"\u2033]|'')?)?",
    re.ASCII,
)


class Angles(NamedTuple):
    """A column of angles.

    Attributes
    ----------
    degrees : ndarray of float64, shape (n,)
        Its angles [deg], NaN where there is none. Without a unit, they are taken as degrees.
    has_unit : bool
        Whether the file, the configuration or the way of writing say what the numbers are.
    """

    degrees: np.ndarray
    has_unit: bool


def is_text(table: "Table", name: str) -> bool:
    """Whether a column holds texts, or other things, that are not plain numbers."""
    column = table[name]
    if getattr(column, "dtype", np.dtype(object)).kind not in "OSU":
        return False
    return column.ndim != 1 or any(_number(text) is None for text in _texts(table, name))


def read_angles(
    table: "Table", name: str, path: str, given: str | None = None, whole: str = "deg"
) -> Angles:
    """Read a column as angles.

    Parameters
    ----------
    table : Table
        The table.
    name : str
        Name of the column.
    path : str
        The file, for messages.
    given : str, optional
        Unit in the configuration.
    whole : {"deg", "hourangle"}
        What the first number of a sexagesimal text stands for, where neither the text nor `given`
        say.

    Raises
    ------
    InputError
        If the column holds no angles.
    ConfigError
        If its unit is another than the given one.
    """
    column = table[name]
    try:
        if not hasattr(column, "dtype"):  # times and the like, which ECSV knows
            raise ValueError(f"it holds {type(column).__name__}")
        if is_text(table, name):
            return Angles(_sexagesimal(_texts(table, name), _plain(given) or whole), True)
        unit = _choose_unit(column.unit, given, f"{path}: column {name}")
        values = _numbers(table, name)
        return Angles(values * convert_unit(unit or "deg", "deg"), unit is not None)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{path}: column {name} has no angles ({error}); allowed are numbers in degrees or "
            "with a unit of angle, and texts as 05 34 31.9."
        ) from error


def _choose_unit(stated: object, given: str | None, where: str) -> str | None:
    text = "" if stated is None else str(stated).strip().strip('"')
    found = None if text.lower() in _NONE else _plain(text)
    asked = None if given is None else _plain(given)
    units = [unit for unit in (found, asked) if unit is not None]
    if len(units) > 1 and len({convert_unit(unit, "deg") for unit in units}) > 1:
        raise ConfigError(
            f"{where} is in {text!r}, but the configuration says {given!r}: remove that, or mend "
            "the table."
        )
    return found or _plain(given)


def _plain(unit: str | None) -> str | None:
    """Unit of an angle by the name that astropy has for it."""
    return None if unit is None else _UNITS.get(unit.strip().lower(), unit)


def _numbers(table: "Table", name: str) -> np.ndarray:
    column = table[name]
    if column.ndim != 1:
        raise ValueError(f"it has {column.shape[1:]} numbers per row")
    if column.dtype.kind in "OSU":
        return np.array([_number(text) for text in _texts(table, name)], dtype=np.float64)
    if column.dtype.kind not in "fiu":
        raise ValueError(f"it holds {column.dtype.name}")
    return np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan)


def _texts(table: "Table", name: str) -> list[str]:
    """Texts of a column, blank where it is masked."""
    column = table[name]
    if column.ndim != 1:
        raise ValueError(f"it has {column.shape[1:]} texts per row")
    mask = np.ma.getmaskarray(np.ma.asarray(column))
    return [
        ""
        if hidden
        else (value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)).strip()
        for value, hidden in zip(column, mask, strict=True)
    ]


def _number(text: str) -> float | None:
    """Number of a text, NaN if it is blank, None if it is something else."""
    if text.lower() in _BLANK:
        return np.nan
    try:
        return float(text)
    except ValueError:
        return None


def _sexagesimal(texts: list[str], whole: str) -> np.ndarray:
    """Degrees of sexagesimal texts."""
    return np.array([_one_sexagesimal(row, text, whole) for row, text in enumerate(texts)])


def _one_sexagesimal(row: int, text: str, whole: str) -> float:
    if text.lower() in _BLANK:
        return np.nan
    match = _SEXAGESIMAL.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} in row {row}")
    sign, first, letter, minutes, seconds = match.groups()
    if letter:
        whole = "hourangle" if letter in "hH" else "deg"
    values = int(first), float(minutes), float(seconds or 0)
    if values[1] >= 60 or values[2] >= 60 or (whole == "hourangle" and values[0] >= 24):
        raise ValueError(f"{text[:40]!r} in row {row}")
    value = values[0] + values[1] / 60 + values[2] / 3600
    return (-1 if sign in ("-", "\u2212") else 1) * value * (15 if whole == "hourangle" else 1)
