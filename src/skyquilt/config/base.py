"""What every section of the configuration has in common."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic_core import CoreSchema, core_schema

from skyquilt.config.units import to_value


class Section(BaseModel):
    """One section: immutable, numbers are finite, and an unknown key is an error.

    What stands below a key describes it; `skyquilt.config.schema` reads that, for it takes a tenth
    of a second.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, allow_inf_nan=False)


@dataclass(frozen=True)
class Quantity:
    """Of the type of a text: a quantity convertible to `unit`, kept as its text.

    An astropy Quantity is taken, too, and becomes its text.
    """

    unit: str
    is_positive: bool = False

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "examples": [f"1 {self.unit}"]}

    def _check(self, text: Any) -> str:
        if hasattr(text, "unit"):  # of Python users: astropy's Quantity
            text = f"{float(text.value)!r} {text.unit.to_string()}"
        if not isinstance(text, str):
            raise ValueError(f"{text!r} has no unit: give a quantity, as in '1 {self.unit}'")
        if to_value(text, self.unit) <= 0 and self.is_positive:
            raise ValueError(f"{text!r} is not above zero: give a positive quantity in {self.unit}")
        return text


Energy = Annotated[str, Quantity("keV")]

MAX_NSIDE = 8192


def _check_nside(nside: int) -> int:
    if not 1 <= nside <= MAX_NSIDE or nside & (nside - 1):
        raise ValueError(f"nside {nside}: allowed are the powers of two from 1 to {MAX_NSIDE}")
    return nside


Nside = Annotated[int, Field(strict=True), AfterValidator(_check_nside)]

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]
"""Name of an analysis, of a data set: part of the name of a file."""


def is_disjoint(range_a: tuple[float, float], range_b: tuple[float, float]) -> bool:
    """Whether two half-open ranges have nothing in common.

    Examples
    --------
    >>> is_disjoint((1, 2), (2, 3)), is_disjoint((1, 2), (1.5, 3))
    (True, False)
    """
    return range_a[1] <= range_b[0] or range_b[1] <= range_a[0]
