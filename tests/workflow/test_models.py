"""Models in the workflow: every product of a model, made once, and again where it is due."""

import shutil

import pytest
from workdir import Workdir

pytestmark = pytest.mark.workflow

BINS = {"start": 1835478010.0, "stop": 1835478050.0, "width": "10 s"}
PRODUCTS = {
    *("problem.h5", "alone.h5", "alone.ecsv", "alone-bins.ecsv"),
    *("level.h5", "level.ecsv", "level-bins.ecsv", "level-samples.h5", "level-samples.ecsv"),
    *("comparison.json", "level", "plots"),
}
PAGES = {"report_analysis": 1, "list_reports": 1}


def with_model(settings):
    """One analysis, of a model and no map."""
    burst = settings["analyses"]["burst"]
    for key in ("map", "fit", "sources", "localise", "spectrum"):
        del burst[key]
    del burst["data"]["interval"]
    spectrum = {"model": "power_law", "norm": "0.2 cm-2 s-1 keV-1", "pivot": "100 keV"}
    burst["data"]["time_bins"] = BINS
    burst["model"] = {
        "sources": {
            "grb": {
                "position": {"lon": 93, "lat": -53, "frame": "galactic"},
                "spectrum": spectrum | {"index": {"start": -2, "range": [-5, 0]}},
                "flux": {"start": 1, "range": [0, None], "per": "time_bin"},
            }
        },
        "background": {"start": 1, "range": [0, None], "prior": {"normal": [1, 0.1]}},
        "fits": {
            "alone": {"split": "time_bin"},
            "level": {
                "start_from": "alone",
                "set": {"grb.flux": {"light_curve": "constant", "level": {"start": 1}}},
                "sample": {"ensembles": 2, "walkers": 12, "steps": 60, "burn": 20, "max_r_hat": 2},
                "profile": ["grb.index", "grb.flux.level"],
            },
            "joint": {},
        },
        "compare": [["level", "joint"]],
    }
    settings["analyses"] = {"burst": burst}


@pytest.fixture(scope="module")
def modelled(tmp_path_factory):
    """A finished run of a model."""
    workdir = Workdir(tmp_path_factory.mktemp("model"))
    result = workdir.run(config=workdir.config_with(with_model))
    assert result.returncode == 0, result.stdout
    return workdir


def test_run_makes_every_product_of_a_model(modelled):
    folder = modelled.results / "burst/model"
    found = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    assert found == PRODUCTS | {f"joint{end}" for end in (".h5", ".ecsv", "-bins.ecsv")}
    assert {path.name for path in (folder / "level").iterdir()} == {
        f"{kind}-{n}-of-2.h5" for kind in ("ensemble", "profile") for n in (1, 2)
    }
    assert (modelled.results / "burst/report.html").is_file()
    assert 'href="burst/report.html"' in (modelled.results / "index.html").read_text()
    assert modelled.planned(config=modelled.path / "changed.yaml") == {}


def test_what_is_damaged_is_made_again_and_nothing_else(modelled, tmp_path):
    shutil.copytree(modelled.path, tmp_path / "copy")
    copied = Workdir(tmp_path / "copy")
    config = copied.path / "changed.yaml"
    (copied.results / "burst/model/level/ensemble-2-of-2.h5").unlink()
    again = {"sample_model": 1, "collect_samples": 1, "plot_model": 1} | PAGES
    assert copied.planned(config=config) == again


def test_change_of_samples_makes_chains_again_and_no_fit(modelled, tmp_path):
    shutil.copytree(modelled.path, tmp_path / "copy")
    copied = Workdir(tmp_path / "copy")

    def change(settings):
        with_model(settings)
        settings["analyses"]["burst"]["model"]["fits"]["level"]["sample"]["seed"] = 2

    again = {"sample_model": 2, "collect_samples": 1, "collect_model": 1, "plot_model": 1} | PAGES
    assert copied.planned(config=copied.config_with(change)) == again
