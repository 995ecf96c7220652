"""Expected counts with a value for each hit bin, or as lists of the hit bins that are seen."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from skyquilt.blocks.lists import PixelFits, check_lists, fit_room, join_lists, lists_of
from skyquilt.native import KernelOptions, kernels

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class DenseBlock(NamedTuple):
    """Expected counts for unit flux, of a block of directions.

    Attributes
    ----------
    unit_counts : ndarray of float64, shape (n, n_hit)
        Expected counts in the hit bins.
    total : ndarray of float64, shape (n,)
        Expected counts summed over all bins, with and without counts.
    status : ndarray of uint8, shape (n,)
        GOOD, or why there is nothing to fit, see `skyquilt.status`.
    """

    unit_counts: np.ndarray
    total: np.ndarray
    status: np.ndarray

    @property
    def n_hit(self) -> int:
        """Number of hit bins."""
        return self.unit_counts.shape[1]

    @property
    def is_sparse(self) -> bool:
        """No: directions see all hit bins, or most."""
        return False

    def dense(self) -> "DenseBlock":
        """The block itself."""
        return self

    def csr(self) -> "SparseBlock":
        """The same, all hit bins of each direction in a list."""
        n, n_hit = self.unit_counts.shape
        return SparseBlock(
            *(n_hit * np.arange(n + 1), np.tile(np.arange(n_hit), n), self.unit_counts.ravel()),
            *(self.total, self.status, n_hit),
        )

    def combine(self, weights: "csr_array", status: np.ndarray) -> "DenseBlock":
        """Weighted sums of directions; those without weight may be anything."""
        seen = np.zeros(len(self.total), dtype=bool)
        seen[weights.indices[weights.data != 0]] = True
        unit_counts = np.where(seen[:, np.newaxis], self.unit_counts, 0.0)
        return DenseBlock(weights @ unit_counts, weights @ np.where(seen, self.total, 0.0), status)

    def join(self, others: Sequence["DenseBlock"]) -> "DenseBlock":
        """These directions, followed by others."""
        return DenseBlock(*map(np.concatenate, zip(self, *others, strict=True)))

    def fit(
        self,
        counts: np.ndarray,
        background: np.ndarray,
        settings: KernelOptions,
        most: np.ndarray | None,
        to: PixelFits,
    ) -> None:
        """Fit each direction; `most` is for lists of hit bins only."""
        unit_counts, total = (
            np.ascontiguousarray(values, np.float64) for values in (self.unit_counts, self.total)
        )
        n = len(total)
        if unit_counts.shape != (n, counts.size):
            raise ValueError(f"unit_counts {unit_counts.shape}, expected {(n, counts.size)}.")
        room = np.empty(fit_room(counts.size))
        data = counts.size, counts, background
        kernels.fit_block(*data, n, unit_counts, total, settings, room, *to)


class SparseBlock(NamedTuple):
    """Expected counts for unit flux, of a block of directions that see few of the hit bins.

    Attributes
    ----------
    indptr : ndarray of int64, shape (n + 1,)
        Entries of direction i are those from ``indptr[i]`` to ``indptr[i + 1]``.
    bin : ndarray of int64, shape (m,)
        Numbers of hit bins, each once per direction; bins without an entry see nothing.
    unit_counts : ndarray of float64, shape (m,)
        Expected counts in these bins.
    total : ndarray of float64, shape (n,)
        Expected counts summed over all bins, with and without counts.
    status : ndarray of uint8, shape (n,)
        GOOD, or why there is nothing to fit, see `skyquilt.status`.
    n_hit : int
        Number of hit bins.
    """

    indptr: np.ndarray
    bin: np.ndarray
    unit_counts: np.ndarray
    total: np.ndarray
    status: np.ndarray
    n_hit: int

    @property
    def is_sparse(self) -> bool:
        """Yes."""
        return True

    @property
    def direction(self) -> np.ndarray:
        """Number of the direction of each entry, shape (m,)."""
        return np.repeat(np.arange(len(self.total)), np.diff(self.indptr))

    @property
    def matrix(self) -> "csr_array":
        """The entries as a sparse matrix, shape (n, n_hit)."""
        from scipy.sparse import csr_array

        shape = len(self.total), self.n_hit
        return csr_array((self.unit_counts, self.bin, self.indptr), shape=shape)

    def dense(self) -> DenseBlock:
        """The same with a value for each hit bin."""
        unit_counts = np.zeros((len(self.total), self.n_hit))
        unit_counts[self.direction, self.bin] = self.unit_counts
        return DenseBlock(unit_counts, self.total, self.status)

    def csr(self) -> "SparseBlock":
        """The block itself."""
        return self

    def combine(self, weights: "csr_array", status: np.ndarray) -> "SparseBlock":
        """Weighted sums of directions; the total of those without weight may be anything."""
        seen = np.zeros(len(self.total), dtype=bool)
        seen[weights.indices[weights.data != 0]] = True
        total = weights @ np.where(seen, self.total, 0.0)
        return SparseBlock(*lists_of(weights @ self.matrix), total, status, self.n_hit)

    def join(self, others: Sequence["SparseBlock"]) -> "SparseBlock":
        """These directions, followed by others."""
        total, status = (
            np.concatenate([getattr(block, name) for block in (self, *others)])
            for name in ("total", "status")
        )
        lists = join_lists([block[:3] for block in (self, *others)])
        return SparseBlock(*lists, total, status, self.n_hit)

    def fit(
        self,
        counts: np.ndarray,
        background: np.ndarray,
        settings: KernelOptions,
        most: np.ndarray | None,
        to: PixelFits,
    ) -> None:
        """Fit each direction; a bin without an entry has expected counts of 0 and costs nothing.

        `most` is the largest ratio of expected counts to background in bins without counts that
        have no number, per direction: it bounds fluxes below zero as the other bins do.
        """
        unit_counts, total = (
            np.ascontiguousarray(values, np.float64) for values in (self.unit_counts, self.total)
        )
        indptr, bins = (
            np.ascontiguousarray(values, np.int64) for values in (self.indptr, self.bin)
        )
        n = len(total)
        longest = check_lists(n, indptr, "bin", bins, counts.size, unit_counts.size)
        most = np.zeros(n) if most is None else np.ascontiguousarray(most, np.float64)
        kernels.fit_sparse(
            *(counts, background, n, indptr, bins, unit_counts, total, most),
            *(settings, np.empty(fit_room(longest)), *to),
        )
