"""Quantities that follow from others: links, expressions, light curves, in an order to evaluate."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from skyquilt.errors import nearest_to
from skyquilt.light_curves.functions import TimeFunction, mean_over_bins
from skyquilt.model.cells import Cells
from skyquilt.model.expression import compile_expression
from skyquilt.model.functions import light_curve
from skyquilt.model.quantities import Curve, Expression, Link, Quantity


class Derived(NamedTuple):
    """A quantity that is a function of others.

    Attributes
    ----------
    name : str
        Its name.
    function : callable
        Takes the values of `inputs`.
    inputs : tuple of str
        What it reads; none of them is a link.
    """

    name: str
    function: Callable[..., np.ndarray]
    inputs: tuple[str, ...]


def find_roots(quantities: Mapping[str, Quantity]) -> dict[str, tuple[str, float]]:
    """What each name stands for at the end of its links, and the factor between the units.

    Raises
    ------
    ValueError
        If a name is not known, links go in a circle, or a unit does not fit.
    """
    return {name: _root(name, quantities) for name in quantities}


def _root(name: str, quantities: Mapping[str, Quantity]) -> tuple[str, float]:
    chain = [name]
    while isinstance(link := quantities[chain[-1]], Link):
        _check_known(link.to, f"{chain[-1]}: link", quantities)
        if link.to in chain:
            raise ValueError(f"links go in a circle: {' -> '.join([*chain, link.to])}")
        chain.append(link.to)
    unit = quantities[chain[-1]].unit
    units = (quantities[n].unit for n in chain)
    wanted = next((u for u in units if u is not None), "")
    return chain[-1], 1.0 if wanted == unit else _convert(name, chain[-1], unit or "", wanted)


def derive(
    quantities: Mapping[str, Quantity], roots: Mapping[str, tuple[str, float]], cells: Cells
) -> list[Derived]:
    """Expressions and light curves, each after those that it reads.

    Raises
    ------
    ValueError
        If one is no expression, reads what is not known or itself, or the time where there is none.
    """
    inputs = {
        name: _read_inputs(name, quantity, quantities)
        for name, quantity in quantities.items()
        if isinstance(quantity, Expression | Curve)
    }
    order = _sorted(inputs, roots)
    return [_derive(name, quantities[name], inputs[name], roots, cells) for name in order]


def _sorted(
    inputs: Mapping[str, tuple[str, ...]], roots: Mapping[str, tuple[str, float]]
) -> list[str]:
    done: list[str] = []

    def visit(name: str, way: tuple[str, ...]) -> None:
        if name in way:
            circle = " -> ".join([*way[way.index(name) :], name])
            raise ValueError(f"quantities go in a circle: {circle}")
        for source in inputs[name]:
            root = roots[source][0]
            if root in inputs and root not in done:
                visit(root, (*way, name))
        if name not in done:
            done.append(name)

    for name in inputs:
        visit(name, ())
    return done


def _read_inputs(
    name: str, quantity: Expression | Curve, quantities: Mapping[str, Quantity]
) -> tuple[str, ...]:
    if isinstance(quantity, Curve):
        return tuple(f"{name}.{part}" for part in light_curve(quantity.kind).parameters)
    try:
        inputs = compile_expression(quantity.text).names
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    for source in inputs:
        if source != "t":
            _check_known(source, f"{name}: {quantity.text!r}", quantities)
    return tuple(source for source in inputs if source != "t")


def _derive(
    name: str,
    quantity: Quantity,
    sources: tuple[str, ...],
    roots: Mapping[str, tuple[str, float]],
    cells: Cells,
) -> Derived:
    """Function of other quantities at the end of their links, in the units they are read."""
    assert isinstance(quantity, Expression | Curve)
    if isinstance(quantity, Curve):
        function = _mean(name, light_curve(quantity.kind), cells)
    else:
        compiled = compile_expression(quantity.text)
        function = compiled.function
        if "t" in compiled.names:
            function = _mean(name, _in_time(compiled.function, compiled.names), cells)
    names = tuple(roots[source][0] for source in sources)
    factors = [roots[source][1] for source in sources]
    if all(factor == 1 for factor in factors):
        return Derived(name, function, names)
    return Derived(name, _scaled(function, factors), names)


def _mean(name: str, curve: TimeFunction, cells: Cells) -> Callable[..., np.ndarray]:
    if cells.start is None or cells.stop is None:
        raise ValueError(f"{name}: a function of time, but the data have no time bins")
    return mean_over_bins(curve, cells.start, cells.stop)


def _in_time(function: Callable[..., np.ndarray], names: Sequence[str]) -> TimeFunction:
    """An expression that reads `t` as a function of time and the rest."""
    position = list(names).index("t")

    def of_time(time: np.ndarray, *others: np.ndarray) -> np.ndarray:
        return function(*others[:position], time, *others[position:]) + 0 * time

    return TimeFunction(of_time, lambda *others: [], tuple(n for n in names if n != "t"), ())


def _scaled(
    function: Callable[..., np.ndarray], factors: Sequence[float]
) -> Callable[..., np.ndarray]:
    def scaled(*values: np.ndarray) -> np.ndarray:
        return function(*(value * f for value, f in zip(values, factors, strict=True)))

    return scaled


def _check_known(name: str, where: str, quantities: Mapping[str, Quantity]) -> None:
    if name not in quantities:
        raise ValueError(f"{where}: {name} is not known; {nearest_to(name, quantities)}")


def _convert(name: str, to: str, unit: str, wanted: str) -> float:
    """Factor between the units of a link."""
    from skyquilt.config.units import convert_unit  # with pydantic and astropy, half a second

    try:
        return convert_unit(unit, wanted)
    except ValueError as error:
        raise ValueError(
            f"{name} is {_in_unit(wanted)} and {to} is {_in_unit(unit)}, which no factor converts: "
            "link numbers of one kind, or give an expression"
        ) from error


def _in_unit(unit: str) -> str:
    return f"in {unit}" if unit else "a pure number"
