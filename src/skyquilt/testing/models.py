"""Problems of models with counts that are drawn from a model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from skyquilt.model.cells import Cells
from skyquilt.model.layer import Layer
from skyquilt.model.problem import ModelProblem
from skyquilt.model.problems import CellLikelihood
from skyquilt.model.quantities import Quantity
from skyquilt.problem import FitProblem
from skyquilt.problem.cells import CellData
from skyquilt.problem.cells.whole import in_cells


def cut(problem: FitProblem, n_cell: int, name: str = "", width: float = 2.0) -> CellData:
    """All bins of a problem, with one count each, in so many time bins of equal livetime.

    Parameters
    ----------
    problem : FitProblem
        With nodes of true energy and all bins.
    n_cell : int
        Number of time bins.
    name : str
        Name of the data set.
    width : float
        Their width [s].
    """
    n_bin = len(problem.counts)
    start = width * np.arange(n_cell)
    one = replace(problem, counts=np.ones(n_bin))
    share = np.full(n_cell, 1.0 / n_cell)
    data = in_cells(
        *(one, name, (start, start + width), np.full(n_cell, width), share),
        cell=np.zeros(n_bin, np.int64),
    )
    return replace(
        data,
        cell=np.repeat(np.arange(n_cell), n_bin),
        column=np.tile(np.arange(n_bin), n_cell),
        counts=np.ones(n_cell * n_bin),
    )


def draw(
    datasets: Sequence[CellData],
    likelihood: Callable[[ModelProblem], CellLikelihood],
    truth: Mapping[str, Quantity],
    seed: int | None = 1,
) -> tuple[ModelProblem, Cells]:
    """A problem with counts drawn from a model, or with those that it expects.

    Parameters
    ----------
    datasets : sequence of CellData
        With all bins in every cell, as `cut` gives them.
    likelihood : callable
        Gives the likelihood of a problem.
    truth : mapping of str to Quantity
        All quantities.
    seed : int, optional
        Seed; without one the counts are what is expected.
    """
    full = ModelProblem(tuple(datasets), datasets[0].frame, 0.0)
    layer = Layer(truth, full.cells)
    expected = likelihood(full).expected_hits(layer.values(layer.start))
    rng = np.random.default_rng(seed)
    drawn = []
    for data, mean in zip(datasets, expected, strict=True):
        counts = mean if seed is None else rng.poisson(mean).astype(np.float64)
        is_hit = counts > 0
        cell, column = data.cell[is_hit], data.column[is_hit]
        drawn.append(replace(data, counts=counts[is_hit], cell=cell, column=column))
    return replace(full, data=tuple(drawn)), full.cells
