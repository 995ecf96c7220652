"""Without histpy nothing is written, and one line says how to get it."""

import importlib.util

import pytest
import yaml

from skyquilt.cli.main import main


@pytest.fixture
def no_histpy(monkeypatch):
    """As in an installation without the extra."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "histpy" else find(name)
    )


def test_simulate_without_histpy_says_how_to_get_it(no_histpy, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["init", "demo"]) == 0
    assert main(["simulate", "--quiet", "--config", "demo.yaml"]) == 1
    assert "pip install 'skyquilt[histograms]'" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["demo.yaml"]


def test_bin_events_without_histpy_says_how_to_get_it(no_histpy, local, monkeypatch, capsys):
    raw = local.raw_config()
    raw["binning"] = {
        "burst": {
            "events": local.path("events.fits"),
            "output": local.path("results/binned.h5"),
            "frame": "local",
            "time_edges": [0.0, 1.0],
            "energy_edges": ["100 keV", "200 keV"],
            "phi_width": "10 deg",
            "nside": 1,
        }
    }
    config = local.folder / "config.yaml"
    config.write_text(yaml.safe_dump(raw))
    assert main(["bin-events", "--quiet", "--config", str(config), "--binning", "burst"]) == 1
    assert "pip install 'skyquilt[histograms]'" in capsys.readouterr().err
