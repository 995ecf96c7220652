"""Matrices of parameters that all groups share, and of groups that do not touch each other.

Parameters are ordered: s that are shared, then g of each of n groups (of time bins, say). Second
derivatives by two groups are 0, so the matrix has the shape of an arrow, and a solution costs as
much as there are groups, not the cube of it (Schur complement).
"""

from typing import NamedTuple

import numpy as np


class Arrow(NamedTuple):
    """Symmetric matrix of s + n g rows.

    Attributes
    ----------
    shared : ndarray of float64, shape (s, s)
        Shared parameters among themselves.
    border : ndarray of float64, shape (n, g, s)
        Those of each group with the shared ones.
    blocks : ndarray of float64, shape (n, g, g)
        Those of each group among themselves.
    """

    shared: np.ndarray
    border: np.ndarray
    blocks: np.ndarray

    @property
    def size(self) -> int:
        """Number of rows."""
        n_group, n_own, n_shared = self.border.shape
        return n_shared + n_group * n_own

    def diagonal(self) -> np.ndarray:
        """Diagonal, shape (s + n g,)."""
        own = np.diagonal(self.blocks, axis1=1, axis2=2)
        return np.concatenate([np.diagonal(self.shared), own.ravel()])

    def times(self, vector: np.ndarray) -> np.ndarray:
        """Product with a vector of shape (s + n g,)."""
        first, rest = self._split(vector)
        top = self.shared @ first + np.einsum("kgs,kg->s", self.border, rest)
        below = self.border @ first + np.einsum("kgh,kh->kg", self.blocks, rest)
        return np.concatenate([top, below.ravel()])

    def scaled(self, factor: np.ndarray) -> "Arrow":
        """Matrix with rows and columns multiplied by a factor each."""
        first, rest = self._split(factor)
        return Arrow(
            self.shared * np.outer(first, first),
            self.border * rest[:, :, np.newaxis] * first,
            self.blocks * rest[:, :, np.newaxis] * rest[:, np.newaxis, :],
        )

    def plus_diagonal(self, values: np.ndarray) -> "Arrow":
        """Matrix with values of shape (s + n g,) added to its diagonal."""
        first, rest = self._split(values)
        blocks = self.blocks + rest[:, :, np.newaxis] * np.eye(self.blocks.shape[1])
        return Arrow(self.shared + np.diag(first), self.border, blocks)

    def solve(self, vector: np.ndarray) -> np.ndarray:
        """Solution x of M x = vector.

        Raises
        ------
        numpy.linalg.LinAlgError
            If the matrix is singular.
        """
        first, rest = self._split(vector)
        right = np.concatenate([self.border, rest[:, :, np.newaxis]], axis=2)
        solved = np.linalg.solve(self.blocks, right)
        border, own = solved[:, :, :-1], solved[:, :, -1]
        complement = self.shared - np.einsum("kgs,kgt->st", self.border, border)
        top = np.linalg.solve(complement, first - np.einsum("kgs,kg->s", self.border, own))
        return np.concatenate([top, (own - border @ top).ravel()])

    def to_dense(self) -> np.ndarray:
        """The same as a full array, shape (s + n g, s + n g)."""
        n_group, n_own, n_shared = self.border.shape
        dense = np.zeros((self.size, self.size))
        dense[:n_shared, :n_shared] = self.shared
        for group in range(n_group):
            own = slice(n_shared + group * n_own, n_shared + (group + 1) * n_own)
            dense[own, own] = self.blocks[group]
            dense[own, :n_shared] = self.border[group]
            dense[:n_shared, own] = self.border[group].T
        return dense

    def _split(self, vector: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        n_group, n_own, n_shared = self.border.shape
        return vector[:n_shared], vector[n_shared:].reshape(n_group, n_own)
