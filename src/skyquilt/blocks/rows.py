"""Expected counts as weighted rows of a table, added up when they are asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from skyquilt.blocks.counts import DenseBlock, SparseBlock
from skyquilt.blocks.lists import PixelFits, check_lists, fit_room, join_lists, lists_of
from skyquilt.native import KernelOptions, kernels

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_GROUP = 16  # pixels that fit_rows may add up together, GROUP of rows.c


class SparseWeights(NamedTuple):
    """Rows of a table that make up each direction of a block.

    Attributes
    ----------
    indptr : ndarray of int64, shape (n + 1,)
        Entries of direction i are those from ``indptr[i]`` to ``indptr[i + 1]``.
    row : ndarray of int64, shape (m,)
        Row numbers, each once per direction.
    weight : ndarray of float64, shape (m,)
        Weights, none of them 0.
    """

    indptr: np.ndarray
    row: np.ndarray
    weight: np.ndarray

    def add(self, values: np.ndarray) -> np.ndarray:
        """Sums of the rows of values of shape (n_row, k), each times its weight; shape (n, k)."""
        from scipy.sparse import csr_array

        shape = len(self.indptr) - 1, len(values)
        return csr_array((self.weight, self.row, self.indptr), shape=shape) @ values


@dataclass(frozen=True, eq=False)
class RowBlock:
    """Expected counts for unit flux of a block of directions, as weighted rows of a table.

    A fit takes the rows, and adds up a few directions at a time, which then stay in the cache.

    Attributes
    ----------
    rows : ndarray of float32, shape (n_row, n_hit)
        The table, in memory or mapped, in C order.
    totals : ndarray of float64, shape (n_row,)
        Total of each row over all bins.
    weights : SparseWeights
        Rows of each direction; others are not read.
    status : ndarray of uint8, shape (n,)
        GOOD, or why there is nothing to fit, see `skyquilt.status`.
    """

    rows: np.ndarray
    totals: np.ndarray
    weights: SparseWeights
    status: np.ndarray

    @property
    def n_hit(self) -> int:
        """Number of hit bins."""
        return self.rows.shape[1]

    @property
    def is_sparse(self) -> bool:
        """No: directions see all hit bins, or most."""
        return False

    @property
    def unit_counts(self) -> np.ndarray:
        """Expected counts in the hit bins, shape (n, n_hit): sums in float32 of 16 rows each."""
        return self._sums.unit_counts

    @property
    def total(self) -> np.ndarray:
        """Expected counts summed over all bins, float64, shape (n,)."""
        return self._sums.total

    def dense(self) -> DenseBlock:
        """The sums."""
        return self._sums

    def csr(self) -> SparseBlock:
        """The sums, all hit bins of each direction in a list."""
        return self._sums.csr()

    def combine(self, weights: "csr_array", status: np.ndarray) -> "RowBlock":
        """Weighted sums of directions, as weights of rows."""
        from scipy.sparse import csr_array

        indptr, row, weight = self.weights
        own = csr_array((weight, row, indptr), shape=(len(indptr) - 1, len(self.rows)))
        return replace(self, weights=SparseWeights(*lists_of(weights @ own)), status=status)

    def join(self, others: Sequence["RowBlock"]) -> "RowBlock":
        """These directions, followed by others of the same table."""
        blocks = self, *others
        status = np.concatenate([block.status for block in blocks])
        lists = join_lists([block.weights for block in blocks])
        return replace(self, weights=SparseWeights(*lists), status=status)

    def fit(
        self,
        counts: np.ndarray,
        background: np.ndarray,
        settings: KernelOptions,
        most: np.ndarray | None,
        to: PixelFits,
    ) -> None:
        """Fit each direction; `most` is for lists of hit bins only."""
        totals, weight = (
            np.ascontiguousarray(values, np.float64)
            for values in (self.totals, self.weights.weight)
        )
        indptr, row = (np.ascontiguousarray(values, np.int64) for values in self.weights[:2])
        n, n_hit = len(self.status), counts.size
        if self.rows.shape != (totals.size, n_hit):
            raise ValueError(f"rows {self.rows.shape}, expected {(totals.size, n_hit)}.")
        check_lists(n, indptr, "row", row, totals.size, weight.size)
        room = np.empty(fit_room(n_hit) + _GROUP * (n_hit + 8))
        kernels.fit_rows(
            *(n_hit, counts, background, self.rows, totals, n, indptr, row, weight),
            *(settings, room, *to),
        )

    @cached_property
    def _sums(self) -> DenseBlock:
        n, (indptr, row, weight) = len(self.status), self.weights
        unit_counts, total = np.empty((n, self.n_hit)), np.empty(n)
        table = self.n_hit, self.rows, self.totals
        kernels.add_rows(*table, n, indptr, row, weight, unit_counts, total)
        return DenseBlock(unit_counts, total, self.status)
