"""Sets of things that are linked with each other, or are not.

Links are a sparse matrix of n by n: what is in row i is linked with i.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def connected(links: "csr_array | np.ndarray") -> list[np.ndarray]:
    """Sets of those that are linked, directly or through others, by their numbers.

    Examples
    --------
    >>> connected(np.array([[1.0, 0.0, 0.3], [0.0, 1.0, 0.0], [0.3, 0.0, 1.0]]))
    [array([0, 2]), array([1])]
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    n, group = connected_components(csr_array(links), directed=False)
    order, size = np.argsort(group, kind="stable"), np.bincount(group, minlength=n)
    return np.split(order, np.cumsum(size)[:-1]) if n else []


def linked(links: "csr_array", numbers: np.ndarray | int) -> np.ndarray:
    """Numbers of those that are linked with any of some.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> linked(csr_array([[1, 0, 1], [0, 1, 0], [1, 0, 1]]), 0)
    array([0, 2], dtype=int32)
    """
    return np.unique(links[np.atleast_1d(numbers)].indices)


def disjoint_sets(links: "csr_array", rows: np.ndarray) -> Iterator[np.ndarray]:
    """Rows in sets of which no two are linked with the same; earlier rows first."""
    while rows.size:
        is_taken, is_in = np.zeros(links.shape[1], dtype=bool), np.zeros(rows.size, dtype=bool)
        for index, row in enumerate(rows):
            own = links.indices[links.indptr[row] : links.indptr[row + 1]]
            is_in[index] = not np.any(is_taken[own])
            is_taken[own] = True
        yield rows[is_in]
        rows = rows[~is_in]
