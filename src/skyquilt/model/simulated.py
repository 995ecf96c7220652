"""Data that a model would give: counts drawn in the bins that its measurement knows.

The measurement of a model knows what is expected in the bins of the data space that have counts in
some cell, and in all of them together, but not in the others one by one. Counts are drawn in those,
and the likelihood of what is drawn is of those only.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from skyquilt.model.layer import Values
from skyquilt.model.problem import ModelProblem
from skyquilt.model.problems import CellLikelihood
from skyquilt.problem.cells import CellCounts, CellData, CellExpectation, Sights, Views
from skyquilt.problem.cells.fractions import CellFractions
from skyquilt.problem.cells.sights import CellHits
from skyquilt.problem.dispersed import DispersedEvents
from skyquilt.problem.event_wise import EventWise
from skyquilt.problem.true_energy import TrueEnergy

_EVENTS = EventWise | DispersedEvents


def simulate(
    problem: ModelProblem,
    likelihood_of: Callable[[ModelProblem], CellLikelihood],
    values: Values,
    rng: np.random.Generator,
) -> ModelProblem:
    """Draw the counts of all data sets.

    Parameters
    ----------
    problem : ModelProblem
        The measurement.
    likelihood_of : callable
        Gives the likelihood of a measurement.
    values : dict of str to ndarray
        Quantities of the model.
    rng : Generator
        Draws.

    Returns
    -------
    ModelProblem
        The same with the counts that were drawn, without an identity.

    Raises
    ------
    ValueError
        If photons are known one by one, so that there are no bins.
    """
    for data in problem.data:
        whole = data.expectation
        if isinstance(whole, CellFractions) and isinstance(whole.expectation, _EVENTS):
            raise ValueError(
                f"data set {data.name or 'of this model'}: photons one by one have no bins to draw "
                "counts in; `skyquilt simulate` draws photons"
            )
    every = replace(problem, data=tuple(map(_everywhere, problem.data)), identity="")
    expected = likelihood_of(every).expected_hits(values)
    drawn = [
        _with_counts(data, rng.poisson(mu)) for data, mu in zip(every.data, expected, strict=True)
    ]
    return replace(every, data=tuple(drawn))


def _everywhere(data: CellData) -> CellData:
    """A data set with a hit in every bin that it knows, in every cell, and in no others."""
    n_column = data.background.shape[1]
    cell, column = _all_bins(data.n_cell, n_column)
    return replace(
        data,
        cell=cell,
        column=column,
        counts=np.ones(cell.size),
        background_total=data.background.sum(axis=1),
        expectation=KnownBins(data.expectation, n_column),
    )


def _all_bins(n_cell: int, n_column: int) -> tuple[np.ndarray, np.ndarray]:
    """Cell and column of every bin of every cell, in the order of cells."""
    return np.repeat(np.arange(n_cell), n_column), np.tile(np.arange(n_column), n_cell)


def _with_counts(data: CellData, counts: np.ndarray) -> CellData:
    hit = counts > 0
    return replace(
        data, cell=data.cell[hit], column=data.column[hit], counts=counts[hit].astype(np.float64)
    )


@dataclass(frozen=True, eq=False)
class KnownBins:
    """An expectation whose totals are those of the bins that are known one by one.

    Attributes
    ----------
    inner : CellExpectation
        The expectation.
    n_column : int
        Number of these bins.
    """

    inner: CellExpectation
    n_column: int

    @property
    def true_energy(self) -> TrueEnergy:
        """Nodes of true energy."""
        return self.inner.true_energy

    def see(self, views: Views, cells: CellHits) -> "KnownSights":
        """Look at a source."""
        cell, column = _all_bins(cells.n_cell, self.n_column)
        every = CellHits.of(cell, column, cells.n_cell)
        return KnownSights(self.inner.see(views, every), cells, self.n_column)

    def take(self, cells: slice) -> "KnownBins":
        """The same of some of the cells only."""
        return KnownBins(self.inner.take(cells), self.n_column)


@dataclass(frozen=True, eq=False)
class KnownSights:
    """What is seen of a source in the bins that are known one by one.

    Attributes
    ----------
    inner : Sights
        What is seen in each of them, in every cell.
    cells : CellHits
        The hits.
    n_column : int
        Number of these bins.
    """

    inner: Sights
    cells: CellHits
    n_column: int

    def contract(self, flux: np.ndarray, *, first_only: bool = False) -> CellCounts:
        """Expected counts for a spectrum in each view."""
        hit = self.inner.contract(flux, first_only=first_only).hit
        of_cell = hit.reshape(len(hit), self.cells.n_cell, self.n_column)
        return CellCounts(of_cell[:, self.cells.cell, self.cells.column], of_cell.sum(axis=2))
