"""Expected counts with a value for each hit bin."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from skyquilt.blocks.block import PixelFits, fit_room
from skyquilt.native import FitOptions, kernels

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from skyquilt.blocks.sparse import SparseBlock


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
        from skyquilt.blocks.sparse import SparseBlock

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
        settings: FitOptions,
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
