"""Response tables of GADF: axes and values of one row, in whatever order they are stored.

A table has columns NAME_LO and NAME_HI for each of its axes, and one or more columns of values. The
axes of the values are in the order of these columns, the first one fastest (TDIM).
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from skyquilt.instruments.imaging.quantities import FaultError, get_column

_SAME = 1e-5  # relative; edges are often single precision
_ALIASES = {"ETRUE": "ENERG"}
_TURNED = ["DETX", "DETY", "ENERG"]
"""Columns of backgrounds whose values have DETX before DETY, as programs write and read them: TDIM
says the opposite, but events of H.E.S.S. far from the Crab Nebula follow it (docs/formats.md)."""


class IrfAxis(NamedTuple):
    """One axis of a response.

    Attributes
    ----------
    name : str
        Name of its columns, without _LO and _HI.
    low, high : ndarray of float64, shape (n,)
        Ends of its bins, ascending; both the same where values are at points.
    is_log : bool
        Linear in the logarithm.
    """

    name: str
    low: np.ndarray
    high: np.ndarray
    is_log: bool = False

    @property
    def nodes(self) -> np.ndarray:
        """Where the values are: the middles of the bins, of the logarithm if they are so."""
        return np.sqrt(self.low * self.high) if self.is_log else (self.low + self.high) / 2

    @property
    def span(self) -> tuple[float, float]:
        """Lowest and highest value that the response is known at."""
        return float(self.low[0]), float(self.high[-1])

    @property
    def edges(self) -> np.ndarray:
        """Edges of the bins, shape (n + 1,)."""
        return np.append(self.low, self.high[-1])

    def weights(self, at: np.ndarray) -> np.ndarray:
        """Linear interpolation as a matrix, shape (m, n), continued in the outer half bins.

        Raises
        ------
        FaultError
            If a value lies outside the bins.
        """
        first, last = self.span
        margin = _SAME * max(abs(first), abs(last))
        outside = (at < first - margin) | (at > last + margin) | ~np.isfinite(at)
        if np.any(outside):
            raise FaultError(
                f"{self.name} covers {first:.6g} to {last:.6g}, but {at[outside][0]:.6g} is needed."
            )
        nodes = self.nodes
        if len(nodes) == 1:
            return np.ones((len(at), 1))
        if self.is_log:
            nodes, at = np.log(nodes), np.log(at)
        left = np.clip(np.searchsorted(nodes, at, side="right") - 1, 0, len(nodes) - 2)
        part = (at - nodes[left]) / (nodes[left + 1] - nodes[left])
        weights = np.zeros((len(at), len(nodes)))
        every = np.arange(len(at))
        weights[every, left], weights[every, left + 1] = 1 - part, part
        return weights


class IrfTable(NamedTuple):
    """A response as it was read.

    Attributes
    ----------
    axes : tuple of IrfAxis
        The axes, in the order asked for.
    values : dict of str to ndarray of float64
        Values by column, with these axes.
    """

    axes: tuple[IrfAxis, ...]
    values: dict[str, np.ndarray]


def read_irf_table(
    hdu: Any, axes: Mapping[str, str | None], values: Mapping[str, str | None]
) -> IrfTable:
    """Axes and values of a table of one row.

    Parameters
    ----------
    hdu : BinTableHDU
        The table.
    axes : dict of str to str or None
        Units of the axes, in the order in which they are wanted; None for none.
    values : dict of str to str or None
        Units of the columns of values.

    Raises
    ------
    FaultError
        If a column is missing, has another unit or shape, or axes do not ascend.
    """
    if len(hdu.data) != 1:
        raise FaultError(f"table {hdu.name} has {len(hdu.data)} rows; a response has one.")
    stored = _stored_axes(hdu)
    if list(stored) == _TURNED:
        stored = {name: stored[name] for name in ("DETY", "DETX", "ENERG")}
    if sorted(stored) != sorted(axes):
        raise FaultError(
            f"table {hdu.name} has the axes {', '.join(stored) or 'none'}; needed are "
            f"{', '.join(axes)}."
        )
    read = {name: _read_axis(hdu, name, stored[name], unit) for name, unit in axes.items()}
    order = [list(stored).index(name) for name in axes]
    shape = [len(read[name].low) for name in stored]
    return IrfTable(
        tuple(read.values()),
        {name: _read_values(hdu, name, unit, shape, order) for name, unit in values.items()},
    )


def _stored_axes(hdu: Any) -> dict[str, str]:
    """Axes in the order of their columns: name, and how the columns spell it."""
    names = [name.upper()[:-3] for name in hdu.columns.names if name.upper().endswith("_LO")]
    return {_ALIASES.get(name, name): name for name in names}


def _read_axis(hdu: Any, name: str, column: str, unit: str | None) -> IrfAxis:
    low, high = (get_column(hdu, f"{column}_{end}", unit).ravel() for end in ("LO", "HI"))
    is_log = name == "ENERG"
    what = f"table {hdu.name}: axis {column}"
    if low.shape != high.shape or not low.size:
        raise FaultError(f"{what} has {low.size} lower and {high.size} upper ends.")
    if not (np.all(np.isfinite(low)) and np.all(np.isfinite(high))):
        raise FaultError(f"{what} has values that are not finite.")
    if is_log and low[0] == 0 < high[0]:  # the first bin begins at 0
        low = np.append(high[0] ** 2 / max(high[1:2].tolist() or [2 * high[0]]), low[1:])
    if is_log and np.any(low <= 0):
        raise FaultError(f"{what}: energies must be above 0; there is {low.min():.6g}.")
    axis = IrfAxis(name, low, high, is_log)
    if np.any(np.diff(axis.nodes) <= 0) or np.any(high < low):
        raise FaultError(f"{what} does not ascend: it is {axis.nodes}.")
    gap = np.abs(low[1:] - high[:-1]) > 1e-3 * np.diff(axis.nodes)
    if np.any(high > low) and np.any(gap):
        raise FaultError(f"{what}: its bins do not follow one another at {high[:-1][gap][0]:.6g}.")
    return axis


def _read_values(
    hdu: Any, name: str, unit: str | None, shape: Sequence[int], order: Sequence[int]
) -> np.ndarray:
    values = get_column(hdu, name, unit)[0]
    if values.shape != tuple(reversed(shape)):
        raise FaultError(
            f"table {hdu.name}: column {name} has the shape {values.shape[::-1]}, but its axes, in "
            f"the order of their columns, have {tuple(shape)}: TDIM must say the same."
        )
    return np.ascontiguousarray(values.T.transpose(order))
