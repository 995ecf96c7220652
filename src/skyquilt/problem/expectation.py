"""What a fit asks of an instrument: expected counts in the hit bins for any direction.

Tables answer with weights times rows: the expected counts of a direction are the sum of a few
rows of the table, each with its weight. The weights of a block of directions are a
`SparseWeights`, and their block a `RowBlock`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np

from skyquilt.native import kernels


class Block(NamedTuple):
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


class SparseBlock(NamedTuple):
    """Expected counts for unit flux, of a block of directions that see few of the hit bins.

    Attributes
    ----------
    stop : ndarray of int64, shape (n,)
        End of each direction's entries in `bin` and `unit_counts`; they start where the one before
        ends.
    bin : ndarray of int64, shape (m,)
        Numbers of hit bins, each once per direction; bins without an entry see nothing.
    unit_counts : ndarray of float64, shape (m,)
        Expected counts in these bins.
    total : ndarray of float64, shape (n,)
        Expected counts summed over all bins, with and without counts.
    status : ndarray of uint8, shape (n,)
        GOOD, or why there is nothing to fit, see `skyquilt.status`.
    """

    stop: np.ndarray
    bin: np.ndarray
    unit_counts: np.ndarray
    total: np.ndarray
    status: np.ndarray


class SparseWeights(NamedTuple):
    """Rows of a table that make up each direction of a block.

    Attributes
    ----------
    stop : ndarray of int64, shape (n,)
        End of each direction's entries in `row` and `weight`; they start where the one before
        ends.
    row : ndarray of int64, shape (m,)
        Row numbers, each once per direction.
    weight : ndarray of float64, shape (m,)
        Weights, none of them 0.
    """

    stop: np.ndarray
    row: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True, eq=False)
class RowBlock:
    """Expected counts for unit flux of a block of directions, as weighted rows of a table.

    They are added up when they are asked for; a fit takes the rows, and adds up a few directions
    at a time.

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
    def unit_counts(self) -> np.ndarray:
        """Expected counts in the hit bins, shape (n, n_hit): sums in float32 of 16 rows each."""
        return self.dense.unit_counts

    @property
    def total(self) -> np.ndarray:
        """Expected counts summed over all bins, float64, shape (n,)."""
        return self.dense.total

    @cached_property
    def dense(self) -> Block:
        """The sums."""
        n, n_hit = len(self.weights.stop), self.rows.shape[1]
        unit_counts, total = np.empty((n, n_hit)), np.empty(n)
        kernels.add_rows(n_hit, self.rows, self.totals, n, *self.weights, unit_counts, total)
        return Block(unit_counts, total, self.status)


class Expectation(Protocol):
    """Expected counts of a source of unit flux, for any direction of the problem's frame."""

    @property
    def n_hit(self) -> int:
        """Number of hit bins."""

    @property
    def entries_per_direction(self) -> float:
        """Estimated expected counts that a block holds per direction; `n_hit` in a dense one."""

    def block(self, directions: np.ndarray) -> Block | SparseBlock | RowBlock:
        """Expected counts for unit vectors of shape (n, 3)."""

    def select_bins(self, bins: np.ndarray) -> "Expectation":
        """The same with some of the hit bins, by number, ascending; totals stay those of all."""

    def work_per_direction(self) -> float:
        """Estimated multiply-adds for one direction."""
