"""A data set in cells: counts, backgrounds and expectation of all its time bins together."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from skyquilt.problem.cells.sights import CellExpectation, CellHits


@dataclass(frozen=True, eq=False)
class CellData:
    """One data set, cut into cells: its time bins, or all of it as the only one.

    Attributes
    ----------
    name : str
        Name of the data set; "" if there is only one.
    frame : {"galactic", "icrs"}
        Frame of the directions handed to `expectation`.
    start, stop : ndarray of float64, shape (n_cell,)
        Time of each cell [UNIX s]; NaN where it is not known.
    livetime : ndarray of float64, shape (n_cell,)
        Livetime of each cell [s]; NaN where it is not known.
    cell, column : ndarray of int64, shape (n_hit,)
        Cell of each hit, ascending, and the bin of the data set that it is in.
    counts : ndarray of float64, shape (n_hit,)
        Counts there, all above zero.
    components : tuple of str
        Names of the components of the background; "" of one without a name.
    background : ndarray of float64, shape (n_component, n_column)
        Expected background of the whole time in each bin; densities where events are fitted one by
        one.
    background_total : ndarray of float64, shape (n_component,)
        The same in all bins, with and without counts.
    fraction : ndarray of float64, shape (n_cell,)
        Part of the background that each cell has.
    expectation : CellExpectation
        Expected counts of sources.
    angle_deg : float
        Angle over which derivatives by positions are differences [deg].
    description : dict
        What people want to know: instrument, energy_range_keV and more.

    Raises
    ------
    ValueError
        If shapes do not fit, or a hit has no background.
    """

    name: str
    frame: str
    start: np.ndarray
    stop: np.ndarray
    livetime: np.ndarray
    cell: np.ndarray
    column: np.ndarray
    counts: np.ndarray
    components: tuple[str, ...]
    background: np.ndarray
    background_total: np.ndarray
    fraction: np.ndarray
    expectation: CellExpectation
    angle_deg: float
    description: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        n_cell, n_hit, n_component = self.n_cell, len(self.counts), len(self.components)
        wanted = dict.fromkeys(("stop", "livetime", "fraction"), (n_cell,))
        wanted |= dict.fromkeys(("cell", "column"), (n_hit,))
        wanted |= {"background_total": (n_component,)}
        for name, shape in wanted.items():
            if np.shape(getattr(self, name)) != shape:
                raise ValueError(f"{name}: shape {np.shape(getattr(self, name))}, not {shape}.")
        if self.background.shape[0] != n_component:
            raise ValueError(f"background: of {len(self.background)}, not {n_component} components")
        if n_hit and (np.any(np.diff(self.cell) < 0) or not 0 <= self.cell[-1] < n_cell):
            raise ValueError(f"cell: allowed are 0 to {n_cell - 1}, ascending.")

    @property
    def n_cell(self) -> int:
        """Number of cells."""
        return len(self.start)

    @property
    def n_hit(self) -> int:
        """Number of hits of all cells."""
        return len(self.counts)

    def take(self, cells: slice) -> "CellData":
        """The same data set in some of its cells only.

        Parameters
        ----------
        cells : slice
            Which of them, one after the other.
        """
        first, stop, _ = cells.indices(self.n_cell)
        own = slice(*np.searchsorted(self.cell, (first, stop)).tolist())
        return replace(
            self,
            **{
                name: getattr(self, name)[cells]
                for name in ("start", "stop", "livetime", "fraction")
            },
            cell=self.cell[own] - first,
            column=self.column[own],
            counts=self.counts[own],
            expectation=self.expectation.take(cells),
        )

    @cached_property
    def hits(self) -> CellHits:
        """Hits of each cell."""
        return CellHits.of(self.cell, self.column, self.n_cell)

    @cached_property
    def hit_backgrounds(self) -> np.ndarray:
        """Expected background of each component in the hits, shape (n_component, n_hit)."""
        return self.background[:, self.column] * self.fraction[self.cell]

    @cached_property
    def cell_backgrounds(self) -> np.ndarray:
        """Expected background of each component in each cell, shape (n_component, n_cell)."""
        return self.background_total[:, np.newaxis] * self.fraction

    @cached_property
    def cell_counts(self) -> np.ndarray:
        """Counts of each cell, shape (n_cell,); of the bins that are fitted."""
        return np.bincount(self.cell, self.counts, self.n_cell)
