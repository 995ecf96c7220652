"""One number of a model: fixed, free, linked, or a function of others."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Tag,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema
from typing_extensions import TypeAliasType

from skyquilt.config.base import Section
from skyquilt.config.units import to_value

Value = float | Annotated[str, Field(max_length=100)]
"""A number, or a quantity with its unit."""

Axis = Literal["time_bin", "dataset"]
"""Of what a parameter has one number each."""

QuantityName = Annotated[
    str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9][A-Za-z0-9_-]*)*$", max_length=130)
]
"""Name of a number of a model, as `burst.index`."""

PlainName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=64)]
"""Name of a source or of a parameter that stands for itself; expressions hold it."""

PRIORS = ("normal", "log_normal", "uniform", "log_uniform")
"""Kinds of priors."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")


def is_name(value: Value) -> bool:
    """Whether a number of a prior is the name of another number.

    Examples
    --------
    >>> is_name("mean"), is_name("5 s"), is_name(5.0)
    (True, False, False)
    """
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def read_value(value: Value, unit: str) -> float:
    """A number in a unit.

    Raises
    ------
    ValueError
        If it has no unit and needs one, or one of another kind.

    Examples
    --------
    >>> read_value("0.1 MeV", "keV"), read_value(0, "keV"), read_value(-2, "")
    (100.0, 0.0, -2.0)
    """
    if isinstance(value, str):
        if not unit:
            return _pure_number(value)
        return to_value(value, unit)
    if unit and value != 0:
        raise ValueError(f"{value:g} has no unit: give a quantity, as in '{value:g} {unit}'")
    return float(value)


def _pure_number(text: str) -> float:
    try:
        return to_value(text, "")
    except ValueError as error:
        raise ValueError(f"{text!r} is no number: this parameter has no unit") from error


class PriorOptions(Section):
    """What is known of a parameter before the data: one of these."""

    normal: tuple[Value, Value] | None = None
    """Mean and standard deviation; each may be the name of another parameter."""
    log_normal: tuple[Value, float] | None = None
    """exp(mean of the natural logarithm), and its standard deviation."""
    uniform: tuple[Value, Value] | None = None
    """Both ends."""
    log_uniform: tuple[Value, Value] | None = None
    """Both ends, above zero."""

    @model_validator(mode="after")
    def _check_one(self):
        given = [kind for kind in PRIORS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(
                f"give one of {', '.join(PRIORS)}; given: {' and '.join(given) or 'none'}"
            )
        return self

    @property
    def kind(self) -> str:
        """The kind that is given."""
        return next(kind for kind in PRIORS if getattr(self, kind) is not None)

    @property
    def numbers(self) -> tuple[Value, Value]:
        """Its two numbers."""
        return getattr(self, self.kind)


class FreeParameter(Section):
    """A number that is fitted."""

    start: Value
    """Where the fit begins."""
    range: tuple[Value | None, Value | None] = (None, None)
    """Lowest and highest value; null where there is no limit."""
    prior: PriorOptions | None = None
    """What is known before the data."""
    per: Axis | None = None
    """One number for each time bin, or each data set."""


class LinkedParameter(Section):
    """The same number as another one; its unit is converted."""

    link: QuantityName
    """Name of the other one."""


class ExpressionParameter(Section):
    """A function of other numbers, each in its own unit, and of `t`."""

    expr: str
    """Arithmetic of names, numbers, `t` (s since `epoch`), and exp, log, sqrt, sin, cos, tan."""


def _kind(settings: Any) -> str:
    if isinstance(settings, dict):
        for key in ("light_curve", "link", "expr"):
            if key in settings:
                return key
        return "free"
    match settings:
        case FreeParameter():
            return "free"
        case LinkedParameter():
            return "link"
        case ExpressionParameter():
            return "expr"
        case _:
            return "light_curve" if isinstance(settings, Section) else "fixed"


Parameter = TypeAliasType(
    "Parameter",
    Annotated[
        Annotated[Value, Tag("fixed")]
        | Annotated[FreeParameter, Tag("free")]
        | Annotated[LinkedParameter, Tag("link")]
        | Annotated[ExpressionParameter, Tag("expr")],
        Discriminator(
            _kind,
            custom_error_type="parameter",
            custom_error_message=(
                "a light curve cannot stand here; give a number, or one of start, link, expr"
            ),
        ),
    ],
)
"""A number, `{start, range, prior, per}`, `{link}` or `{expr}`."""


@dataclass(frozen=True)
class InUnit:
    """Of the type of a parameter: its numbers convert to `unit`, in which the model has them."""

    unit: str
    is_positive: bool = False
    """Whether only numbers above zero have a meaning."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(schema)

    def _check(self, parameter: Any) -> Any:
        check_unit(parameter, self.unit)
        return parameter


def check_unit(parameter: Any, unit: str) -> None:
    """Check that all numbers of a parameter convert to a unit.

    Raises
    ------
    ValueError
        If one does not.
    """
    for value, its_unit in _numbers(parameter, unit):
        read_value(value, its_unit)


def _numbers(parameter: Any, unit: str) -> Iterator[tuple[Value, str]]:
    """All numbers of a parameter, each with the unit that it has to have."""
    if isinstance(parameter, FreeParameter):
        yield parameter.start, unit
        yield from ((end, unit) for end in parameter.range if end is not None)
        if (prior := parameter.prior) is not None:
            first, second = prior.numbers
            names = prior.kind == "normal"
            if not (names and is_name(first)):
                yield first, unit
            if not (names and is_name(second)):
                yield second, "" if prior.kind == "log_normal" else unit
    elif isinstance(parameter, str | float):
        yield parameter, unit
