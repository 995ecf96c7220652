"""Quantities and units as texts: astropy's notation, in which photons count as pure numbers."""

import math
import re
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from astropy.units import UnitBase

MAX_LENGTH = 100
"""Most letters of a quantity or unit: none of a paper is longer."""

_NUMBER = re.compile(
    r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\d._,])|[-+]?(?:nan|inf)\b", re.ASCII
)
_PHOTONS = re.compile(r"\b(?:photons?|phs?)(?=\b|[-+\d^_])")
_LEADING_PHOTONS = re.compile(r"^(?:photons?|ph)\s+")
_ENERGIES = {"keV": 3, "MeV": 6, "GeV": 9, "TeV": 12}
_SIMPLE = re.compile(r"[^\s()*.]*")


def to_value(text: str, unit: str) -> float:
    """Value of a quantity such as ``"100 keV"`` in `unit`.

    Parameters
    ----------
    text : str
        Number and unit, in astropy's notation; photons in it count as pure numbers.
    unit : str
        Unit of the result.

    Returns
    -------
    float
        The value in `unit`.

    Raises
    ------
    ValueError
        If `text` is no finite number with a unit convertible to `unit`.

    Examples
    --------
    >>> to_value("0.1 MeV", "keV")
    100.0
    >>> to_value("2 ph cm-2 s-1 keV-1", "cm-2 s-1 keV-1")
    2.0
    """
    allowed = f"give a finite number with a unit convertible to {unit}, as in '1 {unit}'"
    number = _NUMBER.match(text.strip()[:MAX_LENGTH])
    try:
        if number is None:
            raise ValueError("no number")
        factor = convert_unit(text.strip()[number.end() :], unit)
    except ValueError as error:
        raise ValueError(f"{_shorten(text)} is not a quantity in {unit}: {allowed}") from error
    value = float(number.group()) * factor
    if not math.isfinite(value):
        raise ValueError(f"{_shorten(text)} is not one finite quantity: {allowed}")
    return value


def convert_unit(text: str, unit: str) -> float:
    """Factor from a unit given as text to another one.

    Parameters
    ----------
    text : str
        Unit in astropy's notation; photons in it count as pure numbers, and what follows a slash
        is divided by, however many there are.
    unit : str
        Unit wanted.

    Raises
    ------
    ValueError
        If `text` is no unit, or one of another kind.

    Examples
    --------
    >>> convert_unit("photons/m2/s", "cm-2 s-1")
    0.0001
    """
    if (factor := _factor_without_astropy(text.strip(), unit)) is not None:
        return factor
    try:
        return float(parse_unit(text).to(unit))
    except (TypeError, ArithmeticError) as error:
        raise ValueError(str(error)) from error


def _factor_without_astropy(text: str, unit: str) -> float | None:
    """Factor between units that are the same, or energies: astropy takes longer than a fit."""
    plain = _LEADING_PHOTONS.sub("", text)
    if plain == unit:
        return 1.0
    if plain in _ENERGIES and unit in _ENERGIES:
        return float(f"1e{_ENERGIES[plain] - _ENERGIES[unit]}")
    return None


def parse_unit(text: str) -> "UnitBase":
    """Unit of a text, without its photons.

    Raises
    ------
    ValueError
        If it is none.
    """
    from astropy.units import Unit, ph

    if len(text) > MAX_LENGTH:
        raise ValueError(f"{_shorten(text)} is no unit: it has {len(text)} letters")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # notations that the FITS standard does not like
        try:
            unit = Unit(_join_divisors(_PHOTONS.sub("ph", text.strip())))
        except (TypeError, ArithmeticError, RecursionError) as error:
            raise ValueError(f"{_shorten(text)} is no unit") from error
    powers = dict(zip(unit.bases, unit.powers, strict=True))
    return unit / ph ** powers[ph] if ph in powers else unit


def _join_divisors(text: str) -> str:
    """A text such as ``a/b/c`` as ``a / (b c)``; others as they are."""
    first, *divisors = (part.strip() for part in text.split("/"))
    if not divisors or not all(part and _SIMPLE.fullmatch(part) for part in divisors):
        return text
    return f"{first or 1} / ({' '.join(divisors)})"


def _shorten(text: str) -> str:
    """Text in quotes; of a very long one, the beginning."""
    return repr(text if len(text) <= MAX_LENGTH else f"{text[: MAX_LENGTH - 3]}...")
