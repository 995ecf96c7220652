"""Nodes of true energy of imagers: what is contracted with a spectrum follows from them."""

import numpy as np
import pytest
from astropy.io import fits

from skyquilt.config.shape import Disk, EllipticalGaussian
from skyquilt.errors import InputError
from skyquilt.instruments.extended import extend
from skyquilt.instruments.imaging.prepare import make_problem
from skyquilt.io.provenance import Provenance
from skyquilt.problem.file import check_rows, read_problem, write_problem
from skyquilt.problem.join import join
from skyquilt.sky.frames import lonlat_to_vec, rotate, rotation
from skyquilt.spectra.models import evaluate
from skyquilt.testing.analyses import ask_one
from skyquilt.testing.nodes import assert_nodes_agree, assert_same_block, node_flux

PIVOT = 1e9  # [keV]
TRUE_LAST = 16.0  # highest true energy of the data sets [TeV]
SPECTRUM = {"model": "power_law", "norm": "1e-12 cm-2 s-1 TeV-1", "pivot": "1 TeV", "index": -2.7}
SHAPES = [
    Disk(model="disk", radius=0.4),
    EllipticalGaussian(model="elliptical_gaussian", sigma=0.2, ratio=0.5, angle=40),
]
KINDS = ["events", "counts", "map", "map-by-true-energy", "healpix"]


@pytest.fixture
def make(request, tmp_path):
    """`make(kind, **spectrum)`: problem with nodes, written and read; its analysis."""

    def analysis_of(kind, spectrum, changes):
        if kind in ("events", "counts"):
            sky = request.getfixturevalue("sky").write(kind)
            settings = sky.settings(kind) | changes
            settings["spectrum"] = settings["spectrum"] | spectrum
            return ask_one(settings)
        fixture = "healpix_dataset" if kind == "healpix" else "map_dataset"
        by = {"by": "ENERGY_TRUE"} if "true" in kind else {}
        dataset = request.getfixturevalue(fixture)(**by)
        for number in range(4):  # exposures that differ from place to place, each in its own way
            slope = np.linspace(1, 1.5 + number, 16)
            if kind == "healpix":
                column = dataset.columns[f"EXPO{number + 1}"]
                column *= np.resize(slope, column.size)
            else:
                dataset.maps["EXPOSURE"][number] *= slope
        data = {"file": dataset.write(tmp_path / "x.fits")}
        settings = {"instrument": "imaging", "data": data, "energy": {}} | changes
        return ask_one(settings | {"spectrum": SPECTRUM | spectrum})

    def made(kind, changes=None, **spectrum):
        analysis = analysis_of(kind, spectrum, changes or {})
        path = tmp_path / "problem.h5"
        problem = make_problem(analysis, true_energy=True)
        write_problem(path, problem, Provenance("prepare", {}, ()))
        check_rows(path)
        return read_problem(path), analysis

    return made


def around(problem, kind):
    """Directions near the middle of the data, in the frame of the problem."""
    lon, lat = (120.0, 35.0) if kind in ("events", "counts") else (83.6, 0.0)
    frame = "galactic" if kind in ("events", "counts") else "icrs"
    steps = np.array([0.0, 0.2, -0.3, 0.6])
    return rotate(rotation(frame, problem.frame), lonlat_to_vec(lon + steps, lat - steps[::-1] / 2))


@pytest.mark.parametrize("kind", KINDS)
def test_nodes_times_the_reference_spectrum_are_the_block(make, kind):
    problem, analysis = make(kind)
    directions = around(problem, kind)
    assert_nodes_agree(problem.expectation, analysis.spectrum, directions)
    some = problem.expectation.select_bins(np.arange(0, problem.counts.size, 3))
    assert_nodes_agree(some, analysis.spectrum, directions)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.model)
@pytest.mark.parametrize("kind", KINDS)
def test_nodes_of_extended_sources_agree(make, kind, shape):
    problem, analysis = make(kind)
    wide = extend(problem, shape).expectation
    assert_nodes_agree(wide, analysis.spectrum, around(problem, kind)[:2])


def test_nodes_of_joint_problems_are_those_of_their_parts(make):
    (one, analysis), (other, _) = make("map", **SPECTRUM), make("healpix", **SPECTRUM)
    joint = join({"map": one, "healpix": other}, one.photon_flux).expectation
    axes = [part.expectation.true_energy.n_node for part in joint.parts]
    assert joint.true_energy.n_node == sum(axes)
    directions = around(one, "map")
    assert_nodes_agree(joint, analysis.spectrum, directions)
    for shape in SHAPES:
        wide = extend(join({"a": one, "b": other}, 1.0), shape).expectation
        assert_nodes_agree(wide, analysis.spectrum, directions[:2])


@pytest.mark.parametrize("kind", KINDS)
def test_another_spectrum_is_that_of_a_problem_made_with_it(make, kind):
    problem, _ = make(kind)
    other, analysis = make(kind, index=-1.5)
    flux, directions = node_flux(problem.expectation, analysis.spectrum), around(problem, kind)
    found = problem.expectation.with_spectrum(flux).block(directions)
    assert_same_block(problem.expectation.nodes(directions).contract(flux), found)
    # the point spread function of a band of a cube is that of the reference spectrum
    wanted = other.expectation.block(directions)
    if kind == "counts":
        difference = found.dense().unit_counts - wanted.dense().unit_counts
        assert np.abs(difference).max() < 0.01 * wanted.dense().unit_counts.max()
        np.testing.assert_allclose(found.total, wanted.total, rtol=1e-5)  # integral of the mean
        return
    assert_same_block(found, wanted)


@pytest.mark.parametrize("kind", KINDS)
def test_derivative_by_the_index_equals_differences(make, kind):
    problem, analysis = make(kind)
    axis, nodes = problem.expectation.true_energy, problem.expectation.nodes(around(problem, kind))
    step = 1e-4

    def density(energy, more=0.0):
        return evaluate(analysis.spectrum, energy) * (energy / PIVOT) ** more

    up, down = (nodes.contract(axis.flux(lambda e, h=h: density(e, h))) for h in (step, -step))
    found = nodes.contract(axis.flux(lambda e: density(e) * np.log(e / PIVOT)))
    wanted = (up.dense().unit_counts - down.dense().unit_counts) / (2 * step)
    # differences leave out h^2 ln^3 / 6 of the values
    scale = np.abs(wanted).max()
    np.testing.assert_allclose(found.dense().unit_counts, wanted, atol=1e-6 * scale)
    np.testing.assert_allclose(found.total, (up.total - down.total) / (2 * step), rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_maps_keep_no_nodes(make, kind):
    with_nodes, analysis = make(kind)
    without = make_problem(analysis)
    assert without.expectation.true_energy is None
    directions = around(without, kind)
    wanted = without.expectation.block(directions)
    assert_same_block(with_nodes.expectation.block(directions), wanted, rtol=0)
    with pytest.raises(ValueError, match="no nodes of true energy: prepare the problem with"):
        without.expectation.nodes(directions)
    with pytest.raises(ValueError, match="no nodes of true energy: prepare the problem with"):
        without.expectation.with_spectrum(np.ones(3))


def test_nodes_follow_the_selected_bands(make):
    for kind in ("map", "map-by-true-energy", "healpix"):
        for how in ({"channels": [1, 3]}, {"sum_channels": True}):
            problem, analysis = make(kind, {"energy": how})
            assert_nodes_agree(problem.expectation, analysis.spectrum, around(problem, kind))


def test_true_energies_that_do_not_cover_the_bands_are_refused(dataset, tmp_path):
    path = dataset.write(tmp_path / "x.fits")
    with fits.open(path, mode="update") as file:
        for table in (hdu for hdu in file if isinstance(hdu, fits.BinTableHDU)):
            for name in table.columns.names:
                values = table.data[name]
                if values.dtype.kind == "f":
                    values[values == TRUE_LAST] = 7.0
    settings = {"instrument": "imaging", "data": {"file": path}, "spectrum": SPECTRUM}
    analysis = ask_one(settings)
    for true_energy in (False, True):
        with pytest.raises(InputError, match=r"x\.fits: the response has true .* 7e\+09 keV, but"):
            make_problem(analysis, true_energy=true_energy)
    analysis = ask_one(settings | {"energy": {"channels": [0, 2]}})
    assert make_problem(analysis, true_energy=True).expectation.true_energy is not None
