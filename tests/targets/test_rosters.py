"""Rosters of files, and the list that they make."""

import numpy as np
import pytest
from astropy.table import Table

from skyquilt.config.targets import TargetOptions
from skyquilt.errors import InputError
from skyquilt.targets.listing import list_targets
from skyquilt.targets.rosters import read_yaml_roster, table_roster

CRAB = {"ra": 83.63, "dec": 22.01}


def _write(tmp_path, text):
    path = tmp_path / "roster.yaml"
    path.write_text(text)
    return str(path)


def _list(rosters, **settings):
    options = TargetOptions.model_validate({"rosters": rosters} | settings)
    return list_targets(options, options.rosters)


def test_yaml_roster_is_read_with_and_without_its_name(tmp_path):
    plain = _write(tmp_path, "crab: {ra: 83.63, dec: 22.01}\nvela: {ra: 128.8, dec: -45.2}\n")
    assert sorted(read_yaml_roster(plain, "any")) == ["crab", "vela"]
    nested = _write(tmp_path, "dwarfs:\n  draco: {ra: 260.1, dec: 57.9, version: gs2015}\n")
    assert read_yaml_roster(nested, "any")["draco"].version == "gs2015"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no targets"),
        ("[1, 2]", "no targets"),
        ("crab: {ra: 1, dec: 2}\ncrab: {ra: 1, dec: 2}\n", "line 2, column 1"),
        ("a: {x: {ra: 1, dec: 2}}\nb: {x: {ra: 1, dec: 2}}\n", "has the rosters a, b, and none"),
        ("crab: {lon: 1, lat: 2}\n", "crab: the position has no frame"),
        ("crab: {ra: 1, dec: 2, vershun: a}\n", "unknown key 'vershun'"),
    ],
)
def test_bad_yaml_is_refused_with_its_path(tmp_path, text, message):
    path = _write(tmp_path, text)
    with pytest.raises(InputError, match=message) as error:
        read_yaml_roster(path, "mine")
    assert path in str(error.value)


def test_table_is_a_roster_whatever_its_letters_and_units():
    table = Table(
        {
            "Name": ["crab ", "vela"],
            "RA": np.radians([83.63, 128.8]),
            "DEC": np.radians([22.01, -45.2]),
            "j_factor": np.ma.array([1.0, 2.0], mask=[False, True]),
            "comment": ["x", "y"],
        }
    )
    table["RA"].unit = table["DEC"].unit = "rad"
    found = table_roster("t.ecsv", table)
    assert found["crab"].ra == pytest.approx(83.63)
    assert [found[name].numbers for name in ("crab", "vela")] == [{"j_factor": 1.0}, {}]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"name": ["a", "a"], "ra": [1.0, 2.0], "dec": [1.0, 2.0]}, "a is there twice, again in"),
        ({"source": ["a"], "ra": [1.0], "dec": [1.0]}, "no column `name`; there are source"),
        ({"name": ["a"], "ra": [1.0]}, "a: give `lon`, `lat` and `frame`"),
        ({"name": ["a"], "lon": [1.0], "lat": [1.0]}, "a: the position has no frame"),
        ({"name": [], "ra": [], "dec": []}, "the table has no rows"),
    ],
)
def test_bad_table_is_refused(columns, message):
    with pytest.raises(InputError, match=message):
        table_roster("t.ecsv", Table(columns))


def test_a_target_of_two_rosters_is_fitted_once():
    found = _list(
        {"one": {"crab": CRAB}, "two": {"crab": CRAB, "vela": {"ra": 128.8, "dec": -45.2}}}
    )
    assert [(one.name, one.profile) for one in found.fits] == [("crab", "point"), ("vela", "point")]
    assert [row.rosters for row in found.rows] == [("one", "two"), ("two",)]


def test_profiles_and_versions_make_rows_of_their_own():
    halo = {"model": "gaussian", "sigma": 0.5}
    found = _list(
        {
            "one": {"crab": CRAB, "w30": {**CRAB, "profile": {"model": "disk", "radius": 0.378}}},
            "two": {"crab": {**CRAB, "version": "long-name", "profile": "halo", "j": 2}},
        },
        profiles={"point": {"model": "point"}, "halo": halo},
        aliases={"long-name": "ln"},
    )
    assert [(one.name, one.profile) for one in found.fits] == [
        ("crab", "halo"),
        ("crab", "point"),
        ("w30", "disk-0.378"),
    ]
    rows = [(found.fits[row.fit].profile, row.version, row.rosters) for row in found.rows]
    assert rows[:2] == [("halo", "", ("one",)), ("halo", "ln", ("two",))]
    assert found.rows[1].numbers == {"j": 2.0}


def test_order_of_rosters_and_targets_does_not_matter():
    vela = {"ra": 128.8, "dec": -45.2}
    one = _list({"a": {"crab": CRAB, "vela": vela}, "b": {"vela": vela}})
    other = _list({"b": {"vela": vela}, "a": {"vela": vela, "crab": CRAB}})
    assert one.rows == other.rows
    assert [fit[:3] for fit in one.fits] == [fit[:3] for fit in other.fits]


@pytest.mark.parametrize(
    ("rosters", "settings", "message"),
    [
        (
            {"a": {"crab": CRAB}, "b": {"crab": {**CRAB, "dec": 22.03}}},
            {},
            "rosters.b.crab: 0.02 deg from crab of another roster",
        ),
        (
            {"a": {"crab": {**CRAB, "j": 1}}, "b": {"crab": {**CRAB, "j": 2}}},
            {},
            "other numbers than on roster a",
        ),
        ({"a": {"crab": CRAB}}, {"aliases": {"x": "y"}}, "aliases: x is no version of any roster"),
        (
            {
                "a": {
                    "p": {**CRAB, "profile": {"model": "map", "path": "u/m.fits"}},
                    "q": {**CRAB, "profile": {"model": "map", "path": "v/m.fits"}},
                }
            },
            {},
            "another shape has the name map-m",
        ),
    ],
)
def test_rosters_that_contradict_each_other_are_refused(rosters, settings, message):
    with pytest.raises(InputError, match=message):
        _list(rosters, **settings)
