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
from skyquilt.problem.cost import Cost
from skyquilt.problem.datasets import StoredDataset, get_all, put_all
from skyquilt.problem.expectation import Expectation
from skyquilt.problem.joint import joint_status, most_between
from skyquilt.problem.nodes import CombinedNodes
from skyquilt.problem.true_energy import TrueEnergy
from skyquilt.sky.healpix import check_directions
from skyquilt.sky.nodes import Nodes
from skyquilt.status import GOOD

if TYPE_CHECKING:
    import h5py
    from scipy.sparse import csr_array

    from skyquilt.problem.datasets import GetPart, PutPart

_NODES = {
    "east": StoredDataset("", "offsets of the points that make up the source, to the east"),
    "north": StoredDataset("", "the same to the north"),
    "weight": StoredDataset("", "weights of these points"),
}
_MOST_ENTRIES = 2**22  # of expected counts of points that are held at a time: 100 MB


@dataclass(frozen=True, eq=False)
class Shaped:
    """Expectation of points, and the points that make up a source.

    Attributes
    ----------
    expectation : Expectation
        Expected counts of a point of unit flux.
    points : Nodes
        Offsets and weights of the points.
    pole : ndarray of float64, shape (3,)
        North pole that the offsets are counted from, in the frame of the directions.
    """

    kind: ClassVar[str] = "shaped"
    mapped: ClassVar[frozenset[str]] = frozenset()

    expectation: Expectation
    points: Nodes
    pole: np.ndarray

    @property
    def n_hit(self) -> int:
        """Number of hit bins."""
        return self.expectation.n_hit

    @property
    def entries_per_direction(self) -> float:
        """Estimated expected counts that a block holds per direction."""
        return min(2 * self.expectation.entries_per_direction, float(self.n_hit))

    @property
    def extent(self) -> float | None:
        """Angle from the middle of the data to their farthest end [rad], as of points."""
        return self.expectation.extent

    @property
    def core(self) -> float:
        """Width of what a point of the source becomes [rad]."""
        return self.expectation.core

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
        parts = _parts(check_directions(directions), self._most_directions)
        return join_blocks([self._block(part) for part in parts])

    def band_totals(self, directions: np.ndarray) -> np.ndarray:
        """Expected counts of each band for unit flux, over all its bins, shape (n, n_band)."""
        parts = _parts(check_directions(directions), self._most_directions)
        return np.concatenate([self._band_totals(part) for part in parts])

    @property
    def true_energy(self) -> TrueEnergy | None:
        """Nodes of true energy, as of points; None where they are not kept."""
        return self.expectation.true_energy

    def nodes(self, directions: np.ndarray) -> CombinedNodes:
        """Expected counts per node of true energy, for unit vectors of shape (n, 3).

        Raises
        ------
        ValueError
            If nodes are not kept.
        """
        around = self._around(check_directions(directions))
        points = self.expectation.nodes(around)
        return CombinedNodes(points, *self._sums(self.expectation.block(around).status))

    def with_spectrum(self, flux: np.ndarray) -> "Shaped":
        """The same for a spectrum that has these photons at each node, shape (n_node,)."""
        return replace(self, expectation=self.expectation.with_spectrum(flux))

    def most_between(self, directions: np.ndarray) -> np.ndarray:
        """Largest ratio of expected counts to background where there are no bins, shape (n,).

        No smaller than it is: as if all points had theirs at one position.
        """
        points = self.points.around(directions, self.pole)
        each = most_between(self.expectation, points.reshape(-1, 3))
        return each.reshape(points.shape[:2]) @ self.points.weight

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
        put_all(group, self.points, _NODES)
        put(group, "pole", self.pole, "", "north pole that offsets are counted from")
        put_part(group.create_group("point"), self.expectation)

    @classmethod
    def get(cls, group: "h5py.Group", get_part: "GetPart") -> "Shaped":
        """Read from a group."""
        nodes = Nodes(**get_all(group, _NODES))
        return cls(get_part(group["point"]), nodes, get(group, "pole"))

    def cost(self, directions: np.ndarray, nside: int) -> Cost:
        """Cost of a direction, from some in the frame of the problem, for a map of `nside`."""
        points = self.expectation.cost(directions, nside)
        return Cost(self.points.weight.size * points.seconds, self.entries_per_direction)

    @property
    def _most_directions(self) -> int:
        """Directions whose points are looked at together."""
        entries = self.points.weight.size * max(self.expectation.entries_per_direction, 1.0)
        return max(int(_MOST_ENTRIES / entries), 1)

    def _band_totals(self, directions: np.ndarray) -> np.ndarray:
        points = self.points.around(directions, self.pole).reshape(-1, 3)
        is_seen = self.expectation.block(points).status == GOOD
        totals = np.where(is_seen[:, np.newaxis], self.expectation.band_totals(points), 0.0)
        each = totals.reshape(len(directions), self.points.weight.size, -1)
        return np.einsum("j,ijk->ik", self.points.weight, each)

    def _block(self, directions: np.ndarray) -> Block:
        points = self.expectation.block(self._around(directions))
        return points.combine(*self._sums(points.status))

    def _around(self, directions: np.ndarray) -> np.ndarray:
        """Directions of all points of a source in each direction, shape (n * n_point, 3)."""
        return self.points.around(directions, self.pole).reshape(-1, 3)

    def _sums(self, status: np.ndarray) -> tuple["csr_array", np.ndarray]:
        """Weights of the points of each direction that are seen, and status of the direction."""
        from scipy.sparse import csr_array

        n_point = self.points.weight.size
        n = len(status) // n_point
        by_direction = status.reshape(n, n_point)
        weight = np.where(by_direction == GOOD, self.points.weight, 0.0).ravel()
        ends, shape = n_point * np.arange(n + 1), (n, n * n_point)
        sums = csr_array((weight, np.arange(n * n_point), ends), shape=shape)
        return sums, joint_status(by_direction.T)


def _parts(directions: np.ndarray, size: int) -> Iterator[np.ndarray]:
    for start in range(0, max(len(directions), 1), size):
        yield directions[start : start + size]
