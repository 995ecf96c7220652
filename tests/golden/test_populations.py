"""Populations of the example of the sky above 50 GeV."""

import fermi_sky
import pytest

from skyquilt.config import load_config
from skyquilt.io.json_file import read_json
from skyquilt.populations.summary import SCHEMA
from skyquilt.steps.run import run_analysis


@pytest.mark.slow
def test_2fhl_sources_galaxy_isotropic_sky_and_bubbles(imaging_data, monkeypatch, tmp_path):
    monkeypatch.setenv("SKYQUILT_DATA", str(imaging_data))
    name = "fermi-2fhl-populations"
    changes = [f"results={tmp_path}/results", f"cache={tmp_path}/cache"]
    config = load_config(fermi_sky.EXAMPLES / f"{name}.yaml", changes)
    run_analysis(config, name, threads=1)
    content = read_json(tmp_path / "results" / name / "populations" / "populations.json", SCHEMA)
    model = content["models"]["all"]
    found = {key: one["fraction"] for key, one in model["populations"].items()}
    # values and errors of an independent program on the same files; that of the catalogue is 1.1
    # errors lower, as with extended sources as coarse sums of points here, too
    assert found == {
        "catalogue": pytest.approx(0.0958, abs=1.5 * 0.0014),
        "galactic": pytest.approx(0.601, abs=0.003),
        "isotropic": pytest.approx(0.283, abs=0.003),
        "bubbles": pytest.approx(0.020, abs=0.001),
    }
    catalogue = model["populations"]["catalogue"]
    assert catalogue["over_expected"] == pytest.approx(1.005, abs=0.015)
    index = {key: one["value"] for key, one in model["parameters"].items()}
    assert index == {
        "galactic.index": pytest.approx(-2.45, abs=0.01),
        "isotropic.index": pytest.approx(-2.32, abs=0.02),
        "bubbles.index": pytest.approx(-2.95, abs=0.12),
    }
    # the bubbles are seen at TS 470
    assert content["models"]["no-bubbles"]["ln_bayes_factor"] < -200
    assert model["effective_draws"] > 0.4 * model["draws"]
