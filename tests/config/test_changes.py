"""Settings changed by single keys."""

import pytest

from skyquilt.config.changes import change_settings
from skyquilt.errors import ConfigError

SETTINGS = {
    "results": "results",
    "analyses": {
        "a": {"data": {"counts": [{"path": "one"}, {"path": "two"}]}, "map": {"nside": 8}},
        "b.c": {"map": {"nside": 8}},
    },
}


@pytest.mark.parametrize(
    ("change", "path", "value"),
    [
        ("map.nside=32", ("analyses", "a", "map", "nside"), 32),
        ("data.interval=[1.5, 2.0]", ("analyses", "a", "data", "interval"), [1.5, 2.0]),
        ("data.counts.1.path=three", ("analyses", "a", "data", "counts", 1, "path"), "three"),
        ("energy={channels: [2, 3]}", ("analyses", "a", "energy"), {"channels": [2, 3]}),
        ("fit.limits=false", ("analyses", "a", "fit", "limits"), False),
        (
            "spectrum.norm=1 cm-2 s-1 keV-1",
            ("analyses", "a", "spectrum", "norm"),
            "1 cm-2 s-1 keV-1",
        ),
        ("results=there", ("results",), "there"),
        ("cache=", ("cache",), None),
        ("analyses.a.map.nside=4", ("analyses", "a", "map", "nside"), 4),
        ("simulation.seed=3", ("simulation", "seed"), 3),
        (" map.nside = 2", ("analyses", "a", "map", "nside"), 2),
    ],
)
def test_change_sets_one_value_and_leaves_the_rest(change, path, value):
    before = repr(SETTINGS)
    changed = change_settings(SETTINGS, [change], "a")
    found = changed
    for key in path:
        found = found[key]
    assert found == value
    assert repr(SETTINGS) == before


def test_change_without_a_name_is_of_all_analyses():
    changed = change_settings(SETTINGS, ["map.nside=2"])
    assert [one["map"]["nside"] for one in changed["analyses"].values()] == [2, 2]


def test_change_of_a_name_with_a_point_is_of_that_analysis():
    changed = change_settings(SETTINGS, ["map.nside=2"], "b.c")
    assert [one["map"]["nside"] for one in changed["analyses"].values()] == [8, 2]


def test_changes_of_settings_that_share_a_section_are_of_one():
    shared = {"counts": "x"}
    settings = {"analyses": {"a": {"data": shared}, "b": {"data": shared}}}
    changed = change_settings(settings, ["data.counts=y"], "a")
    assert changed["analyses"]["b"]["data"] == {"counts": "x"}


def test_later_changes_win():
    changed = change_settings(SETTINGS, ["map.nside=2", "map.nside=4"], "a")
    assert changed["analyses"]["a"]["map"]["nside"] == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("map.nside", "give KEY=VALUE"),
        ("=3", "give KEY=VALUE"),
        ("map..nside=3", "give KEY=VALUE"),
        ("map.=3", "give KEY=VALUE"),
        ("map.nside=[", "no YAML"),
        ("map.nside=!!python/name:os", "no YAML"),
        ("map.nside.more=3", "leads into 8"),
        ("data.counts.7.path=x", "'7' stands where a list has 2 entries"),
        ("data.counts.-1.path=x", "'-1' stands where a list"),
        ("data.counts.path=x", "'path' stands where a list"),
    ],
)
def test_change_that_is_none_says_what_is_wrong(change, message):
    with pytest.raises(ConfigError, match=message):
        change_settings(SETTINGS, [change], "a")
