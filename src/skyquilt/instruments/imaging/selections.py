"""What a file says of the selection of its photons: the keywords DSTYPn, DSUNIn, DSVALn, DSREFn.

The data subspace keywords are those of the Chandra and Fermi tools; see "Data Subspace Keywords" in
the documentation of the LAT data files.
"""

import logging
import re
from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.judge import object_to
from skyquilt.spectra.energies import format_range

logger = logging.getLogger(__name__)

_SAME = 1e-4  # relative; energies are often stored in single precision
_KEY = re.compile(r"(\d*)DS(TYP|UNI|VAL|REF|FORM)(\d+)")
_MASK = re.compile(r"BIT_MASK\(([^,]+),?(.*)\)")
_CIRCLE = re.compile(r"CIRCLE\(([^,()]+),([^,()]+),([^,()]+)\)")
_RANGES = re.compile(r"[^:,()]*:[^:,()]*(,[^:,()]*:[^:,()]*)*")
_FRAMES = {
    "POS(RA,DEC)": "icrs",
    "POS(L,B)": "galactic",
    "POS(GLON,GLAT)": "galactic",
}
_WHOLE = {
    "RA": (0.0, 360.0),
    "DEC": (-90.0, 90.0),
    **dict.fromkeys(("L", "GLON"), (0.0, 360.0)),
    **dict.fromkeys(("B", "GLAT"), (-90.0, 90.0)),
}
_OF_RESPONSE = ("EVENT_CLASS", "EVENT_TYPE", "CONVERSION_TYPE", "ZENITH_ANGLE", "IRF_VERSION")
"""Selections that a response is made for: they are compared with those of its files."""


class HeaderSelection(NamedTuple):
    """One selection, as the header has it.

    Attributes
    ----------
    number : int
        The n of its keywords.
    kind : str
        DSTYP in capitals; of BIT_MASK its column.
    value : str
        DSVAL in capitals without blanks; of BIT_MASK its other arguments before it.
    unit : str or None
        DSUNI.
    reference : str
        DSREF.
    """

    number: int
    kind: str
    value: str
    unit: str | None = None
    reference: str = ""

    def __str__(self) -> str:
        return f"DSTYP{self.number} {self.kind}, DSVAL{self.number} {self.value}"

    def ranges(self, unit: str, default: str | None = None) -> np.ndarray:
        """Ranges in a unit, shape (n, 2); an open end is infinite.

        Raises
        ------
        ValueError
            If the value is none, or its unit is of another kind.
        """
        from astropy.units import Unit

        if not _RANGES.fullmatch(self.value):
            raise ValueError(f"{self} is no range")
        factor = float(Unit(self.unit or default or unit).to(unit))
        pairs = [part.split(":") for part in self.value.split(",")]
        try:
            ends = [[float(low or -np.inf), float(high or np.inf)] for low, high in pairs]
        except ValueError as error:
            raise ValueError(f"{self} is no range") from error
        return np.array(ends) * factor


class Circle(NamedTuple):
    """A circle on the sky.

    Attributes
    ----------
    frame : {"galactic", "icrs"}
        Frame of its centre.
    lon, lat : float
        Centre [deg].
    radius : float
        Radius [deg].
    """

    frame: str
    lon: float
    lat: float
    radius: float

    def __str__(self) -> str:
        return f"{self.radius:g} deg around ({self.lon:g}, {self.lat:g}) ({self.frame})"


def read_selections(header: Any, path: str) -> tuple[HeaderSelection, ...]:
    """Selections of a header, by their number.

    Raises
    ------
    InputError
        If keywords belong to no selection, or to a second set of them.
    """
    found: dict[int, dict[str, str]] = {}
    for key in header:
        if not (match := _KEY.fullmatch(key)):
            continue
        if match[1]:
            raise InputError(f"{path}: {key}: a second set of selections is not supported.")
        found.setdefault(int(match[3]), {})[match[2]] = str(header[key]).strip()
    for number, keys in found.items():
        if not {"TYP", "VAL"} <= set(keys):
            there = ", ".join(f"DS{key}{number}" for key in keys)
            raise InputError(
                f"{path}: its header has {there}; a selection needs DSTYP{number} and "
                f"DSVAL{number}."
            )
    stated = str(header.get("NDSKEYS", "")).strip()
    if stated.isdigit() and found and int(stated) != len(found):
        logger.warning("%s: NDSKEYS is %s, but %d selections are there", path, stated, len(found))
    return tuple(_selection(number, keys) for number, keys in sorted(found.items()))


def _selection(number: int, keys: dict[str, str]) -> HeaderSelection:
    kind, value = ("".join(keys[key].upper().split()) for key in ("TYP", "VAL"))
    if mask := _MASK.fullmatch(kind):
        kind, value = mask[1], f"{mask[2]},{value}".lstrip(",")
    unit = keys.get("UNI", "")
    is_plain = unit.lower() in ("", "none", "dimensionless")
    return HeaderSelection(number, kind, value, None if is_plain else unit, keys.get("REF", ""))


def read_circle(selection: HeaderSelection) -> Circle | None:
    """Circle of a selection of positions; None for the whole sky.

    Raises
    ------
    ValueError
        If it is another shape, or several.
    """
    match = _CIRCLE.fullmatch(selection.value)
    if match is None:
        raise ValueError(f"{selection}: only one CIRCLE(lon,lat,radius) is supported")
    try:
        lon, lat, radius = (float(text) for text in match.groups())
    except ValueError as error:
        raise ValueError(f"{selection} is no circle") from error
    if not (np.isfinite([lon, lat, radius]).all() and abs(lat) <= 90 and radius > 0):
        raise ValueError(f"{selection} is no circle")
    return None if radius >= 180 else Circle(_FRAMES[selection.kind], lon, lat, radius)


class Selected(NamedTuple):
    """Selections of photons, sorted by what they ask for.

    Attributes
    ----------
    energy : tuple of (HeaderSelection, ndarray of float64, shape (n, 2))
        Selections of energy and their ranges [keV].
    circles : tuple of Circle
        Circles that all photons lie in.
    time : tuple of HeaderSelection
        Selections of time.
    response : tuple of HeaderSelection
        Selections that a response is made for.
    unknown : tuple of str
        What is not understood, for messages.
    """

    energy: tuple[tuple[HeaderSelection, np.ndarray], ...] = ()
    circles: tuple[Circle, ...] = ()
    time: tuple[HeaderSelection, ...] = ()
    response: tuple[HeaderSelection, ...] = ()
    unknown: tuple[str, ...] = ()


def sort_selections(
    selections: tuple[HeaderSelection, ...], energy_unit: str | None = None
) -> Selected:
    """Sort selections by what they ask for.

    Parameters
    ----------
    selections : tuple of HeaderSelection
        All selections of a file.
    energy_unit : str, optional
        Unit of energies without DSUNI: that of their column.
    """
    energy, circles, time, response, unknown = [], [], [], [], []
    for one in selections:
        try:
            if one.kind == "ENERGY":
                energy.append((one, one.ranges("keV", energy_unit or "keV")))
            elif one.kind in _FRAMES:
                if (circle := read_circle(one)) is not None:
                    circles.append(circle)
            elif one.kind in _WHOLE:
                _check_whole(one)
            elif one.kind == "TIME":
                time.append(one)
            elif one.kind in _OF_RESPONSE:
                response.append(one)
            else:
                unknown.append(f"{one} is not understood")
        except (ValueError, TypeError) as error:
            unknown.append(str(error))
    return Selected(tuple(energy), tuple(circles), tuple(time), tuple(response), tuple(unknown))


def _check_whole(selection: HeaderSelection) -> None:
    low, high = _WHOLE[selection.kind]
    ranges = selection.ranges("deg")
    if not np.any((ranges[:, 0] <= low) & (ranges[:, 1] >= high)):
        raise ValueError(f"{selection}: a part of the sky is supported as one circle only")


def check_energies(
    path: str, selected: Selected, span: tuple[float, float], accepted: Collection[str]
) -> None:
    """Refuse energies of which a file has no photons.

    Parameters
    ----------
    path : str
        The file, for messages.
    selected : Selected
        What its header says.
    span : tuple of float
        Lowest and highest energy of the analysis [keV].
    accepted : collection of str
        With "selection" the error is a warning.

    Raises
    ------
    InputError
        If a selection leaves out a part of them.
    """
    for selection, ranges in selected.energy:
        is_whole = (ranges[:, 0] <= span[0] * (1 + _SAME)) & (ranges[:, 1] >= span[1] * (1 - _SAME))
        if not is_whole.any():
            has = " and ".join(format_range(*one) for one in ranges)
            object_to(
                accepted,
                "selection",
                f"{path}: its photons were selected between {has} ({selection} "
                f"{selection.unit or ''}), but the analysis takes {format_range(*span)}: give "
                "`energy: {range: ...}` within the selection.",
            )


def find_mismatch(
    ours: tuple[HeaderSelection, ...], theirs: tuple[HeaderSelection, ...]
) -> str | None:
    """Two selections of one kind that differ, in words; None where there are none."""
    values = {one.kind: one for one in theirs}
    for one in ours:
        other = values.get(one.kind)
        if other is not None and _normal(one) != _normal(other):
            return f"{one.kind} is {one.value} in the first and {other.value} in the second"
    return None


def _normal(selection: HeaderSelection) -> tuple:
    """Value in which 0:105 and 0.0:105.0 are the same."""
    parts = re.split(r"[,:]", selection.value)
    unit = None if selection.unit in (None, "deg") else selection.unit
    return (unit, *(_number(part) for part in parts))


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
