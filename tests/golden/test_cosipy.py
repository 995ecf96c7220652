"""The numbers that cosipy publishes with its own test files, through all steps of skyquilt."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from skyquilt.config import load_config, parse_config
from skyquilt.fit.pixels import fit_pixels
from skyquilt.instruments.compton.histograms import read_counts
from skyquilt.instruments.compton.measurement import read_measurement
from skyquilt.instruments.compton.prepare import make_problem
from skyquilt.instruments.compton.table import contract, read_table
from skyquilt.io.fits import read_maps
from skyquilt.problem.local import LocalTable
from skyquilt.sky.frames import lonlat_to_vec
from skyquilt.sky.healpix import ring_to_vec
from skyquilt.sky.pixels import ring_to_nest
from skyquilt.steps.contract import contract_analysis
from skyquilt.steps.fit_chunk import fit_chunk_file
from skyquilt.steps.merge import merge_files
from skyquilt.steps.plan import plan_analysis
from skyquilt.steps.prepare import prepare_analysis
from skyquilt.testing.analyses import ask_one

GOLDEN = tomllib.loads(Path(__file__).with_name("cosipy.toml").read_text())
# Rows of the table are float32: 6e-8 relative per bin, rounded at random.
TABLE_RTOL = 1e-6


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Response tables, made once for all tests here."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def settings(cosi_data):
    """Analysis of the published TS map."""
    return {
        "data": {
            "frame": "local",
            "counts": [{"path": str(cosi_data / "ts_map_src_bkg.h5")}],
            "background": {"path": str(cosi_data / "ts_map_bkg.h5")},
            "response": str(cosi_data / "test_full_detector_response.h5"),
            "orientation": str(cosi_data / "20280301_2s.ori"),
            "zero_background": "mask",
        },
        "energy": {"channels": [2, 3], "sum_channels": True},
        "spectrum": {
            "model": "power_law",
            "norm": "10 cm-2 s-1 keV-1",
            "pivot": "100 keV",
            "index": -2.2,
        },
        "map": {"nside": 1, "ordering": "ring"},
    }


def _config(settings, cache):
    return parse_config({"cache": str(cache), "analyses": {"cosi": settings}})


def _problem(settings, cache):
    """Problem whose rows are in memory."""
    analysis = ask_one(_config(settings, cache).analyses["cosi"])
    problem = make_problem(analysis, read_measurement(analysis), contract(analysis, cache))
    rows = np.array(list(problem.expectation.rows))
    object.__setattr__(problem.expectation, "rows", rows)
    return problem


def _ts_map(settings, cache):
    """TS in RING order."""
    fit = fit_pixels(_problem(settings, cache), ring_to_vec(1, np.arange(12)))
    return fit.ts


def test_cosi_files_through_all_steps_give_published_ts(settings, cache, tmp_path):
    config = _config(settings, cache)
    problem, plan, maps = (tmp_path / name for name in ("problem.h5", "plan.json", "maps.fits"))
    chunk = tmp_path / "000-of-001.h5"

    contract_analysis(config, "cosi", tmp_path / "table.json")
    prepare_analysis(config, "cosi", problem)
    plan_analysis(config, "cosi", problem, plan)
    fit_chunk_file(problem, plan, 0, chunk)
    merge_files(problem, plan, [chunk], maps)

    nside, frame, ipix, columns, _ = read_maps(maps)
    assert (nside, frame) == (1, "galactic")
    ring = columns["TS"][np.searchsorted(ipix, ring_to_nest(1, np.arange(12)))]
    np.testing.assert_allclose(ring, GOLDEN["ts_map"]["ts"], rtol=TABLE_RTOL)


@pytest.mark.parametrize("golden", GOLDEN["pixel_0"], ids=lambda item: str(item["channels"]))
def test_first_pixel_in_wide_channels_equals_published_fit(golden, settings, cache):
    settings["energy"]["channels"] = golden["channels"]

    fit = fit_pixels(_problem(settings, cache), ring_to_vec(1, np.array([0])))

    # cosipy stops when a Newton step is below 1e-3 of the norm and then takes a Halley step, which
    # leaves (1e-3)^3; the rows count for more.
    assert fit.ts[0] == pytest.approx(golden["ts"], rel=TABLE_RTOL)
    assert fit.flux[0] == pytest.approx(golden["norm"], rel=TABLE_RTOL)
    assert fit.flux_err[0] == pytest.approx(golden["norm_err"], rel=TABLE_RTOL)


@pytest.mark.parametrize(
    ("name", "channels", "direction"),
    [
        ("ei_cds_detector.npy", [2, 3], lonlat_to_vec(50.0, -45.0)),
        ("ei_cds_array.npy", [0, 10], ring_to_vec(1, np.array([0]))[0]),
    ],
)
def test_expected_counts_equal_published_array(
    name, channels, direction, settings, cache, cosi_data
):
    settings["energy"]["channels"] = channels
    analysis = ask_one(_config(settings, cache).analyses["cosi"])
    table = read_table(contract(analysis, cache).path)
    attitude = make_problem(analysis, read_measurement(analysis), table).expectation
    every_bin = LocalTable(table.rows, table.totals, 1, attitude.rotation, attitude.weight)

    block = every_bin.block(direction[None])

    published = np.load(cosi_data / name).reshape(12, 30)  # PsiChi, Phi
    counts = block.unit_counts.reshape(30, 12).T
    np.testing.assert_allclose(counts, published, rtol=TABLE_RTOL, atol=1e-6 * published.max())
    assert block.total[0] == pytest.approx(published.sum(), rel=TABLE_RTOL)


def test_dense_and_sparse_response_give_the_same_map(settings, cache):
    sparse = _ts_map(settings, cache)
    settings["data"]["response"] = settings["data"]["response"].replace(".h5", "_dense.h5")

    # The dense file holds float32.
    np.testing.assert_allclose(_ts_map(settings, cache), sparse, rtol=TABLE_RTOL)


def test_histograms_of_histpy_1_with_overflow_bins_give_the_same_map(settings, cache, cosi_data):
    new = _ts_map(settings, cache)
    old = cosi_data / "v0.3.4-layout"
    settings["data"]["counts"] = [{"path": str(old / "ts_map_src_bkg.h5")}]
    settings["data"]["background"] = {"path": str(old / "ts_map_bkg.h5")}

    np.testing.assert_array_equal(_ts_map(settings, cache), new)


def test_mask_of_cosi_files_leaves_out_the_four_bins_without_background(settings, cache):
    # cosipy sets the data of these bins to zero
    counts = read_counts(settings["data"]["counts"][0]["path"], None).counts[2]
    background = read_counts(settings["data"]["background"]["path"], None).counts[2]

    problem = _problem(settings, cache)

    lost = (counts > 0) & (background == 0)
    assert lost.sum() == 4
    assert problem.description.n_masked_counts == pytest.approx(counts[lost].sum(), rel=1e-12)
    assert problem.counts.size == np.count_nonzero(counts) - 4


def test_example_configuration_gives_published_ts(cosi_data, cache, monkeypatch, request):
    monkeypatch.setenv("SKYQUILT_DATA", str(cosi_data.parent))
    example = load_config(request.config.rootpath / "config/examples/cosi-test.yaml")
    analysis = example.analyses["cosi-test"]
    asked = ask_one(analysis)

    problem = make_problem(asked, read_measurement(asked), contract(asked, cache))

    assert (analysis.map.nside, analysis.map.ordering, analysis.map.frame) == (
        1,
        "ring",
        "galactic",
    )
    object.__setattr__(problem.expectation, "rows", np.array(list(problem.expectation.rows)))
    fit = fit_pixels(problem, ring_to_vec(1, np.arange(12)))
    np.testing.assert_allclose(fit.ts, GOLDEN["ts_map"]["ts"], rtol=TABLE_RTOL)


def test_channels_fitted_jointly_differ_from_summed_ones(settings, cache):
    settings["energy"]["channels"] = [1, 4]
    summed = _ts_map(settings, cache)
    settings["energy"]["sum_channels"] = False

    assert np.all(_ts_map(settings, cache) > summed)
