"""Nodes of true energy as sums over a spectrum, against integrals of it."""

from functools import partial

import h5py
import numpy as np
import pytest

from skyquilt.config.spectrum import (
    Band,
    BrokenPowerLaw,
    CutoffPowerLaw,
    GaussianLine,
    LogParabola,
    PowerLaw,
)
from skyquilt.problem.nodes import split_flux
from skyquilt.problem.sky_grid import HealpixGrid
from skyquilt.problem.spread_nodes import SpreadNodes
from skyquilt.problem.table_nodes import TableNodes
from skyquilt.problem.true_energy import TrueEnergy, join_true_energies
from skyquilt.spectra import integrate
from skyquilt.spectra.models import corners, evaluate

EDGES = np.array([50.0, 120.0, 300.0, 1000.0, 5000.0])
NORM = {"norm": "1 cm-2 s-1 keV-1"}
SPECTRA = [
    PowerLaw(model="power_law", **NORM, pivot="100 keV", index=-2.3),
    CutoffPowerLaw(model="cutoff_power_law", **NORM, pivot="100 keV", index=-1, cutoff="200 keV"),
    Band(model="band", **NORM, pivot="100 keV", alpha=-1, beta=-2.5, peak="300 keV"),
    LogParabola(model="log_parabola", **NORM, pivot="100 keV", index=-2, curvature=0.3),
    BrokenPowerLaw(
        model="broken_power_law", **NORM, break_energy="150 keV", index_low=-1, index_high=-3
    ),
    GaussianLine(flux="1e-3 cm-2 s-1", energy="511 keV", sigma="1.2 keV"),
    GaussianLine(flux="1e-3 cm-2 s-1", energy="299 keV", sigma="1 keV"),  # in two bins
]


@pytest.mark.parametrize("spectrum", SPECTRA, ids=lambda one: one.model)
def test_photons_of_bins_are_integrals_of_the_spectrum(spectrum):
    axis = TrueEnergy.of_bins(EDGES, corners(spectrum))
    assert axis.n_node == 4
    found = axis.flux(partial(evaluate, spectrum))
    np.testing.assert_allclose(found, integrate(spectrum, EDGES), rtol=1e-8)


def test_photons_of_a_band_between_borders_are_its_integral():
    low, high = 200.0, 700.0
    axis, spectrum = TrueEnergy.of_bins(EDGES, [low, high]), SPECTRA[0]
    found = axis.flux(lambda e: evaluate(spectrum, e) * ((e > low) & (e < high)))
    wanted = integrate(spectrum, [low, 300, high])
    np.testing.assert_allclose(found, [0, *wanted, 0], rtol=1e-9)


def test_borders_outside_or_on_the_edges_change_nothing():
    plain, same = TrueEnergy.of_bins(EDGES), TrueEnergy.of_bins(EDGES, [1.0, 50.0, 300.0, 1e5])
    np.testing.assert_array_equal(plain.energy, same.energy)
    np.testing.assert_array_equal(plain.indptr, same.indptr)


def test_nodes_at_energies_are_the_density_there():
    axis = TrueEnergy.at_energies(np.array([70.0, 400.0, 60.0]))
    wanted = evaluate(SPECTRA[0], [70, 400, 60])
    np.testing.assert_array_equal(axis.flux(partial(evaluate, SPECTRA[0])), wanted)


def test_nodes_of_a_matrix_are_its_rows():
    weight = np.array([[1.0, 0.0, 2.0], [0.0, 0.0, 0.0], [0.0, 3.0, 0.0]])
    axis = TrueEnergy.of_matrix(np.array([1.0, 2.0, 4.0]), weight)
    np.testing.assert_array_equal(axis.matrix.toarray(), weight)
    assert axis.flux(lambda e: e).tolist() == [9, 0, 6]


def test_nodes_are_taken_and_joined_in_their_order():
    axis = TrueEnergy.of_bins(EDGES)
    flux = axis.flux(lambda e: e**-2)
    np.testing.assert_array_equal(
        axis.take(np.array([2, 0, 2])).flux(lambda e: e**-2), flux[[2, 0, 2]]
    )
    both = join_true_energies([axis, TrueEnergy.at_energies(EDGES), axis.take(np.array([1]))])
    assert both.n_node == 10
    np.testing.assert_allclose(both.flux(lambda e: e**-2), [*flux, *EDGES**-2, flux[1]], rtol=1e-14)


def test_nodes_are_written_and_read(tmp_path):
    axis = TrueEnergy.of_bins(EDGES)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        axis.put(file)
        found = TrueEnergy.get(file)
    np.testing.assert_array_equal(found.flux(np.sqrt), axis.flux(np.sqrt))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"energy": np.array([1.0, 0.0])}, "above 0"),
        ({"index": np.array([0, 2])}, "index: allowed are 0 to 1"),
        ({"index": np.array([0, -1])}, "index: allowed are 0 to 1"),
        ({"weight": np.ones(3)}, r"weight \(3,\)"),
        ({"indptr": np.array([0, 1, 3])}, "indptr to 3"),
    ],
)
def test_nodes_that_do_not_fit_are_refused(change, message):
    good = {"energy": np.array([1.0, 2.0]), "indptr": np.array([0, 1, 2])}
    good |= {"index": np.array([0, 1]), "weight": np.ones(2)}
    TrueEnergy(**good)
    with pytest.raises(ValueError, match=message):
        TrueEnergy(**good | change)


def test_parts_of_nodes_that_do_not_fit_are_refused():
    axis, grid, numbers = TrueEnergy.of_bins(EDGES), HealpixGrid(1, np.ones((12, 2))), np.arange(4)
    with pytest.raises(ValueError, match="quantity: allowed are 0 to 1"):
        SpreadNodes(axis, grid, numbers, numbers)
    with pytest.raises(ValueError, match="component: allowed is one for each of 4 nodes"):
        SpreadNodes(axis, grid, numbers % 2, numbers[:3])
    with pytest.raises(ValueError, match="for 4 nodes: they do not fit"):
        TableNodes(axis, np.ones((3, 12, 5), np.float32), np.ones((3, 12)), np.ones((3, 12, 1)))
    with pytest.raises(ValueError, match=r"flux \(3,\): allowed is one of each of the 4 nodes"):
        split_flux(np.ones(3), [1, 3])


def test_tables_of_faint_spectra_do_not_vanish():
    axis = TrueEnergy.of_bins(EDGES)
    rows = np.full((4, 12, 5), 1e30, np.float32)
    nodes = TableNodes(axis, rows, np.full((4, 12), 5e30), np.full((4, 12, 2), 2.5e30))
    found = nodes.contract(np.full(4, 1e-44))
    np.testing.assert_allclose(found["rows"], 4e-14, rtol=1e-6)
    np.testing.assert_allclose(found["totals"], 2e-13, rtol=1e-12)
    np.testing.assert_allclose(found["row_bands"], 1e-13, rtol=1e-12)
