"""From the section `model` of an analysis to the quantities of a fit."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from skyquilt.config.model import ModelOptions
from skyquilt.config.model_functions import ModelFunction, curve_parameters
from skyquilt.config.model_parameter import (
    ExpressionParameter,
    FreeParameter,
    LinkedParameter,
    PriorOptions,
    is_name,
    read_value,
)
from skyquilt.config.units import to_value
from skyquilt.errors import nearest_to
from skyquilt.model.quantities import (
    Curve,
    Expression,
    Fixed,
    Free,
    Link,
    Prior,
    Quantity,
)

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")

OFFSETS = ("offset_east", "offset_north")
"""Quantities of a pointing error, after the name of its data set."""


class Setting(NamedTuple):
    """A parameter as it is configured.

    Attributes
    ----------
    parameter : Parameter or ModelFunction
        What it is.
    unit : str
        Unit that it has in the model.
    is_positive : bool
        Whether only numbers above zero have a meaning.
    """

    parameter: Any
    unit: str
    is_positive: bool = False


class Start(NamedTuple):
    """Where a source is looked for first, in the frame of the problem.

    Attributes
    ----------
    lon, lat : float
        Longitude and latitude [deg].
    """

    lon: float
    lat: float


def make_quantities(
    options: ModelOptions,
    name: str,
    components: Mapping[str, tuple[str, ...]],
    starts: Mapping[str, Start],
    axes: Mapping[str, str] | None = None,
) -> dict[str, Quantity]:
    """Quantities of a fit, in the order of sources, backgrounds, and what stands for itself.

    Parameters
    ----------
    options : ModelOptions
        The section.
    name : str
        Name of the fit.
    components : dict of str to tuple of str
        Components of the background of each data set.
    starts : dict of str to Start
        Where each source is looked for first; those of linked positions are left out.
    axes : dict of str to str, optional
        Axis of the time bins of a factor on a background, where it is another than "time_bin".

    Raises
    ------
    ValueError
        If a name is not known or there twice, or a unit does not fit; the message begins with the
        name.
    """
    positions = _positions(options, starts)
    settings = _settings(options, name, components)
    quantities = positions | {key: _quantity(key, *one) for key, one in settings.items()}
    for key, axis in (axes or {}).items():
        quantity = quantities[key]
        if isinstance(quantity, Free) and quantity.per == "time_bin":
            quantities[key] = replace(quantity, per=axis)
    return _in_order(quantities, options)


def _in_order(quantities: dict[str, Quantity], options: ModelOptions) -> dict[str, Quantity]:
    """Quantities of each source together, its position first."""
    order = [key for source in options.sources for key in quantities if _is_of(key, source)]
    return {key: quantities[key] for key in dict.fromkeys([*order, *quantities])}


def _is_of(key: str, source: str) -> bool:
    return key.partition(".")[0] == source


def _settings(
    options: ModelOptions, name: str, components: Mapping[str, tuple[str, ...]]
) -> dict[str, Setting]:
    """All parameters but positions, those that the fit sets replaced."""
    fit = options.fits[name]
    found: dict[str, Setting] = {}

    def add(key: str, setting: Setting) -> None:
        if key in found:
            raise ValueError(f"{key}: two parameters have this name; rename a source or data set")
        found[key] = setting

    for source, one in options.sources.items():
        add(f"{source}.flux", Setting(one.flux, ""))
        for function in (one.spectrum, one.shape):
            for part, (parameter, unit) in function.parameters().items():
                add(f"{source}.{part}", Setting(parameter, unit, part in function.positive()))
        if one.shape.name == "gaussian":  # round: the elliptical one has no fewer parameters
            add(f"{source}.ratio", Setting(1.0, ""))
            add(f"{source}.angle", Setting("0 deg", "deg"))
    for key, parameter in options.backgrounds(components).parameters.items():
        add(key, Setting(parameter, ""))
    for dataset, offset in options.offsets.items():
        sigma = to_value(offset.sigma, "deg")
        for part in OFFSETS:
            free = FreeParameter(
                start="0 deg",
                range=(f"{-10 * sigma!r} deg", f"{10 * sigma!r} deg"),
                prior=PriorOptions(normal=("0 deg", f"{sigma!r} deg")),
            )
            add(f"{dataset or 'pointing'}.{part}", Setting(free, "deg"))
    for key, parameter in {**options.parameters, **fit.parameters}.items():
        if key in found or (key in options.parameters and key in fit.parameters):
            raise ValueError(f"{key}: two parameters have this name; choose another")
        found[key] = Setting(parameter, _own_unit(parameter))
    for key, parameter in fit.set.items():
        _replace(found, key, parameter)
    return found


def _replace(found: dict[str, Setting], key: str, parameter: Any) -> None:
    """Put what a fit sets in the place of a parameter, or of one of its light curve."""
    if key in found:
        found[key] = found[key]._replace(parameter=parameter)
        return
    whole, _, part = key.rpartition(".")
    curve = found[whole].parameter if whole in found else None
    if isinstance(curve, ModelFunction) and part in type(curve).model_fields:
        changed = curve.model_copy(update={part: parameter})
        found[whole] = found[whole]._replace(parameter=changed)
        return
    if key.rpartition(".")[2] in ("lon", "lat"):
        raise ValueError(f"set.{key}: positions are those of `sources`; set other parameters")
    raise ValueError(f"set.{key}: no such parameter; {nearest_to(key, found)}")


def _own_unit(parameter: Any) -> str:
    """Unit of a parameter that stands for itself: that of its start."""
    value = parameter.start if isinstance(parameter, FreeParameter) else parameter
    if not isinstance(value, str):
        return ""
    return _NUMBER.sub("", value.strip(), count=1).strip()


def _positions(options: ModelOptions, starts: Mapping[str, Start]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for source, one in options.sources.items():
        lon, lat = f"{source}.lon", f"{source}.lat"
        position = one.position
        if position.link is not None:
            found[lon], found[lat] = Link(f"{position.link}.lon"), Link(f"{position.link}.lat")
            continue
        start = starts[source]
        if position.range is None:
            found[lon], found[lat] = Fixed(start.lon, unit="deg"), Fixed(start.lat, unit="deg")
            continue
        width = to_value(position.range, "deg")
        low, high = max(start.lat - width, -90.0), min(start.lat + width, 90.0)
        found[lon] = Free(start.lon, *_around(start, width), per=position.per, unit="deg")
        found[lat] = Free(start.lat, low, high, per=position.per, unit="deg")
    return found


def _around(start: Start, width: float) -> tuple[float, float]:
    """Longitudes within an angle of a direction; all where it holds a pole."""
    if abs(start.lat) + width >= 90.0:
        return start.lon - 180.0, start.lon + 180.0
    half = np.degrees(np.arcsin(np.sin(np.radians(width)) / np.cos(np.radians(start.lat))))
    return start.lon - float(half), start.lon + float(half)


def _quantity(key: str, parameter: Any, unit: str, is_positive: bool = False) -> Quantity:
    try:
        match parameter:
            case LinkedParameter(link=to):
                return Link(to, unit)
            case ExpressionParameter(expr=text):
                return Expression(text, unit)
            case FreeParameter():
                return (
                    _above_zero(_free(parameter, unit)) if is_positive else _free(parameter, unit)
                )
            case ModelFunction():
                positive = parameter.positive()
                parts = {
                    name: _quantity(f"{key}.{name}", inner, inner_unit, name in positive)
                    for name, (inner, inner_unit) in curve_parameters(parameter, unit).items()
                }
                return Curve(parameter.name, parts, unit)
            case _:
                value = read_value(parameter, unit)
                if is_positive and value <= 0:
                    raise ValueError(f"{value:g} {unit}: allowed is above 0")
                return Fixed(value, unit=unit)
    except ValueError as error:
        raise ValueError(str(error) if str(error).startswith(key) else f"{key}: {error}") from error


def _free(parameter: FreeParameter, unit: str) -> Free:
    low, high = (None if end is None else read_value(end, unit) for end in parameter.range)
    return Free(
        read_value(parameter.start, unit),
        -np.inf if low is None else low,
        np.inf if high is None else high,
        prior=None if parameter.prior is None else _prior(parameter.prior, unit),
        per=parameter.per,
        unit=unit,
    )


def _above_zero(free: Free) -> Free:
    """A length or an energy: its range begins at 0 where it has no lower end."""
    start = float(np.min(free.start))
    if start <= 0:
        raise ValueError(f"start {start:g} {free.unit}: allowed is above 0")
    if -np.inf < free.lower < 0:
        raise ValueError(f"range from {free.lower:g} {free.unit}: begin it at 0 or above")
    return replace(free, lower=max(free.lower, 0.0))


def _prior(options: PriorOptions, unit: str) -> Prior:
    first, second = options.numbers
    if options.kind == "log_normal":
        middle = read_value(first, unit)
        if middle <= 0:
            raise ValueError(f"prior log_normal around {first}: give a number above zero")
        return Prior("log_normal", float(np.log(middle)), read_value(second, ""))

    def number(value: Any) -> float | str:
        if options.kind == "normal" and is_name(value):
            return value
        return read_value(value, unit)

    return Prior(options.kind, number(first), number(second))
