"""Section `targets`: what is refused, and in which words."""

import pytest

from skyquilt.config import parse_config
from skyquilt.config.targets import TargetOptions
from skyquilt.errors import ConfigError

CRAB = {"lon": 184.56, "lat": -5.78, "frame": "galactic"}


def _parse(local, **settings):
    local.settings["targets"] = {"rosters": {"one": {"crab": CRAB}}} | settings
    return parse_config(local.raw_config()).analyses["tiny"].targets


def _targets(local, target, **settings):
    return _parse(local, rosters={"one": {"crab": target}}, **settings)


def test_defaults_are_those_of_the_page(local):
    options = _parse(local)
    assert (options.bands, options.region, options.free_above) == ("data", None, 0.05)
    assert (options.background.factor, options.background.error) == ("free", 0.2)
    assert (options.scan.points, options.scan.depth) == (31, 8)
    assert list(options.profiles) == ["point"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rosters": {}}, "rosters: must have 1 or more entries"),
        ({"rosters": {"one": {}}}, "rosters.one: must have 1 or more entries"),
        ({"rosters": {"one": {"a b": CRAB}}}, "rosters.one.a b: allowed are letters"),
        ({"bands": ["2 GeV", "1 GeV"]}, r"bands: \['2 GeV', '1 GeV'\]: energy edges must"),
        ({"bands": ["2 GeV"]}, "bands: must have 2 or more entries"),
        ({"region": 0}, "region: must be above 0"),
        ({"background": {"factor": "free", "error": 0}}, "background.error: must be above 0"),
        ({"background": {"factor": "fixed", "error": 0.1}}, "`error` has no effect"),
        ({"background": {"gas": {"factor": "free"}}}, "background: no component 'gas'"),
        ({"neighbours": "sources"}, "there is no section `sources`; add one"),
        ({"neighbours": "catalogue"}, "neighbours: must be 'sources' or 'none'"),
        ({"limits": 0.4}, "limits: must be above 0.5"),
        ({"scan": {"points": 3}}, "scan.points: must be 11 or more"),
        ({"profiles": {}}, "profiles: must have 1 or more entries"),
        ({"aliases": {"long": ""}}, "aliases.long: allowed are letters"),
        ({"aliases": {"long": None}}, "aliases.long: must be a text"),
        ({"targets_per_job": 0}, "targets_per_job: must be above 0"),
        ({"spectra": {"pl": {"model": "band"}}}, "spectra.pl.model: must be 'power_law'"),
        (
            {"spectra": {"pl": {"model": "power_law", "free": ["curvature"]}}},
            "a power_law has no curvature",
        ),
        (
            {"spectra": {"pl": {"model": "power_law", "free": ["index", "index"]}}},
            "name each once",
        ),
        ({"stacks": {}}, "targets.stacks: unknown key"),
    ],
)
def test_what_is_not_possible_is_refused(local, settings, message):
    with pytest.raises(ConfigError, match=message):
        _parse(local, **settings)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({"lon": 1, "lat": 2}, "the position has no frame"),
        ({"ra": 1}, "or `ra` and `dec`; given: ra"),
        ({**CRAB, "ra": 1, "dec": 2}, "given: lon, lat, frame, ra, dec"),
        ({}, "given: none"),
        ({**CRAB, "colour": "red"}, "unknown key 'colour': a key of your own must be a finite"),
        ({**CRAB, "weight": float("nan")}, "unknown key 'weight'"),
        ({**CRAB, "weight": True}, "unknown key 'weight'"),
        ({**CRAB, "profile": "halo"}, "no profile 'halo'; `profiles` has point"),
        ({**CRAB, "profile": {"model": "disk", "radius": 0}}, "radius: must be above 0"),
        ({**CRAB, "frame": "moon"}, "'moon' is no frame"),
    ],
)
def test_target_that_is_not_possible_is_refused(local, target, message):
    with pytest.raises(ConfigError, match=message):
        _targets(local, target)


def test_targets_need_one_spectrum_and_one_data_set(local):
    spectrum = local.settings.pop("spectrum")
    local.settings["spectra"] = {"a": spectrum, "b": spectrum | {"index": -3}}
    with pytest.raises(ConfigError, match="`targets` needs one `spectrum`"):
        _parse(local)


def test_numbers_of_a_target_are_kept(local):
    options = _targets(local, {"ra": 1, "dec": 2, "j_factor": 3, "version": "a"})
    target = options.rosters["one"]["crab"]
    assert target.numbers == {"j_factor": 3.0}
    assert (target.position.lon, target.position.frame) == (1, "icrs")
    dumped = options.model_dump(mode="json")
    assert TargetOptions.model_validate(dumped) == options
