"""Compton data without a single count give maps, limits, and all that follows from them."""

import json
from pathlib import Path

import numpy as np
import pytest

from skyquilt.maps.file import read_skymap
from skyquilt.report import calibration as page
from skyquilt.status import AT_BOUND
from skyquilt.steps.calibrate import calibrate_files, simulate_skies_file
from skyquilt.steps.check import check_files
from skyquilt.steps.plot_calibration import plot_calibration
from skyquilt.steps.prepare import prepare_analysis
from skyquilt.steps.run import run_analysis


@pytest.fixture(params=["local", "galactic"])
def empty(request):
    """Observation without counts over next to no background, searched for sources."""
    observation = request.getfixturevalue(request.param)
    observation.write_counts("counts.h5", 0 * observation.counts)
    observation.write_counts("background.h5", 1e-6 * observation.background)
    observation.settings["sources"] = {"threshold": 25}
    return observation


def test_no_counts_give_limits_of_three_expected_counts(empty):
    assert "0 counts over" in check_files(empty.config())
    run_analysis(empty.config(), "tiny", 1)

    skymap, _ = read_skymap(empty.path("results/tiny/maps.fits"))
    columns = skymap.columns
    assert np.all(columns["status"] == AT_BOUND)
    assert np.all(columns["ts"] == 0)
    assert np.all(columns["flux"] == 0)
    # no counts in 5 % of all cases
    expected = empty.problem().expectation.block(pixels(skymap)).total
    np.testing.assert_allclose(columns["flux_ul"] * expected, -np.log(0.05), rtol=1e-6)
    summary = json.loads((empty.folder / "results/tiny/summary.json").read_text())
    assert summary["best"] is None


def pixels(skymap):
    from skyquilt.sky.healpix import nest_to_vec

    return nest_to_vec(1, skymap.ipix)


def test_no_counts_are_calibrated(local):
    local.write_counts("counts.h5", 0 * local.counts)
    local.write_counts("background.h5", 1e-6 * local.background)
    local.settings["calibrate"] = {"null_skies": 100, "injections": 20, "fluxes": [30.0]}
    config, model = local.config(), local.path("model.h5")
    prepare_analysis(config, "tiny", model, all_bins=True)
    paths = [local.path(f"{kind}.h5") for kind in ("null", "injected")]
    for path in paths:
        kind = "null" if "null" in path else "injected"
        simulate_skies_file(config, "tiny", model, kind, 0, path)
    output = local.path("calibration.json")

    calibrate_files(config, "tiny", model, paths, output, local.path("calibration.h5"))

    content = json.loads(Path(output).read_text())
    assert (content["null"]["p_value"], content["null"]["p_value_from"]) == (1, "skies")
    plot_calibration(output, local.path("calibration.h5"), local.path("plots"))
    assert "100 of 100 simulated skies" in page.section(content, []).texts[0]
