"""What every section of the configuration has in common."""

from pathlib import PurePath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


class Section(BaseModel):
    """One section: immutable, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def to_value(text: str, unit: str) -> float:
    """Value of a quantity such as ``"100 keV"`` in `unit`.

    Parameters
    ----------
    text : str
        Number and unit, in astropy's notation.
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
    """
    import math

    from astropy.units import Quantity

    allowed = f"give a finite number with a unit convertible to {unit}, as in '1 {unit}'"
    try:
        value = Quantity(text).to_value(unit)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{text!r} is not a quantity in {unit}: {allowed}") from error
    if not (value.ndim == 0 if hasattr(value, "ndim") else True) or not math.isfinite(value):
        raise ValueError(f"{text!r} is not one finite quantity: {allowed}")
    return float(value)


def quantity(unit: str):
    """Field type of a quantity kept as its text and checked to be convertible to `unit`."""

    def check(text: str) -> str:
        if not isinstance(text, str):
            raise ValueError(f"{text!r} has no unit: give a quantity, as in '1 {unit}'")
        to_value(text, unit)
        return text

    return Annotated[str, BeforeValidator(check), Field(description=f"quantity, as in '1 {unit}'")]


Energy = quantity("keV")

MAX_NSIDE = 8192


def _check_nside(nside: int) -> int:
    if not 1 <= nside <= MAX_NSIDE or nside & (nside - 1):
        raise ValueError(f"nside {nside}: allowed are the powers of two from 1 to {MAX_NSIDE}")
    return nside


Nside = Annotated[int, Field(strict=True), AfterValidator(_check_nside)]

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]
"""Name of an analysis, of a data set: part of the name of a file."""


def is_apart(range_a: tuple[float, float], range_b: tuple[float, float]) -> bool:
    """Whether two half-open ranges have nothing in common.

    Examples
    --------
    >>> is_apart((1, 2), (2, 3)), is_apart((1, 2), (1.5, 3))
    (True, False)
    """
    return range_a[1] <= range_b[0] or range_b[1] <= range_a[0]


def _check_path(path: str) -> str:
    if not path or any(letter in "{}" or not letter.isprintable() for letter in path):
        raise ValueError(f"{path!r}: allowed are printable letters other than braces, at least one")
    if ".." in PurePath(path).parts:
        raise ValueError(
            f"{path!r}: `..` is not allowed where something is written: give a folder in the "
            "working folder, or its full path"
        )
    return path


OutputPath = Annotated[str, AfterValidator(_check_path)]
"""Place of what is written; braces are Snakemake's wildcards, and `..` leads out of the place."""
