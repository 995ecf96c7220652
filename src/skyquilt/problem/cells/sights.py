"""What an expectation of many cells answers: counts of a source in all of them, in one call."""

from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np

from skyquilt.problem.true_energy import TrueEnergy

if TYPE_CHECKING:
    import h5py

    from skyquilt.problem.datasets import PutPart


class Views(NamedTuple):
    """Where a source is looked for: once, or in several ways for differences.

    Attributes
    ----------
    directions : ndarray of float64, shape (n_view, n_cell or 1, n_point, 3)
        Unit vectors to the points of the source, in the frame of the data; of each cell, or the
        same in all.
    weight : ndarray of float64, shape (n_view, n_point)
        Weights of the points, sum 1.
    """

    directions: np.ndarray
    weight: np.ndarray


class CellCounts(NamedTuple):
    """Expected counts.

    Attributes
    ----------
    hit : ndarray of float64, shape (n, n_hit)
        In the hit bins of all cells, one cell after the other.
    total : ndarray of float64, shape (n, n_cell)
        In all bins of each cell, with and without counts.
    """

    hit: np.ndarray
    total: np.ndarray


class Sights(Protocol):
    """A source of unknown spectrum, seen in all cells from all its views."""

    def contract(self, flux: np.ndarray, *, first_only: bool = False) -> CellCounts:
        """Expected counts for a spectrum, or a derivative of one, in each view.

        Parameters
        ----------
        flux : ndarray of float64, shape (n_node,) or (n_cell, n_node)
            Photons of each node of true energy; the same in all cells, or of each.
        first_only : bool
            Of the first view only.
        """


class CellExpectation(Protocol):
    """Expected counts of a source in the hit bins of all cells of a data set."""

    @property
    def true_energy(self) -> TrueEnergy:
        """Nodes of true energy."""

    def see(self, views: Views, cells: "CellHits") -> Sights:
        """Look at a source."""

    def take(self, cells: slice) -> "CellExpectation":
        """The same of some of the cells only."""


@runtime_checkable
class StoredExpectation(CellExpectation, Protocol):
    """One that a file may keep."""

    kind: ClassVar[str]

    def put(self, group: "h5py.Group", put_part: "PutPart") -> None:
        """Write all but the kind; `put_part` writes an expectation of fit problems to a group."""


class CellHits(NamedTuple):
    """Hit bins of cells, one cell after the other.

    Attributes
    ----------
    indptr : ndarray of int64, shape (n_cell + 1,)
        Hits of cell c are those from ``indptr[c]`` to ``indptr[c + 1]``.
    column : ndarray of int64, shape (n_hit,)
        Bin of the data set that each is in.
    cell : ndarray of int64, shape (n_hit,)
        Cell of each hit.
    """

    indptr: np.ndarray
    column: np.ndarray
    cell: np.ndarray

    @classmethod
    def of(cls, cell: np.ndarray, column: np.ndarray, n_cell: int) -> "CellHits":
        """Hits that are in the order of their cells."""
        indptr = np.searchsorted(cell, np.arange(n_cell + 1)).astype(np.int64)
        return cls(indptr, np.ascontiguousarray(column, np.int64), np.asarray(cell, np.int64))

    @property
    def n_cell(self) -> int:
        """Number of cells."""
        return len(self.indptr) - 1
