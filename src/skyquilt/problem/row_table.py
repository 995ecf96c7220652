"""What expectations have in common whose sources are weighted sums of the rows of a table."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from skyquilt.blocks import RowBlock, SparseWeights
from skyquilt.problem.exposed import mark_unexposed_rows
from skyquilt.problem.nodes import ComponentNodes, kept_nodes
from skyquilt.problem.table_nodes import TableNodes
from skyquilt.problem.true_energy import TrueEnergy


@dataclass(frozen=True, eq=False)
class RowTable(ABC):
    """Expected counts per direction of a HEALPix grid, and how directions are made of them.

    Attributes
    ----------
    rows : ndarray of float32, shape (12 nside^2, n_hit)
        Expected counts for unit flux in the hit bins.
    totals : ndarray of float64, shape (12 nside^2,)
        The same summed over all bins.
    nside : int
        Resolution of the rows.
    by_energy : TableNodes, optional
        Rows and totals per bin of true energy; kept where the spectrum may vary.
    row_bands : ndarray of float64, shape (n_row, n_band), optional
        Totals of each row in bands of measured energy; in one band when left out.
    """

    rows: np.ndarray
    totals: np.ndarray
    nside: int
    by_energy: TableNodes | None = field(default=None, kw_only=True)
    row_bands: np.ndarray | None = field(default=None, kw_only=True)

    @abstractmethod
    def weights(self, directions: np.ndarray) -> tuple[SparseWeights, np.ndarray]:
        """Weights of the rows, and status, for each direction."""

    @property
    @abstractmethod
    def weight_sum(self) -> float:
        """Largest sum of the weights of a direction."""

    @property
    def n_hit(self) -> int:
        """Number of hit bins."""
        return self.rows.shape[1]

    @property
    def entries_per_direction(self) -> float:
        """Expected counts that a block holds per direction: all."""
        return float(self.n_hit)

    @property
    def extent(self) -> None:
        """Not known: such an instrument makes no images."""
        return None

    @property
    def core(self) -> float:
        """Half a step between rows [rad], which are linear in between."""
        return float(np.sqrt(np.pi / 3) / self.nside / 2)

    @property
    def true_energy(self) -> TrueEnergy | None:
        """Nodes of true energy; None where they are not kept."""
        return None if self.by_energy is None else self.by_energy.axis

    def block(self, directions: np.ndarray) -> RowBlock:
        """Expected counts for unit flux.

        Parameters
        ----------
        directions : ndarray of float64, shape (n, 3)
            Unit vectors in the sky frame.

        Returns
        -------
        RowBlock
            Statuses are those of `weights`, or NO_EXPOSURE where next to nothing is expected.
        """
        weights, status = self.weights(directions)
        status = mark_unexposed_rows(status, weights, self.totals, self.weight_sum)
        return RowBlock(self._rows, self.totals, weights, status)

    def nodes(self, directions: np.ndarray) -> ComponentNodes:
        """Expected counts per node of true energy, for unit vectors of shape (n, 3).

        Raises
        ------
        ValueError
            If nodes are not kept.
        """
        own = kept_nodes(self.by_energy, "table")
        block = self.block(directions)
        return own.at(block.weights, block.status)

    def with_spectrum(self, flux: np.ndarray) -> Self:
        """The same for a spectrum that has these photons at each node, shape (n_node,)."""
        changes: dict[str, Any] = kept_nodes(self.by_energy, "table").contract(flux)
        return replace(self, **changes)

    def band_totals(self, directions: np.ndarray) -> np.ndarray:
        """Expected counts of each band for unit flux, over all its bins, shape (n, n_band)."""
        weights, _ = self.weights(directions)
        totals = self.totals[:, np.newaxis] if self.row_bands is None else self.row_bands
        return weights.add(totals)

    def select_bins(self, bins: np.ndarray) -> Self:
        """The same with some of the hit bins; totals stay those of all bins.

        Parameters
        ----------
        bins : ndarray of int64, shape (n,)
            Numbers of the hit bins to keep, ascending.
        """
        by_energy = self.by_energy and self.by_energy.select_bins(bins)
        return replace(self, rows=self._rows[:, bins], by_energy=by_energy)

    @cached_property
    def _rows(self) -> np.ndarray:
        """Rows as the kernel reads them, one after the other; a mapping of such rows stays one."""
        return np.ascontiguousarray(self.rows)
