"""What is wrong with a model is said in one message, by `skyquilt check` and by the verbs."""

import copy

import numpy as np
import pytest
import yaml

from skyquilt.cli.main import main
from skyquilt.model.file import read_fit

START = 1.8e9
NORM = "1e-3 cm-2 s-1 keV-1"
CUTOFF = {"model": "cutoff_power_law", "norm": NORM, "pivot": "100 keV", "index": -2}
GAUSSIAN = {"light_curve": "gaussian", "peak": {"start": 1}, "t0": {"start": "5 s"}}
NORRIS = {
    "light_curve": "norris",
    "peak": {"start": 1},
    "t0": {"start": "-1 s"},
    "rise": {"start": "2 s"},
    "decay": {"start": "3 s"},
}
SOURCE, FIT = "model.sources.a", "model.fits.joint"
INDEX = f"{SOURCE}.spectrum.index"


@pytest.fixture
def observed(local):
    """Ten seconds of counts, with a model of five bins of 2 s."""
    local.ask_model({"joint": {}})
    return local


def write(observed, changes):
    """A configuration with some keys of its analysis changed; None takes one away."""
    raw = copy.deepcopy(observed.raw_config())
    for key, value in changes.items():
        *way, last = key.split(".")
        section = raw["analyses"]["tiny"]
        for part in way:
            section = section.setdefault(part, {})
        section[last] = value
        if value is None:
            del section[last]
    observed.folder.joinpath("config.yaml").write_text(yaml.safe_dump(raw))
    return observed.path("config.yaml")


def free(start, low=None, high=None, **more):
    return {"start": start, "range": [low, high], **more}


def prior(**kind):
    return free(-2, -5, 0, prior=kind)


BAD = {
    "circle of links": (
        {INDEX: {"link": "b"}, "model.parameters": {"b": {"link": "a.index"}}},
        "fit joint: links go in a circle: a.index -> b -> a.index",
    ),
    "circle of expressions": (
        {INDEX: {"expr": "2 * b"}, "model.parameters": {"b": {"expr": "a.index + 1"}}},
        "quantities go in a circle: a.index -> b -> a.index",
    ),
    "unknown link": (
        {INDEX: {"link": "a.flx"}},
        "a.index: link: a.flx is not known; the nearest is a.flux.",
    ),
    "unknown in expression": (
        {INDEX: {"expr": "a.flx + 1"}},
        "a.flx is not known; the nearest is a.flux",
    ),
    "unknown set": (
        {f"{FIT}.set": {"a.inde": -1}},
        "set.a.inde: no such parameter; the nearest is a.index",
    ),
    "unknown prior": (
        {INDEX: prior(normal=["mea", 1]), "model.parameters": {"mean": -2}},
        "'mea' of prior normal is not known; the nearest is mean",
    ),
    "unknown profile": (
        {f"{FIT}.profile": ["a.inde"]},
        "profile: no free number 'a.inde'; the nearest is a.index",
    ),
    "unit of a link": (
        {INDEX: {"link": "a.norm"}},
        "a.index is a pure number and a.norm is in cm-2 s-1 keV-1, which no factor converts: link",
    ),
    "unit of a number": ({INDEX: "3 keV"}, "index: '3 keV' is no number"),
    "start outside": ({INDEX: free(-6, -5, 0)}, "a.index: start -6 is outside its range, -5 to 0"),
    "empty range": ({INDEX: free(-2, 0, -5)}, "a.index: range 0 to -5 is empty"),
    "prior outside": (
        {INDEX: prior(uniform=[-6, 0])},
        "a.index: prior uniform from -6 to 0 leaves its range, -5 to 0",
    ),
    "middle of a prior outside": (
        {INDEX: prior(normal=[3, 0.1])},
        "a.index: prior normal around 3 is outside its range, -5 to 0: change one of them",
    ),
    "log prior across zero": (
        {INDEX: free(2, -5, 5, prior={"log_uniform": [-1, 5]})},
        "a.index: prior log_uniform needs a range above 0, and it begins at -5",
    ),
    "log prior without a range": (
        {INDEX: free(2, prior={"log_normal": [1, 1]})},
        "prior log_normal needs a range above 0, and it begins at -inf",
    ),
    "circle of fits": (
        {"model.fits": {"x": {"start_from": "y"}, "y": {"start_from": "x"}}},
        "fits start from each other in a circle: x -> y -> x",
    ),
    "per time_bin without bins": (
        {"data.time_bins": None},
        "a.flux: `per: time_bin`, but there is one time bin only: give `time_bins` of the data",
    ),
    "per dataset of one": (
        {INDEX: {"start": -2, "per": "dataset"}},
        "a.index: `per: dataset`, but there is one data set only: leave `per` out",
    ),
    "attribute": ({INDEX: {"expr": "a.flux.real"}}, "a.flux.real is not known; the nearest is"),
    "call": ({INDEX: {"expr": "abs(a.flux)"}}, "'abs(a.flux)' is not understood: allowed are num"),
    "string": ({INDEX: {"expr": "'a'"}}, "is not understood: allowed are numbers"),
    "comprehension": ({INDEX: {"expr": "[x for x in a]"}}, "'[x for x in a]' is not understood"),
    "dunder": ({INDEX: {"expr": "a.__class__"}}, "a.__class__ is no quantity: allowed are"),
    "10,000 characters": (
        {INDEX: {"expr": "1+" * 5000 + "1"}},
        "a.index: expression of 10001 letters: at most 1000 are allowed",
    ),
    "depth 100": (
        {INDEX: {"expr": "(" * 100 + "a.flux" + ")" * 100}},
        "(((((('... is nested deeper than 40: simplify it",
    ),
    "overflow": ({INDEX: {"expr": "9**9**9"}}, "'9**9**9': a part of numbers only is not finite"),
    "expression not finite": (
        {INDEX: {"expr": "log(a.flux - 2)"}},
        "a.index: not finite at the start; change the start of what it depends on",
    ),
    "light curve below zero": (
        {f"{SOURCE}.flux": GAUSSIAN | {"peak": -1, "sigma": "2 s"}},
        "a.flux: -0.95985 at the start, allowed is 0 or above: begin with other parameters",
    ),
    "length below zero": (
        {f"{SOURCE}.flux": GAUSSIAN | {"sigma": {"start": "-2 s"}}},
        "a.flux.sigma: start -2 s: allowed is above 0",
    ),
    "range of an energy below zero": (
        {f"{SOURCE}.spectrum": CUTOFF | {"cutoff": free("9 keV", "-1 keV")}},
        "a.cutoff: range from -1 keV: begin it at 0 or above",
    ),
    "size without a largest": (
        {f"{SOURCE}.shape": {"model": "disk", "radius": free("1 deg", "0 deg")}},
        "a.radius: 0 to inf deg: a size is a number, or has a range, from 0 to 30 deg",
    ),
    "parameter that nothing reads": (
        {"model.parameters": {"b": {"start": 1}}},
        "b: nothing depends on it: use it, or give a number",
    ),
    "bins off the edges": (
        {"data.time_bins": {"edges": [START, START + 2.5, START + 10]}},
        "1800000002.500000 s is no edge of the time axis, which spans 1800000000.000000 to",
    ),
    "bins outside": (
        {"data.time_bins": {"start": START, "stop": START + 20, "width": "10 s"}},
        "1800000020.000000 s is no edge of the time axis",
    ),
    "overlapping bins": (
        {"data.time_bins": {"edges": [START, START + 4, START + 3]}},
        "1800000003.000000000 s follows 1800000004.000000000 s: they must ascend, bins that over",
    ),
    "range beyond the rows": (
        {"model.radius": "2 deg", f"{SOURCE}.position.range": "5 deg"},
        "a range of 5 deg leaves the rows that are kept, 2 deg around the start: make `radius`",
    ),
    "question of no source": (
        {"model.compare": [{"fit": "joint", "curved": "b"}]},
        "model.compare.0: no source 'b'; there are: a",
    ),
    "question of one data set": (
        {
            "model.compare": [{"fit": "joint", "common": "a"}],
            f"{SOURCE}.position.range": "5 deg",
        },
        "model.compare.0: a.lon: `per: dataset`, but there is one data set only",
    ),
}


@pytest.mark.parametrize(("changes", "message"), BAD.values(), ids=BAD)
def test_check_tells_what_is_wrong_with_a_model(observed, capsys, changes, message):
    assert main(["check", "--config", write(observed, changes)]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1


def test_two_fits_of_one_name_are_refused(observed, capsys):
    path = write(observed, {})
    text = observed.folder.joinpath("config.yaml").read_text()
    observed.folder.joinpath("config.yaml").write_text(
        text.replace("joint: {}", "joint: {}\n        joint: {}")
    )
    assert main(["check", "--config", path]) == 2
    assert "the key 'joint' is given twice" in capsys.readouterr().err


def test_check_prints_the_tree_of_fits_and_their_parameters(observed, capsys):
    fits = {
        "alone": {"split": "time_bin"},
        "joint": {"start_from": "alone", "set": {"a.norm": NORM}},
    }
    assert main(["check", "--config", write(observed, {"model.fits": fits})]) == 0
    told = capsys.readouterr().out
    assert "  alone: each time bin by itself\n    joint: sets a.norm\n" in told
    assert "tiny: fit joint, 7 free numbers" in told
    row = next(line.split() for line in told.splitlines()[-6:] if "a.index" in line)
    assert row == ["a.index", "free", "-2", "-5", "to", "1"]


def make(observed, changes):
    """Exit code of the verbs that make the fit, and what it found."""
    common = ["--config", write(observed, changes), "--analysis", "tiny", "--output"]
    assert main(["model", "prepare", *common, observed.path("m/problem.h5")]) == 0
    code = main(["model", "fit", "--fit", "joint", *common, observed.path("m")])
    return code, read_fit(observed.path("m/joint.h5"))[0] if code == 0 else None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({f"{SOURCE}.spectrum.norm": 0}, "a: no counts are expected of it at 40, 25 deg in any bi"),
        ({INDEX: {"start": 1e308}}, "a: the counts that its spectrum expects are not finite"),
    ],
)
def test_fit_that_cannot_begin_is_refused(observed, capsys, changes, message):
    assert make(observed, changes)[0] == 2
    assert message in capsys.readouterr().err
    assert not observed.folder.joinpath("m/joint.h5").exists()


def test_source_without_exposure_is_refused(observed, capsys):
    observed.area[:] = 0
    observed.area[3] = 1
    observed.write_response()
    observed.write_orientation(np.arange(11.0))
    codes = [
        make(observed, {f"{SOURCE}.position": {"lon": lon, "lat": 0.0, "frame": "galactic"}})[0]
        for lon in (0.0, 180.0)
    ]
    assert sorted(codes) == [0, 2]
    assert "it has no exposure there" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "weak"),
    [
        (
            {f"{SOURCE}.spectrum.norm": {"start": NORM}, f"{SOURCE}.flux": free(1, 0)},
            ("a.flux with a.norm", {"a.flux", "a.norm"}, "degenerate"),
        ),
        (
            {INDEX: {"expr": "-2 + 0 * b"}, "model.parameters": {"b": {"start": 1}}},
            ("b", {"b"}, "no_effect"),
        ),
    ],
    ids=["product", "no effect"],
)
def test_what_is_not_determined_is_named_and_has_no_error(observed, changes, weak):
    text, names, status = weak
    code, found = make(observed, changes)
    assert (code, found.status, found.weak) == (0, status, [text])
    bad = {row.name: row for row in found.rows if row.status == status}
    assert set(bad) == names
    assert np.all(np.isnan([row.error for row in bad.values()]))
    if "a.flux" in names:
        assert np.all(np.isnan(found.bins["flux_ul_a"]))


def test_pulse_with_too_few_bins_has_a_status_and_no_errors(observed, caplog):
    edges = {"edges": [START, START + 4, START + 8, START + 10]}
    code, found = make(observed, {"data.time_bins": edges, f"{SOURCE}.flux": NORRIS})
    assert code == 0
    assert found.status in ("degenerate", "not_converged")
    assert found.weak
    assert "joint: not determined: " in caplog.text
    assert np.all(np.isnan([row.error for row in found.rows if row.name.startswith("a.flux")]))
