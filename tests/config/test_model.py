"""The section `model`: what it may hold, and what is refused in which words."""

import copy

import pytest

from skyquilt.config import parse_config
from skyquilt.config.model_parameter import is_name, read_value
from skyquilt.errors import ConfigError

SOURCE = "sources.burst"
SETTINGS = {
    "datasets": {
        "cosi": {
            "data": {
                "frame": "local",
                "counts": [{"path": "burst.h5"}],
                "background": {"path": "background.h5"},
                "response": "response.h5",
                "orientation": "o.ori",
            },
        }
    },
    "spectrum": {
        "model": "power_law",
        "norm": "1 cm-2 s-1 keV-1",
        "pivot": "100 keV",
        "index": -2.2,
    },
    "model": {
        "sources": {
            "burst": {
                "position": {"start": "best", "range": "20 deg"},
                "spectrum": {
                    "model": "power_law",
                    "norm": "1 cm-2 s-1 keV-1",
                    "pivot": "100 keV",
                    "index": {"start": -2, "range": [-5, 0]},
                },
                "flux": {"per": "time_bin", "start": 0.1, "range": [0, None]},
            }
        },
        "background": {
            "cosi": {"per": "time_bin", "start": 1, "prior": {"normal": [1, 0.05]}},
        },
        "fits": {
            "alone": {"split": "time_bin"},
            "joint": {"start_from": "alone"},
            "pulse": {
                "start_from": "joint",
                "set": {
                    "burst.flux": {
                        "light_curve": "gaussian",
                        "peak": {"start": 0.3, "range": [0, None]},
                        "t0": {"start": "16 s"},
                        "sigma": {"start": "6 s", "range": ["0.1 s", None]},
                    }
                },
                "sample": {"walkers": 32},
                "profile": ["burst.flux.t0"],
            },
            "hardness": {
                "set": {"burst.index": {"expr": "a + b * log(burst.flux)"}},
                "parameters": {"a": {"start": -2}, "b": {"start": 0}},
            },
        },
        "compare": [["joint", "pulse"], {"constant": "burst.flux", "fit": "joint"}],
    },
}


def changed(key, value):
    """Settings with one key of the model replaced."""
    settings = copy.deepcopy(SETTINGS)
    *way, last = key.split(".")
    section = settings["model"]
    for part in way:
        section = section.setdefault(part, {})
    section[last] = value
    return {"analyses": {"a": settings}}


def test_model_survives_being_written_and_read():
    config = parse_config({"analyses": {"a": SETTINGS}})
    assert parse_config(config.model_dump(mode="json")) == config


def test_fits_are_made_after_those_that_they_start_from():
    settings = changed("fits", {"c": {"start_from": "b"}, "b": {"start_from": "a"}, "a": {}})
    del settings["analyses"]["a"]["model"]["compare"]
    model = parse_config(settings).analyses["a"].model
    assert model.all_orders() == ("a", "b", "c")
    assert model.order("b") == ("a", "b")


@pytest.mark.parametrize(
    ("background", "names", "parameters"),
    [
        (2.0, {"cosi": "background"}, {"background": 2.0}),
        ({"cosi": 2.0}, {"cosi": "cosi.norm"}, {"cosi.norm": 2.0}),
        ({}, {"cosi": "cosi.norm"}, {"cosi.norm": 1.0}),
    ],
)
def test_factors_on_backgrounds_have_names(background, names, parameters):
    model = parse_config(changed("background", background)).analyses["a"].model
    found = model.backgrounds({"cosi": ("",)})
    assert found.names == {(key, ""): name for key, name in names.items()}
    assert found.parameters == parameters


def test_components_that_share_a_factor_and_those_that_have_one_each():
    model = parse_config(changed("background", {})).analyses["a"].model
    both = {"a": ("near", "far"), "b": ("",)}
    shared = model.model_copy(update={"background": {"a": 2.0}}).backgrounds(both)
    assert shared.names[("a", "near")] == shared.names[("a", "far")] == "a.norm"
    assert shared.parameters == {"a.norm": 2.0, "b.norm": 1.0}
    each = model.model_copy(update={"background": {"a": {"far": 3.0}}}).backgrounds(both)
    assert each.parameters == {"a.near": 1.0, "a.far": 3.0, "b.norm": 1.0}


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (f"{SOURCE}.spectrum.index", "2 keV", "index: '2 keV' is no number: this parameter has no"),
        (f"{SOURCE}.spectrum.norm", 3, "norm: 3 has no unit: give a quantity, as in '3 cm-2 s-1"),
        (f"{SOURCE}.spectrum.norm", {"start": "3 keV"}, "norm: '3 keV' is not a quantity in cm-2"),
        (
            f"{SOURCE}.spectrum.norm",
            {"start": "3 cm-2 s-1 keV-1", "range": [1, None]},
            "norm: 1 has no unit",
        ),
        (f"{SOURCE}.spectrum.model", "powerlaw", "'powerlaw' is no model; there are 'power_law'"),
        (f"{SOURCE}.spectrum.index2", 1, "spectrum.index2: unknown key; is `index` meant"),
        (f"{SOURCE}.spectrum.index", {"startt": 1}, "index.startt: unknown key; is `start` meant"),
        (f"{SOURCE}.spectrum.index", {"link": "a b"}, "index.link: allowed are letters"),
        (
            f"{SOURCE}.spectrum.index",
            {"light_curve": "gaussian"},
            "index: a light curve cannot stand here",
        ),
        (
            f"{SOURCE}.flux",
            {"light_curve": "gaussian2"},
            "'gaussian2' is no light_curve; there are",
        ),
        (
            f"{SOURCE}.flux",
            {"light_curve": "gaussian", "peak": 1, "t0": "1 keV", "sigma": "2 s"},
            "flux.t0: '1 keV' is not a quantity in s",
        ),
        (
            f"{SOURCE}.flux",
            {"light_curve": "gaussian", "peak": "1 s", "t0": "1 s", "sigma": "2 s"},
            "flux: peak: '1 s' is no number",
        ),
        (f"{SOURCE}.flux", {"light_curve": "exponential", "peak": 1, "t0": 0}, "flux.decay: miss"),
        (
            f"{SOURCE}.flux",
            {"start": 1, "prior": {"normal": [1, 2], "uniform": [1, 2]}},
            "flux.prior: give one of normal, .*; given: normal and uniform",
        ),
        (
            f"{SOURCE}.flux",
            {"start": 1, "prior": {"normal1": [1, 2]}},
            "normal1: unknown key; is `nor",
        ),
        (f"{SOURCE}.flux", {"start": 1, "prior": {}}, "prior: give one of .*; given: none"),
        (f"{SOURCE}.flux", {"start": 1, "per": "bin"}, "per: must be 'time_bin' or 'dataset'"),
        (f"{SOURCE}.flux", True, "true and false are no values here"),
        (f"{SOURCE}.flux", {"start": float("nan")}, "flux.start: must be a finite number"),
        (f"{SOURCE}.position", {"lon": 1}, "position: give `lon`, `lat` and `frame`; given: lon"),
        (f"{SOURCE}.position", {"start": "best", "range": "91 deg"}, "'91 deg' is above 90 deg"),
        (f"{SOURCE}.position", {"start": "best", "range": "0 deg"}, "range: '0 deg' is not above"),
        (f"{SOURCE}.position", {"start": "best", "range": 20}, "range: 20 has no unit"),
        (f"{SOURCE}.position", {"start": "bst"}, "position.start: must be 'best'"),
        (f"{SOURCE}.position", {"start": "best", "link": "b"}, "position: give one of: `start`;"),
        (f"{SOURCE}.position", {"start": "best", "per": "dataset"}, "per: dataset has no effect"),
        (f"{SOURCE}.position", {"link": "brst"}, "no source 'brst'; the nearest is burst"),
        (f"{SOURCE}.position", {"lon": 1, "lat": 95, "frame": "icrs"}, "lat: must be 90 or less"),
        ("background", {"cosy": 1}, "model.background: no data set 'cosy'; the nearest is cosi"),
        ("background", {"cosi": {"far": 1}}, "model.background.cosi: no component 'far'; there"),
        ("background.cosi", {"start": 1, "a": 2}, "background.cosi.a: unknown key"),
        ("background.cosi", "1 s", "background.cosi: '1 s' is no number"),
        (
            "offsets",
            {"cosy": {"sigma": "1 deg"}},
            "model.offsets: no data set 'cosy'; the nearest is cosi",
        ),
        (
            "fits.a",
            {"start_from": "joit"},
            "fits.a.start_from: no fit 'joit'; the nearest is joint",
        ),
        ("fits.joint", {"start_from": "joint"}, "in a circle: joint -> joint"),
        ("fits.alone", {"start_from": "pulse"}, "circle: alone -> pulse -> joint -> alone"),
        ("fits.problem", {}, "fits.problem: a file has this name"),
        (
            "fits.alone",
            {"split": "time_bin", "profile": ["a"]},
            "`profile` is of a fit of all bins",
        ),
        ("fits.a.set", {"burst..x": 1}, "set.burst..x: allowed are letters"),
        ("fits.a.sample", {"burn": 2000}, "burn = 2000 leaves none of 1000 steps"),
        ("fits", {}, "fits: must have 1 or more entries"),
        ("compare", [["joint", "x"]], "compare.0: no fit 'x'; there are: alone, joint"),
        ("compare", [["joint", "alone"]], "compare.0: fit alone is split"),
        ("compare", [{"fit": "joint"}], "give one of constant, common, curved; given: none"),
        ("parameters", {"log": 1}, "'log' means something else in expressions"),
        ("radius", "181 deg", "radius: '181 deg' is above 180 deg"),
    ],
)
def test_what_is_wrong_is_told_with_its_key(key, value, message):
    with pytest.raises(ConfigError, match=message):
        parse_config(changed(key, value))


def test_analysis_without_a_spectrum_has_a_model_and_no_map():
    position = {"lon": 1, "lat": 2, "frame": "icrs", "range": "1 deg"}
    settings = changed(f"{SOURCE}.position", position)
    del settings["analyses"]["a"]["spectrum"]
    assert not parse_config(settings).analyses["a"].has_map


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "burst.position: `start: best` is that of a map"),
        ({"sources": {}}, "`sources` is of a map"),
        ({"model": None}, "give `spectrum`, or several as `spectra`; or a `model`"),
    ],
)
def test_analysis_without_a_map_has_nothing_of_one(change, message):
    settings = copy.deepcopy(SETTINGS) | change
    del settings["spectrum"]
    with pytest.raises(ConfigError, match=message):
        parse_config({"analyses": {"a": settings}})


@pytest.mark.parametrize(
    ("value", "unit", "number"),
    [("0.1 MeV", "keV", 100.0), (0, "keV", 0.0), (-2, "", -2.0), ("1e-11", "", 1e-11)],
)
def test_values_are_read_in_their_unit(value, unit, number):
    assert read_value(value, unit) == pytest.approx(number, rel=1e-15)


def test_names_are_told_from_quantities():
    assert is_name("burst.mean")
    assert not is_name("5 s")
    assert not is_name(".5")
