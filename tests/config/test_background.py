"""A background that is one section, or several components by name."""

import pytest

from skyquilt.config import parse_config
from skyquilt.errors import ConfigError

IMAGING = {"exposure": {"path": "e.fits"}, "psf": {"path": "p.fits"}}
KINDS = {
    "compton": {
        "frame": "local",
        "counts": [{"path": "c.h5"}],
        "response": "r.h5",
        "orientation": "o.ori",
    },
    "counts": {"counts": {"path": "c.fits"}, **IMAGING},
    "events": {"events": {"path": "c.fits"}, **IMAGING},
    "file": {"file": "c.fits"},
}
SPECTRUM = {"model": "power_law", "norm": "1 cm-2 s-1 keV-1", "pivot": "1 GeV", "index": -2}


def parse(kind, background):
    data = KINDS[kind] | {"background": background}
    instrument = "compton" if kind == "compton" else "imaging"
    analysis = {"instrument": instrument, "data": data, "spectrum": SPECTRUM}
    return parse_config({"analyses": {"a": analysis}})


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def test_one_background_has_no_name(kind):
    data = parse(kind, {"path": "b.fits", "scale": 2.0}).analyses["a"].data

    assert {name: one.path for name, one in data.backgrounds().items()} == {"": "b.fits"}
    assert "b.fits" in data.paths()


def test_components_have_their_names_and_order(kind):
    config = parse(kind, {"galactic": {"path": "g.fits", "scale": 2.0}, "iso": {"path": "i.fits"}})

    data = config.analyses["a"].data
    assert {name: one.path for name, one in data.backgrounds().items()} == {
        "galactic": "g.fits",
        "iso": "i.fits",
    }
    assert data.backgrounds()["galactic"].scale == 2.0
    assert {"g.fits", "i.fits"} <= set(data.paths())
    assert parse_config(config.model_dump(mode="json")) == config


@pytest.mark.parametrize(
    ("background", "message"),
    [
        ({"path": {"path": "x"}}, "`path` is a key of one background and no name"),
        ({"scale": {"path": "x"}, "b": {"path": "y"}}, "`scale` is a key of one background"),
        ({"path": "x", "galactic": {"path": "y"}}, "`path` is a key of one background"),
        ({"a": {"path": "x"}, "b": {"path": "./x"}}, "components a and b are both './x'"),
        ({"a": {"path": "x"}, "b": 5}, r"background\.b: must be keys with values"),
        ({"a": {"path": "x"}, "b": None}, r"background\.b: must be keys with values"),
        ({"a b": {"path": "x"}}, r"background\.a b: allowed are letters"),
        ({"a": {"path": "x", "scale": 0}}, r"background\.a\.scale: must be above 0"),
        ({"a": {"path": "x", "scal": 1}}, r"background\.a\.scal: unknown key; is `scale` meant"),
        ({"a": {"path": "x", "scale": float("nan")}}, r"background\.a\.scale: "),
        ([{"path": "x"}], "must be keys with values"),
        ({"pth": "x"}, "unknown key; is `path` meant"),
    ],
)
def test_components_that_are_none_are_one_error(kind, background, message):
    with pytest.raises(ConfigError, match=message):
        parse(kind, background)


@pytest.mark.parametrize("kind", [one for one in KINDS if one != "file"])
@pytest.mark.parametrize("background", [{}, {"a": {}}, {"scale": 2.0}])
def test_component_without_path_is_refused(kind, background):
    with pytest.raises(ConfigError, match="path: missing"):
        parse(kind, background)


def test_component_twice_in_a_file_is_refused(tmp_path):
    from skyquilt.config import load_config

    path = tmp_path / "config.yaml"
    path.write_text("analyses: {a: {data: {background: {g: {path: x}, g: {path: y}}}}}\n")

    with pytest.raises(ConfigError, match="'g' is given twice"):
        load_config(path)


def test_intervals_of_one_file_are_two_components():
    background = {
        "before": {"path": "b.h5", "interval": [0.0, 1.0]},
        "after": {"path": "b.h5", "interval": [2.0, 3.0]},
    }

    assert list(parse("compton", background).analyses["a"].data.backgrounds()) == [
        "before",
        "after",
    ]


@pytest.mark.parametrize("background", [None, {}, {"scale": 2.0}, {"own": {"scale": 2.0}}])
def test_file_of_all_data_has_a_background_of_its_own(background):
    data = parse("file", background).analyses["a"].data

    assert data.paths() == ("c.fits",)
    assert [one.path for one in data.backgrounds().values()] == [None]


@pytest.mark.parametrize(
    ("background", "message"),
    [
        ({"a": {}, "b": {"scale": 2.0}}, "both the background of the file itself"),
        ({"a": {}, "b": {"path": "./c.fits"}}, "'./c.fits', which is `file`"),
        ({"frame": "icrs"}, "frame has no effect without `path`"),
    ],
)
def test_own_background_of_a_file_is_taken_once(background, message):
    with pytest.raises(ConfigError, match=message):
        parse("file", background)


@pytest.mark.parametrize(
    ("energy", "message"),
    [
        ({"bands": ["1 keV", "3 keV", "2 keV"]}, "must be above 0 keV and ascend"),
        ({"bands": ["1 keV", "1 keV"]}, "must be above 0 keV and ascend"),
        ({"bands": ["0 keV", "1 keV"]}, "must be above 0 keV and ascend"),
        ({"bands": ["nan keV", "1 keV"]}, "finite number"),
        ({"bands": ["1 keV"]}, "2 or more entries"),
        ({"bands": [1, 2]}, "has no unit"),
        ({"bands": ["1 cm", "2 cm"]}, "keV"),
        ({"bands": ["1 keV", "2 keV"], "range": ["1 keV", "2 keV"]}, "`bands` or `range`"),
        ({"bands": ["1 keV", "2 keV"], "channels": [0, 1]}, "`bands` or `channels`"),
        ({"bands": ["1 keV", "2 keV", "3 keV"], "sum_channels": True}, "`sum_channels` adds"),
    ],
)
def test_bands_that_are_none_are_one_error(settings, energy, message):
    settings["analyses"]["a"]["energy"] = energy

    with pytest.raises(ConfigError, match=message):
        parse_config(settings)
