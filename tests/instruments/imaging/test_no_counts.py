"""Imaging data without a single count give maps, limits, and all that follows from them."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from skyquilt.cli.main import main
from skyquilt.instruments.imaging.prepare import make_problem
from skyquilt.maps.file import read_skymap
from skyquilt.status import AT_BOUND, GOOD

LIMIT = -np.log(0.05)  # expected counts that give none in 5 % of all cases


@pytest.fixture
def empty(sky, monkeypatch):
    """`empty(kind)`: settings of data of that kind without counts, in a folder of their own."""
    monkeypatch.chdir(sky.folder)
    monkeypatch.setattr(sky, "photons", lambda: (np.zeros((0, 3)), np.zeros(0)))
    sky.background_counts = 0.01
    return lambda kind: sky.write(kind).settings(kind)


def empty_file(dataset):
    """Settings of a whole data set in one file, emptied."""
    if hasattr(dataset, "maps"):
        dataset.maps["COUNTS"][:] = 0
        dataset.maps["BACKGROUND"] *= 1e-6
    else:
        for name, values in dataset.columns.items():
            factor = {"COUNTS": 0, "BKG": 1e-6}.get(name.rstrip("123"), 1)
            dataset.columns[name] = values * factor
    region = {"center": {"lon": 83.6, "lat": 0, "frame": "icrs"}, "radius": 0.8}
    return {
        "instrument": "imaging",
        "data": {"file": dataset.write("data.fits")},
        "spectrum": {
            "model": "power_law",
            "norm": "1e-18 cm-2 s-1 keV-1",
            "pivot": "1 TeV",
            "index": -2,
        },
        "map": {"nside": 128, "frame": "icrs", "region": region},
    }


def run(settings):
    """Exit codes of `check` and `run`."""
    Path("config.yaml").write_text(yaml.safe_dump({"analyses": {"a": settings}}))
    return [main([verb, "--config", "config.yaml"]) for verb in ("check", "run")]


def draw():
    """Exit codes of what is drawn and written from the results."""
    folder, analysis = "results/a", ("--config", "config.yaml", "--analysis", "a")
    drawn = {
        "problem": "problem.h5",
        "maps": "maps.fits",
        "skymap": "skymap.multiorder.fits",
        "summary": "summary.json",
        "sources": "sources.fits",
        "output": "plots",
    }
    options = [text for key, name in drawn.items() for text in (f"--{key}", f"{folder}/{name}")]
    verbs = (
        ("plot", *analysis, *options),
        ("report", *analysis, "--output", f"{folder}/report.html"),
        ("verify", "results"),
    )
    return [main(list(verb)) for verb in verbs]


def check_maps():
    skymap = read_skymap("results/a/maps.fits")[0]
    columns, status = skymap.columns, skymap.columns["status"]
    fitted = np.isin(status, (GOOD, AT_BOUND))
    assert fitted.any()
    for name in ("ts", "flux", "npred"):
        assert np.all(columns[name][fitted] == 0)
    summary = json.loads(Path("results/a/summary.json").read_text())
    assert summary["best"] is None
    return columns["flux_ul"][fitted]


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("events", {}),
        ("events", {"fit": {"background": "free"}}),
        ("counts", {"fit": {"background": "free"}}),
        ("counts", {"refine": {"enabled": False}}),
    ],
)
def test_no_counts_give_limits_of_three_expected_counts(empty, kind, options):
    assert run(empty(kind) | options) == [0, 0]

    limit = check_maps() * 1e-14 * 1e7 * (1 - 1e-2)  # of the spectrum from 10 GeV to 1 TeV
    exposure = 1e11 * np.array([0.7, 1.3])  # its range over the sky
    # bilinear between pixels of 7 deg, which cut the extremes at the poles
    assert limit.min() == pytest.approx(LIMIT / exposure[1], rel=0.05)
    assert limit.max() == pytest.approx(LIMIT / exposure[0], rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["events", "counts"])
def test_no_counts_are_searched_drawn_and_reported(empty, kind):
    assert run(empty(kind) | {"sources": {"threshold": 25}}) == [0, 0]
    assert draw() == [0, 0, 0]


def test_no_counts_in_one_file_give_maps(dataset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert run(empty_file(dataset)) == [0, 0]
    assert np.all(check_maps() > 0)


def test_events_of_other_energies_are_no_counts(sky):
    sky.background_counts = 3.0
    sky.write()
    sky.write_events(ENERGY=(np.full(len(sky.photons()[0]), 5.0), "GeV"))

    assert make_problem(sky.analysis()).counts.size == 0
