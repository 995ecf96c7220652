"""Cells of an expectation of the whole time, of which each has a fraction."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from skyquilt.problem.cells.sights import CellCounts, CellHits, Views
from skyquilt.problem.datasets import StoredDataset, get_all, put_all
from skyquilt.problem.expectation import Expectation
from skyquilt.problem.nodes import NodeBlock
from skyquilt.problem.true_energy import TrueEnergy
from skyquilt.status import GOOD

if TYPE_CHECKING:
    import h5py

    from skyquilt.problem.datasets import GetPart, PutPart

_DATASETS = {"fraction": StoredDataset("", "fraction of the exposure that each cell has")}


@dataclass(frozen=True, eq=False)
class CellFractions:
    """An expectation of the whole time; each cell has a fraction of its exposure.

    Attributes
    ----------
    expectation : Expectation
        Of the whole time, with nodes of true energy; its bins are the columns of the cells.
    fraction : ndarray of float64, shape (n_cell,)
        Fraction of the exposure that each cell has.

    Raises
    ------
    ValueError
        If the expectation has no nodes.
    """

    kind: ClassVar[str] = "fractions"

    expectation: Expectation
    fraction: np.ndarray

    def __post_init__(self):
        if self.expectation.true_energy is None:
            raise ValueError("no nodes of true energy; prepare it with true_energy=True")

    @property
    def true_energy(self) -> TrueEnergy:
        """Nodes of true energy."""
        axis = self.expectation.true_energy
        assert axis is not None
        return axis

    def see(self, views: Views, cells: CellHits) -> "SharedSights":
        """Look at a source."""
        return SharedSights(
            *(self.expectation.nodes(views.directions.reshape(-1, 3)), views, cells, self.fraction),
            nodes_of=self.expectation.nodes,
        )

    def take(self, cells: slice) -> "CellFractions":
        """The same of some of the cells only."""
        return CellFractions(self.expectation, self.fraction[cells])

    def put(self, group: "h5py.Group", put_part: "PutPart") -> None:
        """Write to a group."""
        put_all(group, self, _DATASETS)
        put_part(group.create_group("whole"), self.expectation)

    @classmethod
    def get(cls, group: "h5py.Group", get_part: "GetPart") -> "CellFractions":
        """Read from a group."""
        return cls(get_part(group["whole"]), **get_all(group, _DATASETS))


@dataclass(frozen=True, eq=False)
class SharedSights:
    """A source seen in cells that share an expectation.

    Attributes
    ----------
    nodes : NodeBlock
        Nodes of all directions of the views.
    views : Views
        The views.
    cells : CellHits
        The cells.
    fraction : ndarray of float64, shape (n_cell,)
        Fraction of the exposure that each cell has.
    nodes_of : callable
        Gives the nodes of directions.
    """

    nodes: NodeBlock
    views: Views
    cells: CellHits
    fraction: np.ndarray
    nodes_of: Callable[[np.ndarray], NodeBlock]

    def contract(self, flux: np.ndarray, *, first_only: bool = False) -> CellCounts:
        """Expected counts for a spectrum in each view."""
        views, nodes = self.views, self.nodes
        if first_only and len(views.weight) > 1:
            views = Views(views.directions[:1], views.weight[:1])
            nodes = self._first_nodes
        fluxes, of_cell = _distinct(flux, self.cells.n_cell)
        each = [self._contract(nodes, views, one) for one in fluxes]
        if len(each) == 1:
            return each[0]
        of_hit = of_cell[self.cells.cell]
        hit = np.stack([one.hit for one in each])[of_hit, :, np.arange(of_hit.size)].T
        total = np.stack([one.total for one in each])[of_cell, :, np.arange(of_cell.size)].T
        return CellCounts(hit, total)

    @cached_property
    def _first_nodes(self) -> NodeBlock:
        """Nodes of the directions of the first view."""
        return self.nodes_of(self.views.directions[:1].reshape(-1, 3))

    def _contract(self, nodes: NodeBlock, views: Views, flux: np.ndarray) -> CellCounts:
        """The same for a spectrum that all cells have."""
        block = nodes.contract(flux).dense()
        seen = block.status == GOOD
        shape = views.directions.shape[:3]
        counts = np.where(seen[:, np.newaxis], block.unit_counts, 0.0).reshape(*shape, -1)
        totals = np.where(seen, block.total, 0.0).reshape(shape)
        if shape[2] == 1:
            counts, totals = counts[:, :, 0], totals[:, :, 0]
        else:
            counts = np.einsum("vcpj,vp->vcj", counts, views.weight)
            totals = np.einsum("vcp,vp->vc", totals, views.weight)
        of_cell = self.cells.cell if shape[1] > 1 else 0
        hit = counts[:, of_cell, self.cells.column] * self.fraction[self.cells.cell]
        return CellCounts(hit, totals * self.fraction)


def _distinct(flux: np.ndarray, n_cell: int) -> tuple[np.ndarray, np.ndarray]:
    """Spectra that differ, and which of them each cell has."""
    if flux.ndim == 1:
        return flux[np.newaxis], np.zeros(n_cell, np.int64)
    fluxes, of_cell = np.unique(flux, axis=0, return_inverse=True)
    return fluxes, of_cell.ravel()
