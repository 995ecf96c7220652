"""Layout of the numbers of a model: which are free, and which part of which array each is.

Free numbers stand in one vector: first those that all cells share, then those of each member of
the largest axis (time bins, say), so that curvatures have the shape of an arrow.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from skyquilt.model.cells import Cells
from skyquilt.model.quantities import Fixed, Free, Quantity


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

    @property
    def is_moving(self) -> bool:
        """Whether any free number changes it."""
        return bool(self.shared.any()) or self.own is not None


class FreeNumbers:
    """Free numbers of a model in one vector.

    Parameters
    ----------
    free : mapping of str to Free
        Quantities that are fitted, in the order of their numbers.
    cells : Cells
        The parts of the data.

    Attributes
    ----------
    names, units : list of str
        Names, as "burst.flux[3]", and units.
    start, lower, upper : ndarray of float64, shape (p,)
        Where a fit begins, and the ranges.
    numbers : dict of str to ndarray of int64
        Positions of the numbers of each quantity.
    n_shared, n_own : int
        Those that all cells share, and those of each member of the largest axis.
    group : ndarray of int64, shape (n_cell,)
        Member of the largest axis that each cell belongs to.

    Raises
    ------
    ValueError
        If there is no such axis, a range is empty, or a start is outside of it.
    """

    def __init__(self, free: Mapping[str, Free], cells: Cells) -> None:
        axes = {q.per: cells.n_member(q.per) for q in free.values() if q.per}
        axis = max(axes, key=lambda name: axes[name]) if axes else None
        own = [name for name, q in free.items() if q.per and q.per == axis]
        self.n_own = len(own)
        n_group = axes[axis] if axis else 0
        self.group = cells.axes[axis] if axis else np.zeros(cells.n_cell, dtype=np.int64)
        self.numbers: dict[str, np.ndarray] = {}
        end = 0
        for name in (name for name in free if name not in own):
            per = free[name].per
            size = axes[per] if per else 1
            self.numbers[name] = np.arange(end, end + size)
            end += size
        self.n_shared = end
        for column, name in enumerate(own):
            self.numbers[name] = end + column + self.n_own * np.arange(n_group)
        total = end + self.n_own * n_group
        self.names, self.units = [""] * total, [""] * total
        self.start, self.lower, self.upper = np.empty(total), np.empty(total), np.empty(total)
        for name, one in free.items():
            self._set(name, one)

    def unit_slope(self, numbers: np.ndarray) -> Slope:
        """Derivatives of free numbers by themselves; -1 is a fixed one."""
        shared = (numbers[:, np.newaxis] == np.arange(self.n_shared)).astype(float)
        if numbers.size and numbers.max() < self.n_shared:
            return Slope(shared, None)
        column = (numbers - self.n_shared) % self.n_own
        return Slope(shared, (column[:, np.newaxis] == np.arange(self.n_own)).astype(float))

    def _set(self, name: str, free: Free) -> None:
        where = self.numbers[name]
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


class Plain(NamedTuple):
    """Fixed and free quantities in one array.

    Attributes
    ----------
    where : dict of str to int or slice
        Where each quantity stands: a number, or an array of shape (n_cell,).
    base : ndarray of float64
        The array, 0 where a free number goes.
    target, source : ndarray of int64
        Free number `source` goes to `target`.
    slopes : dict of str to Slope
        Their derivatives, which are constant.
    """

    where: dict[str, int | slice]
    base: np.ndarray
    target: np.ndarray
    source: np.ndarray
    slopes: dict[str, Slope]


def lay_plain(quantities: Mapping[str, Quantity], cells: Cells, free: FreeNumbers) -> Plain:
    """Lay fixed and free quantities in one array.

    Raises
    ------
    ValueError
        If there is no such axis, or a quantity has not one number, or one per member.
    """
    where: dict[str, int | slice] = {}
    slopes: dict[str, Slope] = {}
    base: list[float] = []
    target: list[int] = []
    source: list[int] = []
    for name, quantity in quantities.items():
        if not isinstance(quantity, Fixed | Free):
            continue
        per = quantity.per
        member = cells.axes[per] if per and cells.n_member(per) else np.zeros(1, int)
        begin = len(base)
        where[name] = slice(begin, begin + member.size) if per else begin
        if isinstance(quantity, Free):
            numbers = free.numbers[name][member]
            target += range(begin, begin + member.size)
            source += numbers.tolist()
            base += [0.0] * member.size
        else:
            numbers = np.full(member.size, -1)
            size = cells.n_member(per) if per else 1
            base += _fill(name, quantity.value, size, per)[member].tolist()
        slopes[name] = free.unit_slope(numbers)
    indices = np.array(target, np.int64), np.array(source, np.int64)
    return Plain(where, np.array(base), *indices, slopes)


def _fill(name: str, value: float | Sequence[float], size: int, per: str | None) -> np.ndarray:
    """One number, or one per member, as an array."""
    values = np.atleast_1d(np.asarray(value, dtype=np.float64))
    if values.ndim != 1 or values.size not in (1, size):
        wanted = f"1 or {size}, one per {per}," if per else "1"
        raise ValueError(f"{name}: {values.size} numbers; {wanted} are needed")
    if not np.all(np.isfinite(values)):
        raise ValueError(f"{name}: {values[~np.isfinite(values)][0]} is not finite")
    return np.broadcast_to(values, size)
