"""Rows per bin of true energy: what is contracted with a spectrum follows from them."""

import numpy as np
import pytest

from skyquilt.config.shape import Disk
from skyquilt.errors import InputError
from skyquilt.instruments.analyses import check, prepare
from skyquilt.instruments.extended import extend
from skyquilt.instruments.true_energy import check_covered
from skyquilt.io.provenance import Provenance
from skyquilt.problem.file import check_rows, read_problem, write_problem
from skyquilt.problem.join import join
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.spectra.models import evaluate
from skyquilt.testing.analyses import ask_one
from skyquilt.testing.nodes import assert_nodes_agree, assert_same_block, node_flux

DIRECTIONS = nest_to_vec(2, np.arange(48))
SOFT = {"index": -3.1}
BROKEN = {"model": "broken_power_law", "norm": "1e-3 cm-2 s-1 keV-1"} | {
    "break_energy": "170 keV",
    "index_low": -1,
    "index_high": -3,
}


@pytest.fixture(params=["local", "galactic"])
def observation(request):
    return request.getfixturevalue(request.param)


def stored(observation, tmp_path, *, all_bins=False, **spectrum):
    """Problem with nodes, written and read, and its spectrum."""
    observation.settings["spectrum"].update(spectrum)
    analysis = ask_one(observation.analysis())
    cache = observation.path("cache")
    problem = prepare(analysis, cache, all_bins=all_bins, true_energy=True).problem
    path = tmp_path / "with-nodes.h5"
    write_problem(path, problem, Provenance("prepare", {}, ()))
    check_rows(path)
    return read_problem(path), analysis.spectrum


def test_nodes_times_the_reference_spectrum_are_the_block(observation, tmp_path):
    problem, spectrum = stored(observation, tmp_path)
    assert_nodes_agree(problem.expectation, spectrum, DIRECTIONS)


@pytest.mark.parametrize("how", [{"sum_channels": True}, {"channels": [1, 2]}])
def test_nodes_follow_the_selected_channels(observation, tmp_path, how):
    observation.settings["energy"] = how
    problem, spectrum = stored(observation, tmp_path, all_bins=True)
    assert_nodes_agree(problem.expectation, spectrum, DIRECTIONS)


def test_nodes_leave_out_masked_bins(galactic, tmp_path):
    galactic.background[0, 1, 3] = galactic.background[1, 0, 7] = 0
    galactic.write_counts("background.h5", galactic.background)
    galactic.settings["data"] |= {"zero_background": "mask", "response_scale": 0.7}
    problem, spectrum = stored(galactic, tmp_path)
    assert problem.description.n_masked_bins == 2
    assert_nodes_agree(problem.expectation, spectrum, DIRECTIONS)


def test_nodes_of_some_bins_are_those_of_a_selection(observation, tmp_path):
    problem, spectrum = stored(observation, tmp_path)
    some = problem.expectation.select_bins(np.arange(0, problem.counts.size, 3))
    assert_nodes_agree(some, spectrum, DIRECTIONS)


def test_another_spectrum_is_that_of_a_problem_made_with_it(observation, tmp_path):
    problem, _ = stored(observation, tmp_path)
    other, spectrum = stored(observation, tmp_path, **SOFT)
    flux = node_flux(problem.expectation, spectrum)
    wanted = other.expectation.block(DIRECTIONS)
    assert_same_block(problem.expectation.with_spectrum(flux).block(DIRECTIONS), wanted)
    assert_same_block(problem.expectation.nodes(DIRECTIONS).contract(flux), wanted)


def test_a_corner_of_the_reference_spectrum_is_a_border(local, tmp_path):
    local.settings["spectrum"] = {}
    problem, spectrum = stored(local, tmp_path, **BROKEN)
    assert_nodes_agree(problem.expectation, spectrum, DIRECTIONS)


def test_derivative_by_the_index_equals_differences(observation, tmp_path):
    problem, spectrum = stored(observation, tmp_path)
    axis, nodes = problem.expectation.true_energy, problem.expectation.nodes(DIRECTIONS)
    step = 1e-4
    up, down = (
        nodes.contract(axis.flux(lambda e, h=h: evaluate(spectrum, e) * (e / 100) ** h))
        for h in (step, -step)
    )
    found = nodes.contract(axis.flux(lambda e: evaluate(spectrum, e) * np.log(e / 100)))
    wanted = (up.dense().unit_counts - down.dense().unit_counts) / (2 * step)
    # the third derivative is as large as the first times a square of ln 10
    scale = np.abs(wanted).max()
    np.testing.assert_allclose(found.dense().unit_counts, wanted, atol=1e-6 * scale)
    np.testing.assert_allclose(found.total, (up.total - down.total) / (2 * step), rtol=1e-6)


def test_bands_of_true_energy_add_up_to_the_whole(observation, tmp_path):
    problem, spectrum = stored(observation, tmp_path)
    axis, nodes = problem.expectation.true_energy, problem.expectation.nodes(DIRECTIONS)
    parts = [
        nodes.contract(
            axis.flux(lambda e, is_low=is_low: evaluate(spectrum, e) * (is_low == (e < 300)))
        )
        for is_low in (True, False)
    ]
    total = sum(part.dense().unit_counts for part in parts)
    np.testing.assert_allclose(
        total, problem.expectation.block(DIRECTIONS).dense().unit_counts, rtol=2e-6
    )


def test_nodes_of_joint_and_extended_sources_agree(local, tmp_path):
    problem, spectrum = stored(local, tmp_path)
    joint = join({"a": problem, "b": problem}, problem.photon_flux)
    assert_nodes_agree(joint.expectation, spectrum, DIRECTIONS)
    for one in (problem, joint):
        wide = extend(one, Disk(model="disk", radius=12))
        assert_nodes_agree(wide.expectation, spectrum, DIRECTIONS[:5])


def test_without_nodes_a_spectrum_cannot_vary(local):
    expectation = local.problem().expectation
    assert expectation.true_energy is None
    for ask in (
        lambda: expectation.nodes(DIRECTIONS),
        lambda: expectation.with_spectrum(np.ones(2)),
    ):
        with pytest.raises(ValueError, match="no nodes of true energy: prepare the problem with"):
            ask()


def test_another_number_of_photons_is_refused(local, tmp_path):
    problem, _ = stored(local, tmp_path)
    with pytest.raises(ValueError, match=r"flux \(5,\): allowed is one of each of the 2 nodes"):
        problem.expectation.with_spectrum(np.ones(5))
    with pytest.raises(ValueError, match=r"flux \(5,\): allowed is one of each of the 2 nodes"):
        problem.expectation.nodes(DIRECTIONS).contract(np.ones(5))


def test_maps_keep_no_nodes(local, tmp_path):
    with_nodes, _ = stored(local, tmp_path)
    without = read_problem(local.prepare() + "/problem.h5")
    assert without.expectation.true_energy is None
    assert_same_block(
        with_nodes.expectation.block(DIRECTIONS), without.expectation.block(DIRECTIONS), rtol=0
    )
    assert with_nodes.identity != without.identity


@pytest.mark.parametrize(
    ("true", "is_covered"),
    [
        ((100, 1000), True),
        ((99, 1001), True),
        ((100.05, 1000), True),
        ((150, 1000), False),
        ((100, 900), False),
        ((2000, 3000), False),
    ],
)
def test_true_energies_must_cover_the_measured_ones(true, is_covered):
    true, measured = np.array(true, float), np.array([100.0, 300.0, 1000.0])
    if is_covered:
        check_covered("r.h5", true, measured)
        return
    with pytest.raises(InputError, match=r"r\.h5: the response has true energies of .* narrow"):
        check_covered("r.h5", true, measured)


def test_a_response_that_does_not_cover_the_data_is_refused(local):
    local.write_response(edges={"Ei": [100.0, 300.0, 700.0]})
    message = r"response\.h5: .* true energies of 100 to 700 keV, but"
    for true_energy in (False, True):
        with pytest.raises(InputError, match=message):
            prepare(ask_one(local.analysis()), local.path("cache"), true_energy=true_energy)
    with pytest.raises(InputError, match=message):
        check(ask_one(local.analysis()))
    local.settings["energy"] = {"channels": [0, 2]}
    prepare(ask_one(local.analysis()), local.path("cache"), true_energy=True)
