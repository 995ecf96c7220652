"""Expectation of an extended source, as that of points in many directions around its centre.

For shapes that turn with the sky, and for responses that are tables; radial shapes of imaging
instruments are folded with their point spread function instead (`skyquilt.problem.folding`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from skyquilt.blocks import Block, join_blocks
from skyquilt.io.hdf5 import get, put
from skyquilt.problem.datasets import Dataset, get_all, put_all
from skyquilt.problem.expectation import Expectation
from skyquilt.problem.joint import joint_status, most_between
from skyquilt.sky.healpix import check_directions
from skyquilt.sky.nodes import Nodes
from skyquilt.status import GOOD

if TYPE_CHECKING:
    import h5py

    from skyquilt.problem.datasets import GetPart, PutPart

_NODES = {
    "east": Dataset("", "offsets of the points that make up the source, to the east"),
    "north": Dataset("", "the same to the north"),
    "weight": Dataset("", "weights of these points"),
}
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

    kind: ClassVar[str] = "shaped"
    mapped: ClassVar[frozenset[str]] = frozenset()

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

    def block(self, directions: np.ndarray) -> Block:
        """Expected counts for unit flux.

        Points that are not seen, below the horizon say, add nothing.

        Parameters
        ----------
        directions : ndarray of float64, shape (n, 3)
            Unit vectors to the centre of the source.

        Returns
        -------
        Block
            Of the kind that points have; a direction is GOOD if any of its points is.
        """
        directions, n_node = check_directions(directions), self.nodes.weight.size
        entries = n_node * max(self.expectation.entries_per_direction, 1.0)
        size = max(int(_MOST_ENTRIES / entries), 1)
        return join_blocks([self._block(part) for part in _parts(directions, size)])

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

    def put(self, group: "h5py.Group", put_part: "PutPart") -> None:
        """Write to a group."""
        put_all(group, self.nodes, _NODES)
        put(group, "pole", self.pole, "", "north pole that offsets are counted from")
        put_part(group.create_group("point"), self.expectation)

    @classmethod
    def get(cls, group: "h5py.Group", get_part: "GetPart") -> "Shaped":
        """Read from a group."""
        nodes = Nodes(**get_all(group, _NODES))
        return cls(get_part(group["point"]), nodes, get(group, "pole"))

    def work_per_direction(self) -> float:
        """Estimated multiply-adds for one direction."""
        return self.nodes.weight.size * self.expectation.work_per_direction()

    def _block(self, directions: np.ndarray) -> Block:
        from scipy.sparse import csr_array

        n, n_node = len(directions), self.nodes.weight.size
        points = self.expectation.block(self.nodes.around(directions, self.pole).reshape(-1, 3))
        status = points.status.reshape(n, n_node)
        weight = np.where(status == GOOD, self.nodes.weight, 0.0).ravel()
        ends = n_node * np.arange(n + 1)
        sums = csr_array((weight, np.arange(n * n_node), ends), shape=(n, n * n_node))
        return points.combine(sums, joint_status(status.T))


def _parts(directions: np.ndarray, size: int) -> Iterator[np.ndarray]:
    for start in range(0, max(len(directions), 1), size):
        yield directions[start : start + size]
