"""Expectation of an extended source, as that of points in many directions around its centre.

For shapes that turn with the sky, and for responses that are tables; radial shapes of imaging
instruments are folded with their point spread function instead (`skyquilt.problem.folding`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from skyquilt.problem.expectation import Block, Expectation, RowBlock, SparseBlock, SparseWeights
from skyquilt.problem.joint import joint_status, most_between
from skyquilt.sky.healpix import check_directions
from skyquilt.sky.nodes import Nodes
from skyquilt.status import GOOD

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_MOST_ENTRIES = 2**22  # of expected counts of points that are held at a time: 100 MB


@dataclass(frozen=True, eq=False)
class Shaped:
    """Expectation of points, and the points that make up a source.

    Attributes
    ----------
    expectation : Expectation
        Expected counts of a point of unit flux.
    nodes : Nodes
        Offsets and weights of the points.
    pole : ndarray of float64, shape (3,)
        North pole that the offsets are counted from, in the frame of the directions.
    """

    expectation: Expectation
    nodes: Nodes
    pole: np.ndarray

    @property
    def n_hit(self) -> int:
        """Number of hit bins."""
        return self.expectation.n_hit

    @property
    def entries_per_direction(self) -> float:
        """Estimated expected counts that a block holds per direction."""
        return min(2 * self.expectation.entries_per_direction, float(self.n_hit))

    def block(self, directions: np.ndarray) -> Block | SparseBlock | RowBlock:
        """Expected counts for unit flux.

        Points that are not seen, below the horizon say, add nothing.

        Parameters
        ----------
        directions : ndarray of float64, shape (n, 3)
            Unit vectors to the centre of the source.

        Returns
        -------
        Block, SparseBlock or RowBlock
            As of points; a direction is GOOD if any of its points is.
        """
        directions, n_node = check_directions(directions), self.nodes.weight.size
        entries = n_node * max(self.expectation.entries_per_direction, 1.0)
        size = max(int(_MOST_ENTRIES / entries), 1)
        return _join([self._block(part) for part in _parts(directions, size)])

    def most_between(self, directions: np.ndarray) -> np.ndarray:
        """Largest ratio of expected counts to background where there are no bins, shape (n,).

        No smaller than it is: as if all points had theirs at one place.
        """
        points = self.nodes.around(directions, self.pole)
        each = most_between(self.expectation, points.reshape(-1, 3))
        return each.reshape(points.shape[:2]) @ self.nodes.weight

    def select_bins(self, bins: np.ndarray) -> "Shaped":
        """The same with some of the hit bins; totals stay those of all bins.

        Parameters
        ----------
        bins : ndarray of int64, shape (n,)
            Numbers of the hit bins to keep, ascending.
        """
        return replace(self, expectation=self.expectation.select_bins(bins))

    def work_per_direction(self) -> float:
        """Estimated multiply-adds for one direction."""
        return self.nodes.weight.size * self.expectation.work_per_direction()

    def _block(self, directions: np.ndarray) -> Block | SparseBlock | RowBlock:
        from scipy.sparse import csr_array

        n, n_node = len(directions), self.nodes.weight.size
        points = self.expectation.block(self.nodes.around(directions, self.pole).reshape(-1, 3))
        status = points.status.reshape(n, n_node)
        weight = np.where(status == GOOD, self.nodes.weight, 0.0).ravel()
        sums = csr_array(
            (weight, np.arange(n * n_node), n_node * np.arange(n + 1)), shape=(n, n * n_node)
        )
        whole = joint_status(status.T)
        if isinstance(points, RowBlock):
            rows = _csr(*points.weights, len(points.rows))
            weights = SparseWeights(*_entries(sums @ rows))
            return RowBlock(points.rows, points.totals, weights, whole)
        total = sums @ np.where(weight > 0, points.total, 0.0)
        if isinstance(points, SparseBlock):
            counts = _csr(points.stop, points.bin, points.unit_counts, self.n_hit)
            return SparseBlock(*_entries(sums @ counts), total, whole)
        unit_counts = np.where((weight > 0)[:, np.newaxis], points.unit_counts, 0.0)
        return Block(sums @ unit_counts, total, whole)


def _parts(directions: np.ndarray, size: int) -> Iterator[np.ndarray]:
    for start in range(0, max(len(directions), 1), size):
        yield directions[start : start + size]


def _csr(stop: np.ndarray, column: np.ndarray, values: np.ndarray, n_column: int) -> "csr_array":
    from scipy.sparse import csr_array

    ends = np.concatenate([[0], stop])
    return csr_array((values, column, ends), shape=(len(stop), n_column))


def _entries(matrix: "csr_array") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ends of the rows, columns and values, without zeros, columns ascending."""
    matrix.eliminate_zeros()
    matrix.sort_indices()
    ends, column = (part.astype(np.int64) for part in (matrix.indptr[1:], matrix.indices))
    return ends, column, np.ascontiguousarray(matrix.data, dtype=np.float64)


def _join(
    blocks: list[Block | SparseBlock | RowBlock],
) -> Block | SparseBlock | RowBlock:
    """Blocks of one kind, one after the other."""
    first = blocks[0]
    if len(blocks) == 1:
        return first
    status = np.concatenate([block.status for block in blocks])
    if isinstance(first, RowBlock):
        weights = SparseWeights(*_join_rows([block.weights for block in blocks]))
        return RowBlock(first.rows, first.totals, weights, status)
    total = np.concatenate([block.total for block in blocks])
    if isinstance(first, SparseBlock):
        return SparseBlock(*_join_rows([block[:3] for block in blocks]), total, status)
    return Block(np.concatenate([block.unit_counts for block in blocks]), total, status)


def _join_rows(parts: list[tuple]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    stops, columns, values = zip(*parts, strict=True)
    before = np.cumsum([0] + [column.size for column in columns[:-1]])
    ends = [stop + first for stop, first in zip(stops, before, strict=True)]
    return np.concatenate(ends), np.concatenate(columns), np.concatenate(values)
