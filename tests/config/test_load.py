import copy

import pytest
import yaml

from skyquilt.config import get_analysis, load_config, parse_config
from skyquilt.errors import ConfigError


@pytest.fixture
def load(tmp_path):
    """Write settings or text as `c.yaml` and load it."""

    def load(settings):
        text = settings if isinstance(settings, str) else yaml.safe_dump(settings)
        (tmp_path / "c.yaml").write_text(text)
        return load_config(tmp_path / "c.yaml")

    return load


def test_load_config_reads_what_parse_config_does(load, settings):
    assert load(settings) == parse_config(settings)


def test_defaults_are_filled_in(load, settings):
    config = load(settings)

    assert (config.results, config.cache) == ("results", "cache")
    assert config.analyses["a"].map.nside == 16
    assert config.analyses["a"].localise.levels == (0.9,)


def test_resolved_configuration_parses_to_itself(load, settings):
    position = {"lon": 10, "lat": -5, "frame": "icrs"}
    settings["analyses"]["a"] |= {
        "energy": {"range": ["100 keV", "1 MeV"]},
        "map": {"nside": 4, "region": {"center": position, "radius": 30}},
        "localise": {"true_position": position, "levels": [0.5, 0.9]},
        "fit": {"chunks": 12},
    }
    config = load(settings)

    assert load(config.model_dump(mode="json")) == config


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), "kolor"),
        (("analyses", "a"), r"analyses\.a\.kolor"),
        (("analyses", "a", "data"), r"analyses\.a\.data\.kolor"),
        (("analyses", "a", "data", "counts", 0), r"analyses\.a\.data\.counts\.0\.kolor"),
        (("analyses", "a", "data", "background"), r"analyses\.a\.data\.background\.kolor"),
        (("analyses", "a", "spectrum"), r"analyses\.a\.spectrum\.kolor"),
        (("analyses", "a", "map", "region"), r"analyses\.a\.map\.region\.kolor"),
        (("analyses", "a", "energy"), r"analyses\.a\.energy\.kolor"),
        (("analyses", "a", "map"), r"analyses\.a\.map\.kolor"),
        (("analyses", "a", "fit"), r"analyses\.a\.fit\.kolor"),
        (("analyses", "a", "localise"), r"analyses\.a\.localise\.kolor"),
        (("analyses", "a", "plots"), r"analyses\.a\.plots\.kolor"),
        (("simulation",), r"simulation\.kolor"),
        (("binning", "b"), r"binning\.b\.kolor"),
    ],
)
def test_unknown_key_is_named_by_its_path(load, settings, path, place):
    settings["analyses"]["a"]["map"] = {"region": {"pixels": [1]}}
    section = settings
    for part in path:
        section = section[part] if isinstance(part, int) else section.setdefault(part, {})
    section["kolor"] = "red"

    with pytest.raises(ConfigError, match=rf"c\.yaml: .*{place}: unknown key"):
        load(settings)


def test_every_mistake_is_named_once(load, settings):
    settings["analyses"]["a"]["map"] = {"nside": 3, "frame": "fk4"}
    settings["analyses"]["a"]["data"]["kolor"] = 1

    with pytest.raises(ConfigError) as caught:
        load(settings)

    for place in ("map.nside", "map.frame", "data.kolor"):
        assert str(caught.value).count(f"analyses.a.{place}: ") == 1


def test_missing_key_is_named(load, settings):
    del settings["analyses"]["a"]["data"]["response"]

    with pytest.raises(ConfigError, match=r"analyses\.a\.data\.response: missing"):
        load(settings)


def test_wrong_value_is_shown(load, settings):
    settings["analyses"]["a"]["fit"] = {"allow_negative": "perhaps"}

    with pytest.raises(ConfigError, match=r"analyses\.a\.fit\.allow_negative: .*\(got 'perhaps'\)"):
        load(settings)


def test_true_position_without_frame_is_refused(load, settings):
    settings["analyses"]["a"]["localise"] = {"true_position": {"lon": 93, "lat": -53}}

    with pytest.raises(ConfigError, match=r"true_position: the position has no frame: add `frame:"):
        load(settings)


@pytest.mark.parametrize("name", ["", "a/b", "../a", ".hidden", "a b", "x" * 65])
def test_name_that_is_no_folder_name_is_refused(load, settings, name):
    settings["analyses"] = {name: settings["analyses"]["a"]}

    with pytest.raises(ConfigError, match="analyses"):
        load(settings)


def test_no_analyses_are_refused(load):
    with pytest.raises(ConfigError, match=r"analyses: none is named"):
        load({"analyses": {}})


def test_variable_is_replaced_in_every_text(load, settings, monkeypatch):
    monkeypatch.setenv("DATA_FOLDER", "/there")
    settings["analyses"]["a"]["data"]["counts"] = [{"path": "${DATA_FOLDER}/${DATA_FOLDER}.h5"}]

    assert load(settings).analyses["a"].data.counts[0].path == "/there//there.h5"


@pytest.mark.parametrize(
    ("text", "value"),
    [("${NOT_SET:-./data}/x", "./data/x"), ("${NOT_SET:-}x", "x"), ("x$5", "x$5")],
)
def test_variable_that_is_not_set_takes_its_default(load, settings, monkeypatch, text, value):
    monkeypatch.delenv("NOT_SET", raising=False)
    settings["results"] = text

    assert load(settings).results == value


def test_variable_that_is_set_wins_over_its_default(load, settings, monkeypatch):
    monkeypatch.setenv("IS_SET", "here")
    settings["results"] = "${IS_SET:-there}"

    assert load(settings).results == "here"


@pytest.mark.parametrize("value", [None, ""])
def test_variable_without_value_and_default_is_named(load, settings, monkeypatch, value):
    monkeypatch.delenv("NOT_SET", raising=False)
    if value is not None:
        monkeypatch.setenv("NOT_SET", value)
    settings["results"] = "${NOT_SET}/x"

    with pytest.raises(
        ConfigError, match=r"c\.yaml: \$\{NOT_SET\} is used, .*\$\{NOT_SET:-default"
    ):
        load(settings)


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just text\n", "3\n"])
def test_file_that_is_no_mapping_is_refused(load, text):
    with pytest.raises(ConfigError, match=r"c\.yaml: expected a mapping with the key `analyses`"):
        load(text)


@pytest.mark.parametrize("text", ["a: [1, 2\n", "a: b: c\n", "\ta: 1\n"])
def test_file_that_is_no_yaml_is_refused(load, text):
    with pytest.raises(ConfigError, match=r"c\.yaml: cannot be read as YAML: "):
        load(text)


@pytest.mark.parametrize(
    ("name", "reason"), [("none.yaml", "No such file or directory"), (".", "Is a directory")]
)
def test_file_that_cannot_be_read_is_refused_with_the_reason(tmp_path, name, reason):
    with pytest.raises(ConfigError, match=rf"cannot be read \({reason}\); give a YAML file"):
        load_config(tmp_path / name)


def test_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "c.yaml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ConfigError, match=r"c\.yaml: cannot be read as YAML"):
        load_config(tmp_path / "c.yaml")


def test_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"no\.yaml: cannot be read"):
        load_config(tmp_path / "no.yaml")


def test_settings_are_not_changed_by_parsing(settings):
    before = copy.deepcopy(settings)
    parse_config(settings)

    assert settings == before


def test_get_analysis_that_does_not_exist_lists_those_that_do(settings):
    settings["analyses"]["b"] = settings["analyses"]["a"]

    with pytest.raises(ConfigError, match=r"no analysis 'c'; there are: a, b\."):
        get_analysis(parse_config(settings), "c")


@pytest.mark.parametrize(
    ("section", "value", "place"),
    [
        ("fit", {"chunks": "many"}, "fit.chunks: "),
        ("spectrum", {"model": "power_law"}, "spectrum.norm: missing"),
        ("energy", {"range": ["1 keV"]}, "energy.range.1: missing"),
        ("map", {"region": {"pixels": []}}, "map.region.pixels: "),
    ],
)
def test_place_holds_the_keys_of_the_file_only(load, settings, section, value, place):
    settings["analyses"]["a"][section] = value

    with pytest.raises(ConfigError) as caught:
        load(settings)

    assert f"analyses.a.{place}" in str(caught.value)
    assert not {"power_law", "list", "constrained-int"} & set(str(caught.value).split("."))


def test_load_of_a_key_given_twice_names_it_and_its_line(tmp_path):
    (tmp_path / "c.yaml").write_text("analyses:\n  one: {}\n  one: {}\n")

    with pytest.raises(ConfigError, match=r"line 3, .*the key 'one' is given twice"):
        load_config(tmp_path / "c.yaml")


def test_load_allows_a_key_that_replaces_a_merged_one(tmp_path):
    text = "a: &a {results: x}\nb: {<<: *a, results: y}\n"
    (tmp_path / "c.yaml").write_text(text)

    with pytest.raises(ConfigError, match="unknown key") as caught:
        load_config(tmp_path / "c.yaml")
    assert "twice" not in str(caught.value)


def test_full_path_of_results_makes_files_below_it_good(settings):
    binning = {
        "events": "events.fits",
        "output": "/scratch/me/binned.h5",
        "frame": "galactic",
        "time_edges": [0, 1],
        "energy_edges": ["1 keV", "2 keV"],
        "phi_width": "10 deg",
        "nside": 1,
    }
    settings |= {"binning": {"b": binning}}
    with pytest.raises(ConfigError, match=r"binning\.b\.output: '/scratch/me/b.* is outside"):
        parse_config(settings)
    for key in ("results", "cache"):
        parse_config(settings | {key: "/scratch/me"})
    with pytest.raises(ConfigError, match="is outside"):
        parse_config(settings | {"results": "/scratch/m"})


def test_load_of_an_anchor_in_itself_is_refused(load):
    with pytest.raises(ConfigError, match=r"c\.yaml: an anchor .* contains itself"):
        load("a: &a\n  b: *a\n")


def test_file_in_another_encoding_is_refused_with_the_line(tmp_path):
    (tmp_path / "c.yaml").write_bytes(b"analyses:\n  # Andr\xe9\n")

    with pytest.raises(ConfigError, match=r"line 2 is no UTF-8: save the file as UTF-8"):
        load_config(tmp_path / "c.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a:\n\tb: 1\n",
            r"line 2, column 1: found character .* start any token; indent with blanks",
        ),
        ("a: 1\na: 2\n", r"YAML: line 2, column 1: the key 'a' is given twice\.$"),
    ],
)
def test_mistakes_of_yaml_have_their_line(load, text, message):
    with pytest.raises(ConfigError, match=message):
        load(text)


@pytest.mark.parametrize(
    ("section", "value", "message"),
    [
        (
            "map",
            {"nsid": 4},
            r"map\.nsid: unknown key; is `nside` meant\? see config/config\.schema",
        ),
        ("map", {"pixels": [1]}, r"map\.pixels: unknown key here; see"),
        ("map", None, r"map: must be keys with values \(got None\)\.$"),
        ("map", {"nside": "4"}, r"map\.nside: must be a whole number \(got '4'\)\.$"),
        (
            "localise",
            {"levels": [90]},
            r": analyses\.a\.localise\.levels\.0: must be below 1 \(got 90\)\.$",
        ),
        ("localise", {"levels": []}, r"levels: must have 1 or more entries \(got \[\]\)\.$"),
        ("fit", {"chunks": 0}, r"fit\.chunks: must be above 0, or must be 'auto' \(got 0\)\.$"),
        (
            "energy",
            {"channels": 1},
            r"energy\.channels: must be a list, as in \[1, 2\] \(got 1\)\.$",
        ),
        (
            "energy",
            {"channels": [1, 2, 3]},
            r"channels: must have 2 entries at most \(got \[1, 2, 3\]",
        ),
        ("energy", {"range": [1, 2]}, r"range\.0: 1 has no unit: give a quantity, as in '1 keV'"),
        ("spectrum", {"model": "power"}, r"spectrum: 'power' is no model; there are 'power_law', "),
        ("spectrum", {}, r"spectrum: model is missing\.$"),
    ],
)
def test_mistakes_are_told_in_plain_words(load, settings, section, value, message):
    settings["analyses"]["a"][section] = value

    with pytest.raises(ConfigError, match=message):
        load(settings)


def test_name_of_an_analysis_says_what_is_allowed(load, settings):
    settings["analyses"] = {"my burst": settings["analyses"]["a"]}

    with pytest.raises(
        ConfigError, match=r"my burst: allowed are letters .* digit first \(got 'my"
    ):
        load(settings)
