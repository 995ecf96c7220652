"""Steps of simulated skies, on the tiny observation."""

import json

import numpy as np
import pytest

from skyquilt.calibration.file import read_calibration
from skyquilt.errors import ConfigError, ProductError
from skyquilt.io.listing import LISTING, read_listing
from skyquilt.problem.file import read_problem
from skyquilt.sky.chunks import skies_name
from skyquilt.steps.calibrate import calibrate_files, simulate_skies_file
from skyquilt.steps.plot_calibration import plot_calibration
from skyquilt.steps.prepare import prepare_analysis

KINDS = ("null", "injected")


class Run:
    """Model and skies of the tiny observation in its result folder."""

    def __init__(self, observation, **options):
        defaults = {"null_skies": 120, "injections": 20, "fluxes": [30.0], "skies_per_job": 70}
        observation.settings["calibrate"] = defaults | options
        self.folder = observation.folder
        self.config = observation.config()
        self.options = self.config.analyses["tiny"].calibrate
        self.model = self.folder / "model.h5"
        prepare_analysis(self.config, "tiny", self.model, all_bins=True)

    def simulate(self):
        jobs = [(kind, index) for kind in KINDS for index in range(self.options.n_jobs(kind))]
        paths = []
        for kind, index in jobs:
            paths.append(self.folder / skies_name(kind, index, self.options.n_jobs(kind)))
            simulate_skies_file(self.config, "tiny", self.model, kind, index, paths[-1])
        return paths

    def calibrate(self, paths):
        summary, table = self.folder / "calibration.json", self.folder / "calibration.h5"
        calibrate_files(self.config, "tiny", self.model, paths, summary, table)
        return json.loads(summary.read_text())


def test_model_has_all_bins_with_background(local):
    local.background[0, 0, :3] = local.counts[0, 0, :3] = 0
    local.write_counts("background.h5", local.background)
    local.write_counts("counts.h5", local.counts)

    run = Run(local)
    model, problem = read_problem(run.model), local.problem()

    assert model.counts.size == 108 - 3
    assert model.counts.sum() == problem.counts.sum()
    # a source's counts in the three bins could not be fitted: they are in no total either
    every = model.expectation.rows.sum(axis=1, dtype=float)
    # rows are float32
    np.testing.assert_allclose(model.expectation.totals, every, rtol=1e-6)


def test_calibrate_writes_numbers_and_all_skies(local):
    run = Run(local)

    content = run.calibrate(run.simulate())

    skies = read_calibration(run.folder / "calibration.h5")
    assert (skies["null"].ts_max.size, skies["injected"].flux.size) == (120, 20)
    assert content["null"]["n_skies"] == 120
    assert content["injected"]["by_flux"][0]["flux"] == 30.0
    assert content["provenance"]["inputs"][0]["path"] == str(run.model)


@pytest.mark.slow
def test_skies_do_not_depend_on_the_jobs(local):
    contents = []
    for skies_per_job in (70, 33):
        run = Run(local, null_skies=100, skies_per_job=skies_per_job)
        content = run.calibrate(run.simulate())
        contents.append((content["null"], content["injected"]))

    assert contents[0] == contents[1]


def test_skies_of_galactic_data_are_simulated_too(galactic):
    run = Run(galactic)

    assert run.calibrate(run.simulate())["injected"]["all"]["n_skies"] == 20


def test_skies_of_several_spectra_and_a_free_background_are_simulated(local):
    steep = local.settings.pop("spectrum")
    local.settings["spectra"] = {"steep": steep, "flat": steep | {"index": 0}}
    local.settings["fit"] = {"background": "free"}
    run = Run(local)

    content = run.calibrate(run.simulate())

    assert content["null"]["n_skies"] == 120
    # with a factor on the background, or a second spectrum, chance has other largest TS
    assert content["null"]["ts_max_quantiles"]["0.5"] > 0


def test_calibrate_without_one_of_the_jobs_is_refused(local):
    run = Run(local)
    paths = run.simulate()

    with pytest.raises(ProductError, match=r"null skies: 70 of 120 without a gap, in .*null-000"):
        run.calibrate([paths[0], *paths[2:]])

    assert not (run.folder / "calibration.json").exists()


def test_skies_of_another_seed_are_refused(local):
    paths = Run(local).simulate()

    with pytest.raises(ProductError, match="answers another model or other settings"):
        Run(local, seed=2).calibrate(paths)


def test_job_that_does_not_exist_is_refused(local):
    run = Run(local)

    with pytest.raises(ConfigError, match=r"job 2 of null skies: there are 0 to 1"):
        simulate_skies_file(run.config, "tiny", run.model, "null", 2, run.folder / "x.h5")


def test_analysis_without_the_section_is_refused(local):
    run = Run(local)
    del local.settings["calibrate"]

    with pytest.raises(ConfigError, match="analysis tiny has no section `calibrate`: add"):
        simulate_skies_file(local.config(), "tiny", run.model, "null", 0, run.folder / "x.h5")


def test_other_resolution_than_that_of_listed_pixels_is_refused(local):
    local.settings["map"] = {"nside": 1, "region": {"pixels": [3]}}
    run = Run(local, nside=2)

    with pytest.raises(ConfigError, match=r"calibrate\.nside 2: `map\.region` lists pixels"):
        simulate_skies_file(run.config, "tiny", run.model, "null", 0, run.folder / "x.h5")


@pytest.mark.slow
def test_plots_are_written_as_png_and_pdf(local):
    run = Run(local)
    run.calibrate(run.simulate())

    plot_calibration(
        run.folder / "calibration.json", run.folder / "calibration.h5", run.folder / "plots"
    )

    names = {path.name for path in (run.folder / "plots").iterdir()}
    assert names == {
        f"{name}.{ending}"
        for name in ("maxima", "detection", "coverage")
        for ending in ("png", "pdf")
    } | {LISTING}
    assert {path.name for path in read_listing(run.folder / "plots")} == names - {LISTING}
