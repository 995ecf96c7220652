"""The layer of parameters: from the free numbers of a fit to named quantities, with derivatives.

Free numbers stand in one vector: first those that all cells share, then those of each member of
the largest axis (time bins, say), so that curvatures have the shape of an arrow. Derivatives of
expressions and light curves are exact: one evaluation with a complex step.
"""

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from skyquilt.model.cells import Cells
from skyquilt.model.expression import compile_expression
from skyquilt.model.light_curves import LIGHT_CURVES, LightCurve, mean_over_bins
from skyquilt.model.quantities import (
    Curve,
    Expression,
    Fixed,
    Free,
    Link,
    Quantity,
    written_out,
)

_STEP = 1e-30  # of a complex step; nothing is subtracted, so that it may be this small

Values = dict[str, np.ndarray]
"""Quantities by name: numbers, or arrays of shape (n_cell,)."""


class Slope(NamedTuple):
    """Derivatives of one quantity by the free numbers.

    Attributes
    ----------
    shared : ndarray of float64, shape (n, n_shared)
        By those that all cells share; n is 1 for a number, n_cell for an array.
    own : ndarray of float64, shape (n, n_own) or None
        By those of the member that each cell belongs to; None where it has none.
    """

    shared: np.ndarray
    own: np.ndarray | None


class _Derived(NamedTuple):
    """A quantity that is a function of others."""

    name: str
    function: Callable[..., np.ndarray]
    inputs: tuple[str, ...]


class Layer:
    """Named quantities of a model, and the free numbers behind them.

    Parameters
    ----------
    quantities : mapping of str to Fixed, Free, Link, Expression or Curve
        The model; the order is that of the free numbers.
    cells : Cells
        The parts of the data, with their times.

    Attributes
    ----------
    names : list of str
        Names of the free numbers, as "burst.flux[3]".
    units : list of str
        Their units.
    start, lower, upper : ndarray of float64, shape (p,)
        Where a fit begins, and the ranges.
    n_shared, n_own : int
        Free numbers that all cells share, and those of each member of the largest axis.
    group : ndarray of int64, shape (n_cell,)
        Member of the largest axis that each cell belongs to.

    Raises
    ------
    ValueError
        If a name is not known, links or expressions go in a circle, a unit does not fit, or a
        start is outside its range.

    Examples
    --------
    >>> from skyquilt.model.cells import one_axis
    >>> layer = Layer(
    ...     {"a": Free(2.0), "b": Free(1.0, per="time_bin"), "c": Expression("a * b**2")},
    ...     one_axis("time_bin", np.arange(2.0)),
    ... )
    >>> layer.names, layer.values(np.array([2.0, 1.0, 3.0]))["c"].tolist()
    (['a', 'b[0]', 'b[1]'], [2.0, 18.0])
    """

    def __init__(self, quantities: Mapping[str, Quantity], cells: Cells) -> None:
        self.cells = cells
        self._quantities = written_out(quantities)
        self._roots = {name: self._root(name) for name in self._quantities}
        self._order_free()
        self._order_plain()
        self._derived = [self._derive(name) for name in self._sorted_derived()]
        self._check_values()

    @property
    def n_free(self) -> int:
        """Number of free numbers."""
        return len(self.names)

    @property
    def free(self) -> dict[str, Free]:
        """Quantities that are fitted."""
        return {name: q for name, q in self._quantities.items() if isinstance(q, Free)}

    def numbers(self, name: str) -> np.ndarray:
        """Positions of the numbers of a free quantity among all of them."""
        return self._numbers[name]

    def values(self, x: np.ndarray) -> Values:
        """All quantities.

        Parameters
        ----------
        x : ndarray of float64 or complex128, shape (p,)
            Free numbers.

        Returns
        -------
        dict of str to ndarray
            Numbers, or arrays of shape (n_cell,).
        """
        flat = self._base.astype(x.dtype) if x.dtype.kind == "c" else self._base.copy()
        flat[self._target] = x[self._source]
        values = {name: flat[where] for name, where in self._plain.items()}
        for name, function, inputs in self._derived:
            values[name] = function(*[values[source] for source in inputs])
        for name, (root, factor) in self._linked.items():
            values[name] = values[root] * factor
        return values

    def slopes(self, values: Values, names: Sequence[str] | None = None) -> dict[str, Slope]:
        """Derivatives of quantities by the free numbers.

        Parameters
        ----------
        values : dict of str to ndarray
            What `values` gave.
        names : sequence of str, optional
            Only these are given; all if not given.

        Returns
        -------
        dict of str to Slope
            One per quantity.
        """
        slopes = dict(self._constant)
        for derived in self._derived:
            slopes[derived.name] = self._chain(derived, values, slopes)
        for name, (root, factor) in self._linked.items():
            shared, own = slopes[root]
            slopes[name] = Slope(shared * factor, None if own is None else own * factor)
        return slopes if names is None else {name: slopes[name] for name in names}

    def to_dense(self, slope: Slope) -> np.ndarray:
        """Derivatives by all free numbers, shape (n, p)."""
        shared, own = slope
        dense = np.zeros((len(shared), self.n_free))
        dense[:, : self.n_shared] = shared
        if own is not None:
            columns = self.n_shared + self.group[:, np.newaxis] * self.n_own
            dense[np.arange(len(own))[:, np.newaxis], columns + np.arange(self.n_own)] = own
        return dense

    # --- from quantities to arrays, once -----------------------------------------------------

    def _root(self, name: str) -> tuple[str, float]:
        """What a name stands for at the end of its links, and the factor between the units."""
        chain = [name]
        while isinstance(link := self._quantities[chain[-1]], Link):
            self._check_known(link.to, f"{chain[-1]}: link")
            if link.to in chain:
                raise ValueError(f"links go in a circle: {' -> '.join([*chain, link.to])}")
            chain.append(link.to)
        unit = self._quantities[chain[-1]].unit
        wanted = next((u for u in (self._quantities[n].unit for n in chain) if u), "")
        return chain[-1], 1.0 if wanted == unit else _convert(name, chain[-1], unit, wanted)

    def _order_free(self) -> None:
        """Number the free numbers: shared ones, then those of each member of the largest axis."""
        axes = {q.per: self.cells.n_member(q.per) for q in self.free.values() if q.per}
        self._axis = max(axes, key=lambda axis: axes[axis]) if axes else None
        own = [name for name, q in self.free.items() if q.per and q.per == self._axis]
        shared = [name for name in self.free if name not in own]
        self.n_own = len(own)
        n_group = axes[self._axis] if self._axis else 0
        no_group = np.zeros(self.cells.n_cell, dtype=np.int64)
        self.group = self.cells.axes[self._axis] if self._axis else no_group
        self._numbers: dict[str, np.ndarray] = {}
        end = 0
        for name in shared:
            per = self.free[name].per
            size = axes[per] if per else 1
            self._numbers[name] = np.arange(end, end + size)
            end += size
        self.n_shared = end
        for column, name in enumerate(own):
            self._numbers[name] = end + column + self.n_own * np.arange(n_group)
        total = end + self.n_own * n_group
        self.names, self.units = [""] * total, [""] * total
        self.start, self.lower, self.upper = np.empty(total), np.empty(total), np.empty(total)
        for name, free in self.free.items():
            self._set_free(name, free)

    def _set_free(self, name: str, free: Free) -> None:
        where = self._numbers[name]
        if not free.lower < free.upper:
            raise ValueError(f"{name}: range {free.lower:g} to {free.upper:g} is empty")
        self.start[where] = _fill(name, free.start, where.size, free.per)
        self.lower[where], self.upper[where] = free.lower, free.upper
        is_outside = (self.start[where] < free.lower) | (self.start[where] > free.upper)
        if np.any(is_outside):
            raise ValueError(
                f"{name}: start {self.start[where][is_outside][0]:g} is outside its range, "
                f"{free.lower:g} to {free.upper:g}"
            )
        for member, number in enumerate(where):
            self.names[number] = f"{name}[{member}]" if free.per else name
            self.units[number] = free.unit

    def _order_plain(self) -> None:
        """Lay fixed and free quantities in one array; derivatives of these are constant."""
        self._plain: dict[str, int | slice] = {}
        self._constant: dict[str, Slope] = {}
        base: list[float] = []
        target: list[int] = []
        source: list[int] = []
        for name, quantity in self._quantities.items():
            if not isinstance(quantity, Fixed | Free):
                continue
            per = quantity.per
            member = self.cells.axes[per] if per and self.cells.n_member(per) else np.zeros(1, int)
            first = len(base)
            self._plain[name] = slice(first, first + member.size) if per else first
            if isinstance(quantity, Free):
                numbers = self._numbers[name][member]
                target += range(first, first + member.size)
                source += numbers.tolist()
                base += [0.0] * member.size
            else:
                numbers = np.full(member.size, -1)
                size = self.cells.n_member(per) if per else 1
                base += _fill(name, quantity.value, size, per)[member].tolist()
            self._constant[name] = self._unit_slope(numbers)
        self._base = np.array(base)
        self._target, self._source = np.array(target, np.int64), np.array(source, np.int64)
        self._linked = {
            name: self._roots[name]
            for name, quantity in self._quantities.items()
            if isinstance(quantity, Link)
        }

    def _unit_slope(self, numbers: np.ndarray) -> Slope:
        """Derivatives of free numbers by themselves; -1 is a fixed one."""
        shared = (numbers[:, np.newaxis] == np.arange(self.n_shared)).astype(float)
        if numbers.size and numbers.max() < self.n_shared:
            return Slope(shared, None)
        column = (numbers - self.n_shared) % self.n_own
        return Slope(shared, (column[:, np.newaxis] == np.arange(self.n_own)).astype(float))

    def _sorted_derived(self) -> list[str]:
        """Names of expressions and light curves, each after those that it reads."""
        self._inputs = {
            name: self._read_inputs(name, quantity)
            for name, quantity in self._quantities.items()
            if isinstance(quantity, Expression | Curve)
        }
        done: list[str] = []

        def visit(name: str, way: tuple[str, ...]) -> None:
            if name in way:
                circle = " -> ".join([*way[way.index(name) :], name])
                raise ValueError(f"quantities go in a circle: {circle}")
            for source in self._inputs[name]:
                root = self._roots[source][0]
                if root in self._inputs and root not in done:
                    visit(root, (*way, name))
            if name not in done:
                done.append(name)

        for name in self._inputs:
            visit(name, ())
        return done

    def _read_inputs(self, name: str, quantity: Expression | Curve) -> tuple[str, ...]:
        if isinstance(quantity, Curve):
            return tuple(f"{name}.{part}" for part in LIGHT_CURVES[quantity.kind].parameters)
        try:
            inputs = compile_expression(quantity.text).names
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        for source in inputs:
            if source != "t":
                self._check_known(source, f"{name}: {quantity.text!r}")
        return tuple(source for source in inputs if source != "t")

    def _derive(self, name: str) -> _Derived:
        """Function of other quantities at the end of their links, in the units they are read."""
        quantity, sources = self._quantities[name], self._inputs[name]
        assert isinstance(quantity, Expression | Curve)
        if isinstance(quantity, Curve):
            function = self._mean(name, LIGHT_CURVES[quantity.kind])
        else:
            compiled = compile_expression(quantity.text)
            function = compiled.function
            if "t" in compiled.names:
                function = self._mean(name, _in_time(compiled.function, compiled.names))
        roots = tuple(self._roots[source][0] for source in sources)
        factors = [self._roots[source][1] for source in sources]
        if all(factor == 1 for factor in factors):
            return _Derived(name, function, roots)
        return _Derived(name, _scaled(function, factors), roots)

    def _mean(self, name: str, curve: LightCurve) -> Callable[..., np.ndarray]:
        if self.cells.start is None or self.cells.stop is None:
            raise ValueError(f"{name}: a function of time, but the data have no time bins")
        return mean_over_bins(curve, self.cells.start, self.cells.stop)

    def _chain(self, derived: _Derived, values: Values, slopes: Mapping[str, Slope]) -> Slope:
        """Derivatives of a function of quantities by the chain rule."""
        moving = [name for name in dict.fromkeys(derived.inputs) if self._moves(slopes[name])]
        n = np.size(values[derived.name])
        shared = np.zeros((n, self.n_shared))
        own = None
        for name in moving:
            arguments = [
                values[source] + 1j * _STEP if source == name else values[source]
                for source in derived.inputs
            ]
            by_input = np.imag(np.reshape(derived.function(*arguments), (n, 1))) / _STEP
            shared += by_input * slopes[name].shared
            its_own = slopes[name].own
            if its_own is not None:
                own = by_input * its_own + (0.0 if own is None else own)
        return Slope(shared, own)

    @staticmethod
    def _moves(slope: Slope) -> bool:
        return bool(slope.shared.any()) or slope.own is not None

    def _check_known(self, name: str, where: str) -> None:
        if name not in self._quantities:
            near = difflib.get_close_matches(name, self._quantities, 1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(self._quantities)}"
            raise ValueError(f"{where}: {name} is not known; {hint}")

    def _check_values(self) -> None:
        with np.errstate(all="ignore"):
            values = self.values(self.start)
        for name, value in values.items():
            if not np.all(np.isfinite(value)):
                raise ValueError(
                    f"{name}: not finite at the start; change the start of what it depends on"
                )


def _fill(name: str, value: float | Sequence[float], size: int, per: str | None) -> np.ndarray:
    """One number, or one per member, as an array."""
    values = np.atleast_1d(np.asarray(value, dtype=np.float64))
    if values.ndim != 1 or values.size not in (1, size):
        wanted = f"1 or {size}, one per {per}," if per else "1"
        raise ValueError(f"{name}: {values.size} numbers; {wanted} are needed")
    if not np.all(np.isfinite(values)):
        raise ValueError(f"{name}: {values[~np.isfinite(values)][0]} is not finite")
    return np.broadcast_to(values, size)


def _convert(name: str, to: str, unit: str, wanted: str) -> float:
    """Factor between the units of a link."""
    from skyquilt.config.units import convert_unit  # with pydantic and astropy, half a second

    try:
        return convert_unit(unit, wanted)
    except ValueError as error:
        raise ValueError(
            f"{name}: linked to {to}, whose unit {unit or '(none)'} is none of {wanted}"
        ) from error


def _in_time(function: Callable[..., np.ndarray], names: Sequence[str]) -> LightCurve:
    """An expression that reads `t` as a function of time and the rest."""
    position = list(names).index("t")

    def of_time(time: np.ndarray, *others: np.ndarray) -> np.ndarray:
        return function(*others[:position], time, *others[position:]) + 0 * time

    return LightCurve(of_time, lambda *others: [], tuple(n for n in names if n != "t"), ())


def _scaled(
    function: Callable[..., np.ndarray], factors: Sequence[float]
) -> Callable[..., np.ndarray]:
    def scaled(*values: np.ndarray) -> np.ndarray:
        return function(*(value * f for value, f in zip(values, factors, strict=True)))

    return scaled
