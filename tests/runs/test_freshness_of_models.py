"""What is stale of a model after which change: its table in docs/cluster.md, cell by cell."""

import json
import re
import shutil
from pathlib import Path

import pytest
from stale import read_table_of, replaced, setting

from skyquilt.config import parse_config
from skyquilt.errors import ProductError
from skyquilt.runs import answers
from skyquilt.runs.answers import Digests
from skyquilt.runs.freshness import find_stale
from skyquilt.runs.verify import State, verify_tree
from skyquilt.steps.model.collect import collect_model, collect_samples
from skyquilt.steps.model.fit import fit_model
from skyquilt.steps.model.plot import plot_model
from skyquilt.steps.model.profile import profile_model
from skyquilt.steps.model.sample import sample_model
from skyquilt.steps.run import run_analysis

pytestmark = pytest.mark.slow  # two analyses, made once

FILES = {
    "`model/problem.h5`": "problem",
    "the fit": "first",
    "fits that start from it": "second",
    "other fits": "other",
    "profiles of the fit": "profiles",
    "its chains": "chains",
    "its samples": "samples",
    "`model/comparison.json`": "comparison",
    "`model/plots/`": "plots",
}
SAMPLE = {"ensembles": 1, "walkers": 8, "steps": 12, "burn": 4, "seed": 1, "max_r_hat": 100}
SPECTRUM = {"model": "power_law", "norm": "1e-3 cm-2 s-1 keV-1", "pivot": "100 keV"}
THERE = {"lon": 40.0, "lat": 25.0, "frame": "galactic"}


def with_model(settings, position):
    source = {"position": position, "spectrum": SPECTRUM | {"index": -2}}
    fits = {
        "first": {"sample": SAMPLE, "profile": ["a.flux"]},
        "second": {"start_from": "first"},
        "other": {"set": {"a.flux": 2.0}},
    }
    model = {"sources": {"a": source}, "background": {"start": 1.0}, "fits": fits}
    return json.loads(json.dumps(settings | {"model": model}))


@pytest.fixture(scope="module")
def made(tmp_path_factory, session_observation):
    """Settings of two models that were fitted, one at the best position of its map."""
    folder = tmp_path_factory.mktemp("models")
    one = session_observation.settings
    settings = {
        "results": str(folder / "results"),
        "cache": str(folder / "cache"),
        "analyses": {"there": with_model(one, THERE), "best": with_model(one, {"start": "best"})},
    }
    config = parse_config(settings)
    for name in settings["analyses"]:
        run_analysis(config, name, threads=1)
        folder = f"{settings['results']}/{name}/model"
        sample_model(config, name, "first", 1, folder)
        collect_samples(config, name, "first", folder)
        profile_model(config, name, "first", 1, 1, folder)
        plot_model(config, name, folder)
    return settings


@pytest.fixture
def change(made):
    """Settings to change."""
    return json.loads(json.dumps(made))


def stale_files(settings, name, digest=None):
    """What is stale of a model: by the names of files, and of what the first fit has."""
    config = parse_config(settings)
    folder, found = Path(settings["results"], name, "model"), set()
    for item in find_stale(config, name, digest or Digests(config.cache)):
        if item.paths[0].is_relative_to(folder):
            path = item.paths[0].relative_to(folder)
            kind = path.name.partition("-")[0] if len(path.parts) > 1 else path.stem
            found.add(OF_THE_FIRST.get(kind, kind))
    return found


OF_THE_FIRST = {"profile": "profiles", "ensemble": "chains", "first-samples": "samples"}

# How each row of the table in the documentation is brought about, in several ways.
CHANGES = {
    "`energy`, `datasets`, `spectrum`, `instrument`, `data` (also `time_bins`)": {
        "index": setting("spectrum", "index", value=-3.5),
        "sum": setting("energy", "sum_channels", value=True),
        "interval": setting("data", "interval", value=[1.8e9, 1.8e9 + 5]),
        "bins": setting(
            "data", "time_bins", value={"start": 1.8e9, "stop": 1.8e9 + 10, "width": "5 s"}
        ),
    },
    "an input file with other content": {
        name: name for name in ("counts.h5", "response.h5", "background.h5", "orientation.ori")
    },
    "`radius`, `epoch`, `sources` of `model`": {
        "radius": setting("model", "radius", value="20 deg"),
        "epoch": setting("model", "epoch", value=1.8e9),
        "flux": setting("model", "sources", "a", "flux", value={"start": 3.0}),
    },
    "other keys of `model` but `fits`, `compare`, `truths`": {
        "background": setting("model", "background", value=1.0),
        "parameters": setting("model", "parameters", value={"level": {"start": 1.0}}),
    },
    "`fit.confidence_level`": {"level": setting("fit", "confidence_level", value=0.9)},
    "the fit, in `model.fits`, but `profile`, `sample`": {
        "errors": setting("model", "fits", "first", "errors", value="profile"),
        "set": setting("model", "fits", "first", "set", value={"a.flux": 2.0}),
    },
    "its `profile`": {"profile": setting("model", "fits", "first", "profile", value=["b.c"])},
    "its `sample`": {
        key: setting("model", "fits", "first", "sample", value=SAMPLE | {key: value})
        for key, value in {"walkers": 10, "steps": 13, "seed": 2, "ensembles": 2}.items()
    },
    "`burn`, `max_r_hat` of its `sample`": {
        key: setting("model", "fits", "first", "sample", value=SAMPLE | {key: 5})
        for key in ("burn", "max_r_hat")
    },
    "`model.truths`": {"truths": setting("model", "truths", value={"a.flux": 1.0})},
    "`model.compare`, a fit that is added": {
        "compare": setting("model", "compare", value=[["first", "other"]]),
        "fit": setting("model", "fits", "added", value={}),
    },
    "`map`, `refine`, `localise`, other keys of `fit`": {
        "nside": setting("map", "nside", value=2),
        "order": setting("refine", "max_order", value=5),
        "prior": setting("localise", "prior", value="exposure"),
        "background": setting("fit", "background", value="free"),
    },
    "`sources`, `calibrate`, `plots`": {"plots": setting("plots", "colormap", value="magma")},
    "version of results": {"version": "version"},
}
CELLS = [(row, name) for row, changes in CHANGES.items() for name in changes]


def read_table():
    """Marks of each row of the documentation by file."""
    heading, *rows = read_table_of("| change | `model/problem.h5` |")
    assert heading[1:] == list(FILES)
    return {row[0]: dict(zip(FILES.values(), row[1:], strict=True)) for row in rows}


def test_table_of_the_documentation_has_these_rows():
    assert read_table().keys() == CHANGES.keys()


def test_nothing_is_stale_in_what_was_just_made(made):
    assert [stale_files(made, name) for name in made["analyses"]] == [set(), set()]
    assert {state for _, state, *_ in verify_tree(made["results"])} == {State.WHOLE}


@pytest.mark.parametrize("analysis", ["there", "best"])
@pytest.mark.parametrize(("row", "name"), CELLS)
def test_what_the_documentation_marks_is_stale_and_nothing_else(
    change, row, name, analysis, monkeypatch
):
    how, digest = CHANGES[row][name], None
    if how == "version":
        monkeypatch.setattr(answers, "RESULTS_VERSION", answers.RESULTS_VERSION + 1)
    elif isinstance(how, str):
        paths = re.findall(r'"([^"]+)"', json.dumps(change))
        digest = replaced(next(path for path in paths if path.endswith(how)))
    else:
        how(change["analyses"][analysis])
    marks = {"there": ("x",), "best": ("x", "best")}[analysis]
    marked = {file for file, mark in read_table()[row].items() if mark in marks}
    assert stale_files(change, analysis, digest) == marked


def test_fit_at_the_best_position_of_a_map_of_other_settings_is_refused(change, tmp_path):
    change["analyses"]["best"]["map"]["nside"] = 2
    folder = f"{change['results']}/best/model"
    with pytest.raises(ProductError, match=r"summary\.json: map\.nside was 1 and is 2; make it"):
        fit_model(parse_config(change), "best", "first", folder)


def test_fit_that_starts_from_one_of_other_settings_is_refused(change):
    change["analyses"]["there"]["model"]["background"] = 1.0
    folder = f"{change['results']}/there/model"
    with pytest.raises(ProductError, match=r"first\.h5: model\.background.* was .*; make it again"):
        fit_model(parse_config(change), "there", "second", folder)


@pytest.fixture
def copied(made, change, tmp_path):
    """Settings of a copy of the results, which may be changed."""
    shutil.copytree(made["results"], tmp_path / "results")
    return change | {"results": str(tmp_path / "results")}


def foreign(settings):
    """Reasons of files that do not belong there, by name."""
    found = verify_tree(settings["results"])
    return {path.name: reason for path, state, reason, _ in found if state is State.FOREIGN}


def test_fit_under_the_name_of_another_one_is_stale(copied):
    folder = Path(copied["results"]) / "there/model"
    for end in (".h5", ".ecsv", "-bins.ecsv"):
        shutil.copy(folder / f"first{end}", folder / f"other{end}")
    assert stale_files(copied, "there") == {"other"}
    figures = [path.name for path in (folder / "plots").iterdir()]
    reasons = dict.fromkeys(
        ("other.h5", "other.ecsv", "other-bins.ecsv"), "it is of fit first, not other"
    )
    assert foreign(copied) == reasons | dict.fromkeys(
        ("comparison.json", *figures), "it was made from another model/other.h5"
    )
    with pytest.raises(ProductError, match=r"other\.h5: it is of fit first, not other; make it ag"):
        collect_model(parse_config(copied), "there", folder)


def test_fit_that_is_asked_for_no_more_is_stale_when_what_it_is_made_from_changes(copied):
    model = copied["analyses"]["there"]["model"]
    del model["fits"]["other"]
    assert stale_files(copied, "there") == {"comparison", "plots"}
    model["background"] = 1.0
    assert stale_files(copied, "there") == set(FILES.values()) - {"problem"}


def test_model_that_is_asked_for_no_more_is_stale_when_its_data_are_replaced(copied):
    del copied["analyses"]["there"]["model"]
    assert stale_files(copied, "there") == set()
    counts = copied["analyses"]["there"]["data"]["counts"][0]["path"]
    assert stale_files(copied, "there", replaced(counts)) == set(FILES.values())
