"""Simulated skies of photons one by one, from files to numbers."""

import numpy as np
import pytest

from skyquilt.calibration.file import SUMMARY_SCHEMA
from skyquilt.config import parse_config
from skyquilt.fit.pixels import fit_pixels
from skyquilt.instruments.imaging.simulator import simulate
from skyquilt.io.json_file import read_json
from skyquilt.problem.file import check_rows, read_problem
from skyquilt.simulate import draw_sky, generator, hit_bins
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.steps.calibrate import calibrate_files, simulate_skies_file
from skyquilt.steps.prepare import prepare_analysis

SPECTRUM = {"model": "power_law", "norm": "1e-16 cm-2 s-1 keV-1", "pivot": "10 GeV", "index": -2.2}
FILES = ("events", "background", "exposure", "psf")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Configuration, model and problem of simulated photons."""
    folder = tmp_path_factory.mktemp("events")
    diffuse = {**SPECTRUM, "norm": "1e-15 cm-2 s-1 keV-1"}
    config = parse_config(
        {
            "cache": str(folder / "cache"),
            "simulation": {
                "instrument": "imaging",
                "folder": str(folder),
                "nside": 16,
                "point_spread": {"sigma": 3},
                "background": {"isotropic": {"spectrum": diffuse}},
            },
            "analyses": {
                "a": {
                    "instrument": "imaging",
                    "data": {name: {"path": str(folder / f"{name}.fits")} for name in FILES},
                    "energy": {"range": ["15 GeV", "1 TeV"]},
                    "spectrum": SPECTRUM,
                    "map": {"nside": 2},
                    "calibrate": {
                        "null_skies": 100,
                        "injections": 20,
                        "fluxes": [20],
                        "skies_per_job": 60,
                    },
                }
            },
        }
    )
    simulate(config.simulation)
    prepare_analysis(config, "a", folder / "problem.h5")
    prepare_analysis(config, "a", folder / "model.h5", all_bins=True)
    return config, folder


def test_model_fits_the_data_as_the_problem_does(run):
    directions = nest_to_vec(2, np.arange(48))
    fits = [
        fit_pixels(hit_bins(read_problem(run[1] / f"{name}.h5")), directions)
        for name in ("problem", "model")
    ]
    np.testing.assert_array_equal(fits[0].ts, fits[1].ts)
    np.testing.assert_array_equal(fits[0].flux, fits[1].flux)


def test_events_drawn_at_the_data_are_expected_as_the_data(run):
    # the same photons, once from the file of events and once as if they were drawn
    from skyquilt.simulate.events import Photons, observe_photons

    model = read_problem(run[1] / "model.h5")
    check_rows(run[1] / "model.h5")
    wise = model.expectation
    nodes = np.log(wise.density.exposure_energy)
    energy = np.exp(np.interp(wise.exposure_node, np.arange(nodes.size), nodes))
    background, found = observe_photons(wise, Photons(np.array(wise.direction), energy))
    np.testing.assert_allclose(background, model.background, rtol=1e-9)
    for name in ("direction", "flux_density", "psf_node", "exposure_node"):
        np.testing.assert_allclose(getattr(found, name), getattr(wise, name), rtol=1e-8, atol=1e-9)


def test_skies_have_as_many_photons_as_the_background(run):
    model = read_problem(run[1] / "model.h5")
    n = [draw_sky(model, generator(1, k)).counts.size for k in range(10)]
    # four errors of the mean, and 0.1 % of the cube that is read between its pixels
    wanted = model.background_total
    assert abs(np.mean(n) - wanted) < 4 * np.sqrt(wanted / 10) + 1e-3 * wanted


@pytest.mark.slow
def test_calibration_of_events_gives_numbers(run):
    config, folder = run
    paths = []
    for kind, index in (("null", 0), ("null", 1), ("injected", 0)):
        n_jobs = {"null": 2, "injected": 1}[kind]
        paths.append(folder / f"{kind}-{index:03}-of-{n_jobs:03}.h5")
        simulate_skies_file(config, "a", folder / "model.h5", kind, index, paths[-1])
    summary = folder / "calibration.json"
    calibrate_files(config, "a", folder / "model.h5", paths, summary, folder / "calibration.h5")
    injected = read_json(summary, SUMMARY_SCHEMA)["injected"]["all"]
    # 20 pulls: four standard errors
    assert abs(injected["pull_mean"]) < 4 / np.sqrt(20)
    assert abs(injected["pull_width"] - 1) < 4 / np.sqrt(40)
