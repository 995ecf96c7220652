"""Lists of hit bins or rows, one per direction, as CSR has them; and where fits go."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class PixelFits(NamedTuple):
    """Where the fits of pixels go.

    Attributes
    ----------
    results : ndarray of float64, shape (n_results, n)
        Quantities of poisson.h, in its order.
    n_iter : ndarray of int32, shape (n,)
        Steps.
    status : ndarray of uint8, shape (n,)
        Pixels that are not GOOD are not fitted.
    """

    results: np.ndarray
    n_iter: np.ndarray
    status: np.ndarray


def fit_room(n_bins: int) -> int:
    """Values of space that the kernels need, FIT_ROOM of poisson.h."""
    return 5 * (n_bins + 8) + 8


def join_lists(
    parts: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lists of several blocks as those of one: `indptr`, columns and values."""
    indptrs, columns, values = zip(*parts, strict=True)
    before = np.cumsum([0, *(column.size for column in columns[:-1])])
    ends = [indptr[1:] + first for indptr, first in zip(indptrs, before, strict=True)]
    return np.concatenate([[0], *ends]), np.concatenate(columns), np.concatenate(values)


def lists_of(matrix: "csr_array") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`indptr`, columns ascending, and values of a matrix, none of them 0."""
    matrix.eliminate_zeros()
    matrix.sort_indices()
    indptr, column = (part.astype(np.int64) for part in (matrix.indptr, matrix.indices))
    return indptr, column, np.ascontiguousarray(matrix.data, dtype=np.float64)


def check_lists(
    n: int, indptr: np.ndarray, name: str, numbers: np.ndarray, n_numbers: int, n_values: int
) -> int:
    """Length of the longest list; refuses those that do not fit.

    List i is from ``indptr[i]`` to ``indptr[i + 1]``; its `numbers`, called `name`, are below
    `n_numbers`, and there is one for each of the `n_values` values.
    """
    sizes = np.diff(indptr)
    if indptr.shape != (n + 1,) or np.any(sizes < 0) or indptr[0] or indptr[-1] != numbers.size:
        raise ValueError(
            f"indptr: allowed are {n + 1} numbers that ascend from 0 to the number of entries, "
            f"{numbers.size}."
        )
    if numbers.shape != (n_values,) or np.any((numbers < 0) | (numbers >= n_numbers)):
        raise ValueError(
            f"{name}: allowed are numbers from 0 to {n_numbers - 1}, one for each of the "
            f"{n_values} values."
        )
    return int(sizes.max(initial=0))
