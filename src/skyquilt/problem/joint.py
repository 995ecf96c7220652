"""Several data sets with one common flux: their bins stand side by side, likelihoods add."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np

from skyquilt.blocks import Block, DenseBlock, SparseBlock
from skyquilt.problem.cost import Cost
from skyquilt.problem.expectation import Expectation
from skyquilt.problem.extent import joint_extent
from skyquilt.problem.nodes import JointNodes, missing_nodes, split_flux
from skyquilt.problem.true_energy import TrueEnergy, join_true_energies
from skyquilt.sky.frames import rotate, rotation
from skyquilt.status import GOOD, NO_EXPOSURE, NOT_FINITE, OCCULTED

if TYPE_CHECKING:
    import h5py

    from skyquilt.problem.datasets import GetPart, PutPart


class Part(NamedTuple):
    """One data set of a joint expectation.

    Attributes
    ----------
    expectation : Expectation
        Expected counts in the hit bins of this data set.
    frame : {"galactic", "icrs"}
        Frame of the directions handed to it.
    """

    expectation: Expectation
    frame: str


@dataclass(frozen=True, eq=False)
class Joint:
    """Expectations of several data sets; the hit bins of each follow those of the one before.

    Attributes
    ----------
    parts : tuple of Part
        The data sets, in the order of their bins.
    frame : {"galactic", "icrs"}
        Frame of the directions; each part gets them turned into its own.

    Raises
    ------
    ValueError
        If there are no parts, or a frame is not known.
    """

    kind: ClassVar[str] = "joint"
    mapped: ClassVar[frozenset[str]] = frozenset()

    parts: tuple[Part, ...]
    frame: str

    def __post_init__(self):
        if not self.parts:
            raise ValueError("no parts: a joint expectation needs one or more.")
        for part in self.parts:
            rotation(self.frame, part.frame)

    @property
    def n_hit(self) -> int:
        """Number of hit bins."""
        return sum(part.expectation.n_hit for part in self.parts)

    @property
    def entries_per_direction(self) -> float:
        """Expected counts that a block holds per direction."""
        return sum(part.expectation.entries_per_direction for part in self.parts)

    @property
    def extent(self) -> float | None:
        """Largest of the data sets [rad]; None if any has none."""
        return joint_extent(*(part.expectation.extent for part in self.parts))

    @property
    def core(self) -> float:
        """Width of what a point becomes in the sharpest data set [rad]."""
        return min(part.expectation.core for part in self.parts)

    def block(self, directions: np.ndarray) -> Block:
        """Expected counts for unit flux.

        Parameters
        ----------
        directions : ndarray of float64, shape (n, 3)
            Unit vectors in the frame of this expectation.

        Returns
        -------
        Block
            Counts of all parts side by side, sparse if those of any part are; totals added; for
            the status see `joint_status`.
        """
        return self._together(list(self._blocks(directions)))

    @property
    def true_energy(self) -> TrueEnergy | None:
        """Nodes of all parts, one after the other; None where any has none."""
        axes = [part.expectation.true_energy for part in self.parts]
        known = [one for one in axes if one is not None]
        return join_true_energies(known) if len(known) == len(axes) else None

    def nodes(self, directions: np.ndarray) -> JointNodes:
        """Expected counts per node of true energy, for unit vectors of shape (n, 3).

        Raises
        ------
        ValueError
            If a part has no nodes.
        """
        parts = tuple(part.nodes(turned) for part, turned in self.split(directions))
        return JointNodes(parts, self._together)

    def with_spectrum(self, flux: np.ndarray) -> "Joint":
        """The same for a spectrum that has these photons at each node, shape (n_node,)."""
        axes = [part.expectation.true_energy for part in self.parts]
        known = [one for one in axes if one is not None]
        if len(known) < len(axes):
            raise missing_nodes("data set")
        own = split_flux(flux, [one.n_node for one in known])
        parts = tuple(
            part._replace(expectation=part.expectation.with_spectrum(one))
            for part, one in zip(self.parts, own, strict=True)
        )
        return replace(self, parts=parts)

    def _together(self, blocks: Sequence[Block]) -> Block:
        """Blocks of all parts side by side."""
        total = reduce(np.add, [block.total for block in blocks])
        status = joint_status(np.array([block.status for block in blocks]))
        if any(block.is_sparse for block in blocks):
            entries = _side_by_side([block.csr() for block in blocks], self._first_bins())
            return SparseBlock(*entries, total, status, self.n_hit)
        unit_counts = [block.dense().unit_counts for block in blocks]
        return DenseBlock(np.hstack(unit_counts), total, status)

    def band_totals(self, directions: np.ndarray) -> np.ndarray:
        """Expected counts of each band for unit flux, data set by data set, shape (n, n_band)."""
        return np.hstack([part.band_totals(turned) for part, turned in self.split(directions)])

    def most_between(self, directions: np.ndarray) -> np.ndarray:
        """Largest ratio of expected counts to background where there are no bins, shape (n,)."""
        return np.max([most_between(*part) for part in self.split(directions)], axis=0)

    def select_bins(self, bins: np.ndarray) -> "Joint":
        """The same with some of the hit bins; totals stay those of all bins.

        Parameters
        ----------
        bins : ndarray of int64, shape (n,)
            Numbers of the hit bins to keep, ascending.
        """
        first = self._first_bins()
        own = np.split(bins, np.searchsorted(bins, first[1:]))
        parts = zip(self.parts, own, first, strict=True)
        return replace(
            self,
            parts=tuple(
                part._replace(expectation=part.expectation.select_bins(kept - start))
                for part, kept, start in parts
            ),
        )

    def put(self, group: "h5py.Group", put_part: "PutPart") -> None:
        """Write to a group."""
        group.attrs["frame"] = self.frame  # also that of the part, if it is one
        for index, part in enumerate(self.parts):
            own = group.create_group(f"part_{index}")
            own.attrs["frame"] = part.frame
            put_part(own, part.expectation)

    @classmethod
    def get(cls, group: "h5py.Group", get_part: "GetPart") -> "Joint":
        """Read from a group."""
        parts = [group[f"part_{index}"] for index in range(len(group))]
        frames = [str(part.attrs["frame"]) for part in parts]
        return cls(tuple(map(Part, map(get_part, parts), frames)), str(group.attrs["frame"]))

    def cost(self, directions: np.ndarray, nside: int) -> Cost:
        """Cost of a direction, from some in the frame of the problem, for a map of `nside`."""
        each = [part.cost(turned, nside) for part, turned in self.split(directions)]
        return reduce(Cost.beside, each)

    def split(self, directions: np.ndarray) -> Iterator[tuple[Expectation, np.ndarray]]:
        """Expectation of each data set, and directions in its frame."""
        for part, turned in zip(self.parts, self._turned(directions), strict=True):
            yield part.expectation, turned

    def _first_bins(self) -> np.ndarray:
        """Number of the first hit bin of each part."""
        sizes = [part.expectation.n_hit for part in self.parts]
        return np.cumsum([0, *sizes[:-1]])

    def _blocks(self, directions: np.ndarray) -> Iterator[Block]:
        for expectation, turned in self.split(directions):
            yield expectation.block(turned)

    def _turned(self, directions: np.ndarray) -> Iterator[np.ndarray]:
        """Directions in the frame of each part."""
        for part in self.parts:
            is_turned = part.frame != self.frame
            matrix = rotation(self.frame, part.frame)
            yield rotate(matrix, directions) if is_turned else directions


@runtime_checkable
class HasPositionsBetween(Protocol):
    """An expectation of positions that are no bins: sources may have counts there, too."""

    def most_between(self, directions: np.ndarray) -> np.ndarray:
        """Largest ratio of expected counts to background there, shape (n,)."""


def most_between(expectation: Expectation, directions: np.ndarray) -> np.ndarray:
    """Largest ratio of expected counts to background where there are no bins, shape (n,).

    It bounds fluxes below zero as bins without counts do; of binned data, whose bins are there, it
    is 0.
    """
    if isinstance(expectation, HasPositionsBetween):
        return expectation.most_between(directions)
    return np.zeros(len(directions))


def _side_by_side(
    blocks: Sequence[SparseBlock], first_bins: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Entries of all blocks, direction by direction: `indptr`, bin and unit_counts."""
    lengths = np.stack([np.diff(block.indptr) for block in blocks], axis=1)
    ends = np.cumsum(lengths).reshape(lengths.shape)
    n_entries = sum(block.bin.size for block in blocks)
    bins, unit_counts = np.empty(n_entries, np.int64), np.empty(n_entries)
    for block, first_bin, end, length in zip(blocks, first_bins, ends.T, lengths.T, strict=True):
        entry = np.arange(block.bin.size) + np.repeat(end - block.indptr[1:], length)
        bins[entry] = block.bin + first_bin
        unit_counts[entry] = block.unit_counts
    return np.append(0, ends[:, -1]), bins, unit_counts


def joint_status(status: np.ndarray) -> np.ndarray:
    """Status of directions seen by several data sets.

    Parameters
    ----------
    status : ndarray of uint8, shape (n_part, n)
        Status of each direction in each data set.

    Returns
    -------
    ndarray of uint8, shape (n,)
        NOT_FINITE where any data set says so; else GOOD where any is GOOD; else OCCULTED where
        all are, and NO_EXPOSURE where some are occulted and the others not exposed.

    Examples
    --------
    >>> joint_status(np.array([[0, 2, 3, 3], [2, 2, 3, 2]])).tolist()
    [0, 2, 3, 2]
    """
    cases = {
        NOT_FINITE: np.any(status == NOT_FINITE, axis=0),
        GOOD: np.any(status == GOOD, axis=0),
        OCCULTED: np.all(status == OCCULTED, axis=0),
    }
    return np.select(list(cases.values()), list(cases), NO_EXPOSURE).astype(np.uint8)
