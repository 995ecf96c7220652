"""Rows of a table per bin of true energy."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from skyquilt.blocks import RowBlock, SparseWeights
from skyquilt.io.hdf5 import get, map_rows, put, put_rows
from skyquilt.problem.nodes import ComponentNodes, checked_flux
from skyquilt.problem.true_energy import TrueEnergy

if TYPE_CHECKING:
    import h5py


@dataclass(frozen=True, eq=False)
class TableNodes:
    """What a table has for each bin of true energy, for unit flux in that bin.

    Attributes
    ----------
    axis : TrueEnergy
        The bins.
    rows : ndarray of float32, shape (n_node, n_row, n_hit)
        Expected counts in the hit bins.
    totals : ndarray of float64, shape (n_node, n_row)
        The same summed over all bins.
    bands : ndarray of float64, shape (n_node, n_row, n_band)
        The same summed over the bins of each band.

    Raises
    ------
    ValueError
        If shapes do not fit.
    """

    mapped: ClassVar[frozenset[str]] = frozenset({"node_rows"})

    axis: TrueEnergy
    rows: np.ndarray
    totals: np.ndarray
    bands: np.ndarray

    def __post_init__(self):
        if len(self.rows) != self.axis.n_node or not (
            self.rows.shape[:2] == self.totals.shape == self.bands.shape[:2]
        ):
            raise ValueError(
                f"rows {self.rows.shape}, totals {self.totals.shape} and bands {self.bands.shape} "
                f"for {self.axis.n_node} nodes: they do not fit."
            )

    def at(self, weights: SparseWeights, status: np.ndarray) -> ComponentNodes:
        """Nodes of directions that are weighted rows.

        Parameters
        ----------
        weights : SparseWeights
            Rows of each direction.
        status : ndarray of uint8, shape (n,)
            Status of each direction.
        """
        n_node, n_row, n_hit = self.rows.shape
        own = _for_each_node(weights, n_node, n_row)
        block = RowBlock(
            np.ascontiguousarray(self.rows).reshape(-1, n_hit),
            np.ascontiguousarray(self.totals).ravel(),
            own,
            np.repeat(status, n_node),
        )
        return ComponentNodes(
            block.dense(),
            factor=np.ones((len(status), n_node)),
            component=np.arange(n_node),
            bands=own.add(self.bands.reshape(n_node * n_row, -1)),
            status=status,
        )

    def contract(self, flux: np.ndarray) -> dict[str, np.ndarray]:
        """Rows, totals and totals of bands of a source that has these photons."""
        flux = checked_flux(flux, self.axis.n_node)
        scale = np.abs(flux).max(initial=0) or 1.0  # float32 ends at 1e-38
        rows = (flux / scale).astype(np.float32) @ self.rows.reshape(len(flux), -1)
        rows = (scale * rows.astype(np.float64)).astype(np.float32)
        return {
            "rows": rows.reshape(self.rows.shape[1:]),
            "totals": flux @ self.totals,
            "row_bands": np.tensordot(flux, self.bands, axes=1),
        }

    def select_bins(self, bins: np.ndarray) -> "TableNodes":
        """The same with some of the hit bins."""
        return replace(self, rows=np.ascontiguousarray(self.rows[:, :, bins]))

    def put(self, group: "h5py.Group", unit: str) -> None:
        """Write to a group; `unit` is that of the rows, per photon flux."""
        n_node, n_row, n_hit = self.rows.shape
        rows = (row for of_node in self.rows for row in of_node)
        about = "expected counts for unit flux in a bin of true energy, all rows of one bin, then"
        shape = n_node * n_row, n_hit
        put_rows(group, "node_rows", rows, shape, np.float32, unit, f"{about} of the next")
        put(group, "node_totals", self.totals, unit, "the same summed over all bins")
        put(group, "node_bands", self.bands, unit, "the same summed over each band")
        self.axis.put(group)

    @classmethod
    def get(cls, group: "h5py.Group") -> "TableNodes":
        """Read from a group; rows are mapped."""
        totals = get(group, "node_totals")
        rows = map_rows(group, "node_rows")
        rows = rows.reshape(*totals.shape, rows.shape[1])
        return cls(TrueEnergy.get(group), rows, totals, get(group, "node_bands"))


def _for_each_node(weights: SparseWeights, n_node: int, n_row: int) -> SparseWeights:
    """Weights of the rows of each node, for each direction in turn."""
    size = np.repeat(np.diff(weights.indptr), n_node)
    indptr = np.concatenate([[0], np.cumsum(size)])
    first = np.repeat(weights.indptr[:-1], n_node)
    entry = np.arange(indptr[-1]) + np.repeat(first - indptr[:-1], size)
    node = np.tile(np.arange(n_node), len(weights.indptr) - 1)
    row = weights.row[entry] + n_row * np.repeat(node, size)
    return SparseWeights(indptr, row, weights.weight[entry])
