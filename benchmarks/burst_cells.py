"""A burst in time bins, made up: what benchmarks of models are measured with."""

from dataclasses import replace

import numpy as np

from skyquilt.model import Background, Fixed, Free, Layer, Posterior, Source
from skyquilt.model.problem import ModelProblem
from skyquilt.problem.cells import CellData, Views
from skyquilt.problem.cells.table import CellTable
from skyquilt.problem.true_energy import TrueEnergy
from skyquilt.sky.frames import lonlat_to_vec
from skyquilt.sky.healpix import ring_to_vec

LON, LAT = 50.0, -45.0
N_NODE, N_COLUMN, NSIDE = 10, 3000, 8
BACKGROUND = 40.0  # counts of a bin
START = 1.8e9


def power_law(energy: np.ndarray, index: float) -> np.ndarray:
    """Index of a power law at 100 keV, 1e-3 ph cm-2 s-1 keV-1."""
    return 1e-3 * (energy / 100) ** index


def make_problem(n_bin: int = 50, n_hit: int = 6500, seed: int = 1) -> ModelProblem:
    """A pulse of `n_bin` bins of 1 s with about `n_hit` hits, in a table of smooth rows."""
    rng = np.random.default_rng(seed)
    n_row = 12 * NSIDE**2
    place, column = ring_to_vec(NSIDE, np.arange(n_row)), rng.normal(size=(N_COLUMN, 3))
    column /= np.linalg.norm(column, axis=1, keepdims=True)
    shape = np.exp(2 * (place @ column.T))
    hardness = rng.uniform(0.5, 1.5, (N_NODE, 1, N_COLUMN))
    rows = (shape * hardness * 0.02).astype(np.float32)
    axis = TrueEnergy.of_bins(np.geomspace(50.0, 5000.0, N_NODE + 1))
    turn = 0.002 * np.arange(n_bin)
    rotation = np.stack(
        [[[np.cos(a), np.sin(a), 0], [-np.sin(a), np.cos(a), 0], [0, 0, 1]] for a in turn]
    )
    table = CellTable(
        *(axis, np.arange(n_row), rows, rows.sum(axis=2, dtype=np.float64), NSIDE, n_bin),
        *(np.ones(n_bin), np.arange(n_bin)),
        rotation=rotation,
    )
    edges = START + np.arange(n_bin + 1.0)
    per_column = np.full((1, N_COLUMN), n_hit * 0.6 / N_COLUMN)
    empty = np.zeros(0, np.int64)
    data = CellData(
        *("", "galactic", edges[:-1], edges[1:], np.ones(n_bin), empty, empty, np.zeros(0), ("",)),
        *(per_column, per_column.sum(axis=1), np.full(n_bin, 1 / n_bin), table, 0.1),
    )
    flux = np.exp(-(((np.arange(n_bin) + 0.5 - 0.4 * n_bin) / (0.15 * n_bin)) ** 2) / 2)
    return ModelProblem((draw(data, flux, n_hit, rng),), "galactic", START)


def draw(data: CellData, flux: np.ndarray, n_hit: int, rng: np.random.Generator) -> CellData:
    """Counts of a data set, for fluxes of its bins in units that give the wanted hits."""
    every = np.tile(np.arange(N_COLUMN), data.n_cell)
    cell = np.repeat(np.arange(data.n_cell), N_COLUMN)
    whole = replace(data, cell=cell, column=every, counts=np.ones(cell.size))
    views = Views(lonlat_to_vec(LON, LAT)[np.newaxis, np.newaxis, np.newaxis], np.ones((1, 1)))
    photons = data.expectation.true_energy.flux(lambda energy: power_law(energy, -2.0))
    source = data.expectation.see(views, whole.hits).contract(photons).hit[0] * flux[cell]
    mu = whole.hit_backgrounds[0] + source * 0.4 * n_hit / source.sum()
    counts = rng.poisson(mu)
    hit = counts > 0
    return replace(data, cell=cell[hit], column=every[hit], counts=counts[hit].astype(float))


def joint(problem: ModelProblem) -> Posterior:
    """Position and flux of each bin free: 2 and as many numbers as bins."""
    quantities = {
        "burst.lon": Free(LON + 0.5, LON - 20, LON + 20),
        "burst.lat": Free(LAT - 0.5, LAT - 20, LAT + 20),
        "burst.index": Fixed(-2.0),
        "burst.flux": Free(0.01, 0.0, per="time_bin"),
        "background.norm": Fixed(1.0),
    }
    source = Source("burst", power_law, ("index",))
    likelihood = problem.likelihood([source], [Background("background.norm")])
    return Posterior(Layer(quantities, problem.cells), likelihood)
