"""The layer of parameters: from the free numbers of a fit to named quantities, with derivatives.

Derivatives of expressions and light curves are exact: one evaluation with a complex step.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np

from skyquilt.model.cells import Cells
from skyquilt.model.derived import Derived, derive, find_roots
from skyquilt.model.layout import FreeNumbers, Slope, lay_plain
from skyquilt.model.quantities import Free, Link, Quantity, written_out

__all__ = ["Layer", "Slope", "Values"]

_STEP = 1e-30  # of a complex step; nothing is subtracted, so that it may be this small

Values = dict[str, np.ndarray]
"""Quantities by name: numbers, or arrays of shape (n_cell,).

Of m points at a time, numbers have the shape (m, 1) and arrays (m, n_cell).
"""


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
    quantities : dict of str to Quantity
        All quantities, those of light curves among them.
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
    >>> from skyquilt.model.quantities import Expression, Free
    >>> layer = Layer(
    ...     {"a": Free(2.0), "b": Free(1.0, per="time_bin"), "c": Expression("a * b**2")},
    ...     one_axis("time_bin", np.arange(2.0)),
    ... )
    >>> layer.names, layer.values(np.array([2.0, 1.0, 3.0]))["c"].tolist()
    (['a', 'b[0]', 'b[1]'], [2.0, 18.0])
    """

    def __init__(self, quantities: Mapping[str, Quantity], cells: Cells) -> None:
        self.cells = cells
        self.quantities = written_out(quantities)
        self._roots = find_roots(self.quantities)
        self._numbers = FreeNumbers(self.free, cells)
        self.names, self.units = self._numbers.names, self._numbers.units
        self.start = self._numbers.start
        self.lower, self.upper = self._numbers.lower, self._numbers.upper
        self.n_shared, self.n_own = self._numbers.n_shared, self._numbers.n_own
        self.group = self._numbers.group
        self._plain = lay_plain(self.quantities, cells, self._numbers)
        self._derived = derive(self.quantities, self._roots, cells)
        self._linked = {
            name: self._roots[name]
            for name, quantity in self.quantities.items()
            if isinstance(quantity, Link)
        }
        self._check_values()

    @property
    def n_free(self) -> int:
        """Number of free numbers."""
        return len(self.names)

    @property
    def free(self) -> dict[str, Free]:
        """Quantities that are fitted."""
        return {name: q for name, q in self.quantities.items() if isinstance(q, Free)}

    @cached_property
    def moving(self) -> frozenset[str]:
        """Quantities that depend on free numbers, directly or not."""
        moving = set(self.free)  # what is derived reads the ends of links
        for name, _, inputs in self._derived:
            if moving.intersection(inputs):
                moving.add(name)
        return frozenset(
            moving | {name for name, (root, _) in self._linked.items() if root in moving}
        )

    def depends_on(self, names: Iterable[str]) -> frozenset[str]:
        """All quantities that some of them depend on, and these; by way of priors, too."""
        inputs = {one.name: one.inputs for one in self._derived}
        found: set[str] = set()
        todo = list(names)
        while todo:
            name = todo.pop()
            if name in found:
                continue
            found.add(name)
            todo += [self._roots[name][0], *inputs.get(name, ())]
            prior = self.free[name].prior if name in self.free else None
            todo += [one for one in (prior or ()) if isinstance(one, str) and one in self._roots]
        return frozenset(found)

    def numbers(self, name: str) -> np.ndarray:
        """Positions of the numbers of a free quantity among all of them."""
        return self._numbers.numbers[name]

    def unit_of(self, name: str) -> str:
        """Unit of a quantity; "" for a pure number."""
        return self.quantities[name].unit or self.quantities[self._roots[name][0]].unit or ""

    def values(self, x: np.ndarray) -> Values:
        """All quantities.

        Parameters
        ----------
        x : ndarray of float64 or complex128, shape (p,) or (m, p)
            Free numbers, of one point or of several.

        Returns
        -------
        dict of str to ndarray
            Numbers, or arrays of shape (n_cell,); of several points, shape (m, 1) or (m, n_cell).
        """
        where, base, target, source, _ = self._plain
        flat = base.astype(x.dtype) if x.dtype.kind == "c" else base.copy()
        if x.ndim == 1:
            flat[target] = x[source]
            values = {name: flat[at] for name, at in where.items()}
        else:
            flat = np.tile(flat, (len(x), 1))
            flat[:, target] = x[:, source]
            values = {name: flat[:, _columns(at)] for name, at in where.items()}
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
        slopes = dict(self._plain.slopes)
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

    def _chain(self, derived: Derived, values: Values, slopes: Mapping[str, Slope]) -> Slope:
        """Derivatives of a function of quantities by the chain rule."""
        moving = [name for name in dict.fromkeys(derived.inputs) if slopes[name].is_moving]
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

    def _check_values(self) -> None:
        with np.errstate(all="ignore"):
            values = self.values(self.start)
        for name, value in values.items():
            if not np.all(np.isfinite(value)):
                raise ValueError(
                    f"{name}: not finite at the start; change the start of what it depends on"
                )


def _columns(at: int | slice) -> slice:
    return at if isinstance(at, slice) else slice(at, at + 1)
