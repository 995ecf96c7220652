"""One analysis over a table, lists or files."""

import copy
import os

import pytest

from skyquilt.config import parse_config
from skyquilt.config.load import load_config
from skyquilt.errors import ConfigError

ECSV = """\
# %ECSV 1.0
# ---
# datatype:
# - {name: id, datatype: string}
# - {name: tstart, unit: s, datatype: float64}
# - {name: note, datatype: string}
# schema: astropy-2.0
id tstart note
130427 1.5 "a long one"
012 20 ""
"""
CSV = "id, tstart, note\n130427, 1.5, a long one\n012, 20, \n"


@pytest.fixture
def repeat(settings):
    """Configuration whose analysis is repeated; `changes` are over it."""

    def make(for_each, **changes):
        made = copy.deepcopy(settings)
        made["analyses"]["a"] |= {"for_each": for_each, **changes}
        return parse_config(made, "my.yaml")

    return make


@pytest.mark.parametrize(("name", "text"), [("t.ecsv", ECSV), ("t.csv", CSV)])
def test_rows_of_a_table_become_analyses_named_by_a_column(settings, repeat, tmp_path, name, text):
    (tmp_path / name).write_text(text)
    true = {"lon": "{tstart}", "lat": 0.5, "frame": "icrs"}
    asked = {"table": str(tmp_path / name), "name": "GRB{id}"}
    config = repeat(asked, localise={"true_position": true})

    assert list(config.analyses) == ["GRB130427", "GRB012"]
    lons = [one.localise.true_position.lon for one in config.analyses.values()]
    assert lons == [1.5, 20]


def test_expanded_analysis_is_as_if_written_out(settings, repeat):
    lists = {"index": [-2.2, -3], "file": ["x.h5", "y.h5"]}
    spectrum = settings["analyses"]["a"]["spectrum"] | {"index": "{index}"}
    data = settings["analyses"]["a"]["data"] | {"counts": [{"path": "in/{file}"}]}
    config = repeat({"lists": lists}, spectrum=spectrum, data=data)

    written = copy.deepcopy(settings)
    written["analyses"]["a"]["spectrum"]["index"] = -3
    written["analyses"]["a"]["data"]["counts"] = [{"path": "in/y.h5"}]
    assert list(config.analyses) == ["a-1", "a-2"]
    expected = parse_config(written).analyses["a"].model_dump(mode="json")
    assert config.analyses["a-2"].model_dump(mode="json") == expected


def test_placeholder_without_quotes_is_understood(settings, repeat):
    spectrum = settings["analyses"]["a"]["spectrum"] | {"index": {"index": None}}
    config = repeat({"lists": {"index": [-4]}}, spectrum=spectrum)

    assert config.analyses["a-1"].spectrum.index == -4


def test_files_give_path_and_stem(settings, repeat, tmp_path):
    for name in ("b1.h5", "b0.h5"):
        (tmp_path / name).touch()
    data = settings["analyses"]["a"]["data"] | {"counts": [{"path": "{path}"}]}
    config = repeat({"files": f"{tmp_path}/*.h5"}, data=data)

    assert list(config.analyses) == ["b0", "b1"]
    assert config.analyses["b1"].data.counts[0].path == f"{tmp_path}/b1.h5"


def test_number_is_written_as_it_stands_or_as_asked(repeat):
    config = repeat({"lists": {"z": ["1.50"]}, "name": "at-{z}-{z:.3f}"})

    assert list(config.analyses) == ["at-1.50-1.500"]


@pytest.mark.parametrize(
    ("changes", "one_job", "expected"),
    [
        ({}, "auto", True),
        ({"map": {"nside": 128}}, "auto", False),
        ({"calibrate": {}}, "auto", False),
        ({"map": {"nside": 128}}, True, True),
        ({}, False, False),
    ],
)
def test_small_ones_are_made_in_one_job(repeat, changes, one_job, expected):
    config = repeat({"lists": {"x": [1]}, "one_job": one_job}, **changes)

    assert config.one_job == ({"a-1"} if expected else set())


def test_changes_are_of_an_expanded_analysis(settings, tmp_path):
    import yaml

    settings["analyses"]["a"]["for_each"] = {"lists": {"x": [1, 2]}}
    (tmp_path / "my.yaml").write_text(yaml.safe_dump(settings))
    config = load_config(tmp_path / "my.yaml", ["map.nside=32"], "a-2")

    assert [one.map.nside for one in config.analyses.values()] == [16, 32]


@pytest.mark.parametrize(
    ("for_each", "message"),
    [
        ({}, "give one of `table`, `lists` and `files`"),
        ({"lists": {"x": [1], "y": [1, 2]}}, "give lists of one length"),
        ({"lists": {"x": [1]}, "name": "{y}"}, r"row 1: \{y\} is no column; there are: x, analy"),
        ({"lists": {"x": [1, 1]}, "name": "b{x}"}, "two analyses are called 'b1'"),
        ({"lists": {"x": [None]}, "name": "b{x}"}, "the column 'x' has no value there"),
        ({"lists": {"x": ["q"]}, "name": "b{x:d}"}, r"\{x:d\} does not fit 'q'"),
        ({"lists": {"x": [1]}, "name": "b{x:999999999d}"}, r"999d\}: allowed are widths up to 999"),
        ({"lists": {"x": [1]}, "name": "b{x:.99999999f}"}, r"999f\}: allowed are widths up to 999"),
        ({"table": "/dev/zero"}, "/dev/zero: no file, or above 100 MB"),
        ({"table": "."}, r"\.: no file"),
        ({"lists": {"x": []}}, "0 rows: allowed are 1 to"),
        ({"files": "nowhere/*.h5"}, "0 rows"),
        ({"table": "nowhere.csv"}, "nowhere.csv: cannot be read"),
        ({"lists": {"x": [1]}, "tables": "b"}, "tables: unknown key; is `table` meant"),
        ({"lists": {"x": ["a b"]}, "name": "{x}"}, "allowed are letters"),
    ],
)
def test_mistake_is_named(repeat, for_each, message):
    with pytest.raises(ConfigError, match=message):
        repeat(for_each)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1\n", "row 1 has 1 values for 2 columns"),
        ("a,a\n1,2\n", "each name once"),
        ("a,b\n" + 200_000 * "x" + ",1\n", r"t\.csv: line 2 has more than 100000 letters"),
    ],
)
def test_damaged_table_is_named(repeat, tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(ConfigError, match=message):
        repeat({"table": str(tmp_path / "t.csv")})


def test_pipe_in_the_place_of_a_table_is_refused(repeat, tmp_path):
    os.mkfifo(tmp_path / "t.csv")
    with pytest.raises(ConfigError, match=r"t\.csv: no file"):
        repeat({"table": str(tmp_path / "t.csv")})
