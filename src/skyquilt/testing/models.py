"""Problems of models with counts that are drawn from a model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from skyquilt.model.cells import Cells
from skyquilt.model.fit import fit
from skyquilt.model.layer import Layer
from skyquilt.model.made import MadeFit
from skyquilt.model.opened import OpenModel
from skyquilt.model.problem import ModelProblem
from skyquilt.model.problems import CellLikelihood
from skyquilt.model.quantities import Fixed, Free, Prior, Quantity
from skyquilt.model.recipe import Recipe, SourceRecipe
from skyquilt.model.result import find
from skyquilt.model.sources import Background
from skyquilt.problem import FitProblem
from skyquilt.problem.cells import CellData
from skyquilt.problem.cells.table import CellTable
from skyquilt.problem.cells.whole import in_cells
from skyquilt.problem.true_energy import TrueEnergy


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
    fraction = np.full(n_cell, 1.0 / n_cell)
    data = in_cells(
        *(one, name, (start, start + width), np.full(n_cell, width), fraction),
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


def toy_model(n_cell: int = 3, flux: float = 2.0, seed: int = 1) -> OpenModel:
    """A source of one flux over a free background in some time bins, with counts drawn from it.

    Parameters
    ----------
    n_cell : int
        Number of time bins.
    flux : float
        Its true flux; that of the background is 1.
    seed : int
        Seed.
    """
    nside, n_column, rng = 1, 24, np.random.default_rng(seed)
    rows = rng.gamma(0.5, 4, (1, 12 * nside**2, n_column)).astype(np.float32)
    table = CellTable(
        axis=TrueEnergy.of_bins(np.array([100.0, 200.0])),
        row=np.arange(12 * nside**2),
        rows=rows,
        totals=rows.sum(axis=2, dtype=float),
        nside=nside,
        n_cell=n_cell,
        weight=np.full(n_cell, 0.01),
        sample_cell=np.arange(n_cell),
    )
    edges, background = np.arange(n_cell + 1.0), np.full((1, n_column), 4.0)
    data = CellData(
        name="",
        frame="galactic",
        start=edges[:-1],
        stop=edges[1:],
        livetime=np.ones(n_cell),
        cell=np.repeat(np.arange(n_cell), n_column),
        column=np.tile(np.arange(n_column), n_cell),
        counts=np.ones(n_cell * n_column),
        components=("",),
        background=background,
        background_total=background.sum(axis=1),
        fraction=np.full(n_cell, 1 / n_cell),
        expectation=table,
        angle_deg=0.1,
    )
    source: dict[str, Quantity] = {
        "a.lon": Fixed(40.0, unit="deg"),
        "a.lat": Fixed(25.0, unit="deg"),
        "a.flux": Free(1.0, 0.0),
        "a.norm": Fixed(1.0),
        "a.pivot": Fixed(100.0, unit="keV"),
        "a.index": Fixed(-2.0),
        "background": Free(1.0, 0.0, prior=Prior("normal", 1.0, 0.2)),
    }
    recipe = Recipe(
        source,
        (SourceRecipe("a", "power_law", ("norm", "pivot", "index")),),
        (Background("background"),),
    )
    truth = source | {"a.flux": Fixed(flux)}
    problem, _ = draw([data], lambda one: _likelihood(recipe, one), truth, seed)
    posterior = recipe.make(problem)
    best = fit(posterior)
    free = np.ones(best.x.size, dtype=bool)
    found = find(best, problem, is_free=free, cl=0.9, profile=False)
    return OpenModel(MadeFit(problem, recipe, posterior, found))


def _likelihood(recipe: Recipe, problem: ModelProblem) -> CellLikelihood:
    likelihood = recipe.make(problem).likelihood
    assert isinstance(likelihood, CellLikelihood)
    return likelihood
