"""What a fit asks of an instrument: expected counts in the hit bins for any direction.

Tables answer with weights times rows: the expected counts of a direction are the sum of a few
rows of the table, each with its weight. The weights of a block of directions are a
`SparseWeights`; `add_rows` turns them into counts.
"""

from typing import NamedTuple, Protocol

import numpy as np
from numba import njit

# Columns that are added up before the next ones: so many values of 100 rows (the neighbours of
# one pixel over a short observation) stay in a level 2 cache of 1 MiB while the pixels of a
# block, which share most of their rows, use them.
_TILE = 2048


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


class Expectation(Protocol):
    """Expected counts of a source of unit flux, for any direction of the problem's frame."""

    @property
    def n_hit(self) -> int:
        """Number of hit bins."""

    def block(self, directions: np.ndarray) -> Block:
        """Expected counts for unit vectors of shape (n, 3)."""

    def work_per_direction(self) -> float:
        """Estimated multiply-adds for one direction."""


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


def weighted_rows(rows: np.ndarray, totals: np.ndarray, weights: SparseWeights) -> np.ndarray:
    """Sums of weighted rows and of their totals; rows without weight are not read.

    Parameters
    ----------
    rows : ndarray of float32, shape (n_row, n_hit)
        The table, in memory or mapped.
    totals : ndarray of float64, shape (n_row,)
        Total of each row over all bins.
    weights : SparseWeights
        Entries of n directions.

    Returns
    -------
    unit_counts : ndarray of float64, shape (n, n_hit)
        Sum of weight times row.
    total : ndarray of float64, shape (n,)
        Sum of weight times total.
    """
    unit_counts = np.zeros((len(weights.stop), rows.shape[1]))
    total = np.zeros(len(weights.stop))
    _add_rows(np.asarray(rows), totals, *weights, unit_counts, total)
    return unit_counts, total


@njit(cache=True, nogil=True, fastmath={"contract"})
def _add_rows(rows, totals, stop, row, weight, unit_counts, total):
    n_hit = rows.shape[1]
    for first in range(0, n_hit, _TILE):
        last = min(first + _TILE, n_hit)
        start = 0
        for n in range(stop.size):
            sums = unit_counts[n, first:last]
            for k in range(start, stop[n]):
                values = rows[row[k], first:last]
                w = weight[k]
                for i in range(sums.size):
                    sums[i] += w * np.float64(values[i])
            start = stop[n]
    start = 0
    for n in range(stop.size):
        for k in range(start, stop[n]):
            total[n] += weight[k] * totals[row[k]]
        start = stop[n]


@njit(cache=True, nogil=True)
def add_weight(dense, touched, n_touched, row, weight):
    """Add to the weight of a row, noting the row at its first weight; the number of rows so far.

    `dense` has one weight per row, all 0 at the start; `touched` receives the row numbers.
    """
    if weight <= 0:  # bilinear weights of 0 can round below
        return n_touched
    if dense[row] == 0:
        touched[n_touched] = row
        n_touched += 1
    dense[row] += weight
    return n_touched


@njit(cache=True, nogil=True)
def take_weights(dense, touched, n_touched, row, weight, start):
    """Move the noted weights to the sparse arrays from `start`; `dense` is 0 again."""
    for k in range(n_touched):
        row[start + k] = touched[k]
        weight[start + k] = dense[touched[k]]
        dense[touched[k]] = 0.0
    return start + n_touched
