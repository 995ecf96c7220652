"""Directions whose exposure is too small to tell a flux."""

from typing import TYPE_CHECKING

import numpy as np

from skyquilt.status import GOOD, NO_EXPOSURE

if TYPE_CHECKING:
    from skyquilt.blocks import SparseWeights

LEAST_EXPOSURE = 1e-8
"""Least total of a direction, relative to the largest there can be.

The weights of bilinear interpolation are good to 1e-14, so that a direction at the centre of a
pixel without response may still see its neighbours' by that much; rows are good to 6e-8.
"""

_SURE = 1e-4  # totals of rows that differ by less make no sum so small


def mark_unexposed(status: np.ndarray, total: np.ndarray, largest: float) -> np.ndarray:
    """Status with NO_EXPOSURE where directions that were GOOD expect next to nothing.

    Parameters
    ----------
    status : ndarray of uint8, shape (n,)
        Status of each direction.
    total : ndarray of float64, shape (n,)
        Expected counts for unit flux in all bins.
    largest : float
        The largest total that any direction may have.

    Examples
    --------
    >>> mark_unexposed(np.zeros(3, np.uint8), np.array([5.0, 1e-3, 1e-13]), 5.0).tolist()
    [0, 0, 2]
    """
    is_lost = (status == GOOD) & (total >= 0) & (total < LEAST_EXPOSURE * largest)
    return np.where(is_lost, NO_EXPOSURE, status).astype(np.uint8)


def mark_unexposed_rows(
    status: np.ndarray, weights: "SparseWeights", totals: np.ndarray, weight_sum: float
) -> np.ndarray:
    """The same for weighted rows of a table.

    Parameters
    ----------
    status : ndarray of uint8, shape (n,)
        Status of each direction.
    weights : SparseWeights
        Rows of each direction.
    totals : ndarray of float64, shape (n_row,)
        Total of each row.
    weight_sum : float
        Largest sum of the weights of a direction.
    """
    known = totals[np.isfinite(totals)]
    largest = known.max(initial=0.0)
    if known.min(initial=np.inf) > _SURE * largest:
        return status
    direction = np.repeat(np.arange(status.size), np.diff(weights.indptr))
    sums = np.bincount(direction, weights.weight * totals[weights.row], minlength=status.size)
    return mark_unexposed(status, sums, weight_sum * largest)
