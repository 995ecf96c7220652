"""What every section of the configuration has in common."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from skyquilt.config.units import to_value


class Section(BaseModel):
    """One section: immutable, numbers are finite, and an unknown key is an error."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


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
