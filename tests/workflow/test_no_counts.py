"""Data without a single count through the whole workflow."""

import json

import pytest
import yaml

pytestmark = pytest.mark.workflow


def test_no_counts_give_all_products(empty, local):
    local.write_counts("counts.h5", 0 * local.counts)
    local.write_counts("background.h5", 1e-6 * local.background)
    local.settings |= {
        "sources": {"threshold": 25},
        "calibrate": {"null_skies": 100, "injections": 20, "fluxes": [30.0]},
    }
    config = empty.path / "config.yaml"
    config.write_text(yaml.safe_dump(local.raw_config()))

    result = empty.run(config=config)

    assert result.returncode == 0, result.stdout
    folder = local.folder / "results/tiny"
    assert json.loads((folder / "summary.json").read_text())["best"] is None
    assert json.loads((folder / "calibration.json").read_text())["null"]["p_value"] == 1
    assert (folder / "sources.ecsv").is_file()
    assert (folder / "report.html").is_file()
