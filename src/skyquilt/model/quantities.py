"""What a number of a model may be: fixed, free, linked, or a function of others."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from skyquilt.model.functions import light_curve

Number = float | tuple[float, ...]
"""One number, or one per member of an axis."""


class Prior(NamedTuple):
    """What is known of a parameter before the data.

    Attributes
    ----------
    kind : str
        "normal" or "log_normal" (of the natural logarithm), with mean and standard deviation;
        "uniform" or "log_uniform", with both ends.
    first, second : float or str
        Two numbers; those of a normal may be names of quantities.
    """

    kind: str
    first: float | str
    second: float | str


@dataclass(frozen=True)
class Fixed:
    """A number that stays.

    Attributes
    ----------
    value : float or tuple of float
        The number, or one per member of the axis `per`.
    per : str, optional
        Axis, as "time_bin".
    unit : str
        Unit; "" for a pure number.
    """

    value: Number
    per: str | None = None
    unit: str = ""


@dataclass(frozen=True)
class Free:
    """A number that is fitted.

    Attributes
    ----------
    start : float or tuple of float
        Where the fit begins; one for all members of the axis `per`, or one each.
    lower, upper : float
        Range.
    prior : Prior, optional
        What is known before.
    per : str, optional
        Axis: one free number for each of its members.
    unit : str
        Unit; "" for a pure number.
    """

    start: Number
    lower: float = -np.inf
    upper: float = np.inf
    prior: Prior | None = None
    per: str | None = None
    unit: str = ""


@dataclass(frozen=True)
class Link:
    """The same number as another one, in a unit of its own; without one, in that of the other."""

    to: str
    unit: str | None = None


@dataclass(frozen=True)
class Expression:
    """Arithmetic of other quantities and of `t`, the time in s, averaged over each bin."""

    text: str
    unit: str = ""


@dataclass(frozen=True)
class Curve:
    """A light curve; its parameters are quantities ``{name}.{parameter}``.

    Attributes
    ----------
    kind : str
        One of `skyquilt.light_curves.functions.LIGHT_CURVES`.
    parameters : mapping of str to Fixed, Free, Link or Expression
        Its parameters.
    unit : str
        Unit of what it gives.
    """

    kind: str
    parameters: Mapping[str, "Quantity"] = field(default_factory=dict)
    unit: str = ""


Quantity = Fixed | Free | Link | Expression | Curve


def written_out(quantities: Mapping[str, Quantity]) -> dict[str, Quantity]:
    """Quantities with the parameters of their light curves beside them.

    Raises
    ------
    ValueError
        If a light curve is not known, or has other parameters.
    """
    result: dict[str, Quantity] = {}
    for name, quantity in quantities.items():
        result[name] = quantity
        if isinstance(quantity, Curve):
            _check_curve(name, quantity)
            parts = {f"{name}.{part}": value for part, value in quantity.parameters.items()}
            if clash := sorted(set(parts) & set(quantities)):
                raise ValueError(f"{clash[0]}: named twice, by {name} and by itself")
            result |= parts
    return result


def _check_curve(name: str, curve: Curve) -> None:
    try:
        wanted = light_curve(curve.kind).parameters
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    if set(curve.parameters) != set(wanted):
        raise ValueError(
            f"{name}: light curve {curve.kind} has the parameters {', '.join(wanted)}, "
            f"not {', '.join(sorted(curve.parameters)) or 'none'}"
        )
