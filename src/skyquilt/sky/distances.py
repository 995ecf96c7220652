"""Distances between many directions: by a tree, or all of them where they are few.

scipy.spatial takes longer to load than a million distances.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

_FEW_PAIRS = 4_000_000


class Pairs(NamedTuple):
    """Pairs of directions that are near each other.

    Attributes
    ----------
    first, second : ndarray of int64, shape (n,)
        Indices in both sets.
    chord : ndarray of float64, shape (n,)
        Distance through the unit sphere.
    """

    first: np.ndarray
    second: np.ndarray
    chord: np.ndarray


def nearest_chords(directions: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Distance from each direction to the nearest of others, through the unit sphere.

    Parameters
    ----------
    directions : ndarray of float64, shape (n, 3)
        Unit vectors.
    others : ndarray of float64, shape (m, 3)
        Unit vectors, at least one.

    Returns
    -------
    ndarray of float64, shape (n,)
        The chords.
    """
    if is_few(directions, others):
        return np.sqrt(_squared_chords(directions, others).min(axis=1))
    from scipy.spatial import cKDTree

    return cKDTree(others).query(directions)[0]


def near_pairs(
    directions: np.ndarray, others: np.ndarray, reach: float, tree: "cKDTree | None" = None
) -> Pairs:
    """All pairs of two sets that are not farther from each other than a chord.

    Parameters
    ----------
    directions : ndarray of float64, shape (n, 3)
        Unit vectors.
    others : ndarray of float64, shape (m, 3)
        Unit vectors.
    reach : float
        The chord.
    tree : cKDTree, optional
        Of `directions`, where there is one.

    Examples
    --------
    >>> east, north = np.array([1.0, 0, 0]), np.array([0, 0, 1.0])
    >>> near_pairs(np.array([east, north]), np.array([north]), 0.1).first
    array([1])
    """
    if tree is None and is_few(directions, others):
        squared = _squared_chords(directions, others)
        first, second = np.nonzero(squared <= reach**2)
        return Pairs(first, second, np.sqrt(squared[first, second]))
    from scipy.spatial import cKDTree

    tree = tree or cKDTree(directions)
    near = tree.sparse_distance_matrix(cKDTree(others), reach, output_type="ndarray")
    return Pairs(near["i"], near["j"], near["v"])


def is_few(directions: np.ndarray, others: np.ndarray) -> bool:
    """Whether all distances between two sets are found at once."""
    return len(directions) * len(others) <= _FEW_PAIRS


def _squared_chords(directions: np.ndarray, others: np.ndarray) -> np.ndarray:
    parts = (np.subtract.outer(a, b) for a, b in zip(directions.T, others.T, strict=True))
    return sum(part**2 for part in parts)
