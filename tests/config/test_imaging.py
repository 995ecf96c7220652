import copy

import pytest

from skyquilt.config import parse_config
from skyquilt.errors import ConfigError

DATA = {
    "events": {"path": "events.fits"},
    "background": {"path": "background.fits"},
    "exposure": {"path": "exposure.fits", "frame": "galactic", "unit": "m2 s"},
    "psf": {"path": "psf.fits", "energy_unit": "GeV", "angle_unit": "rad"},
}


@pytest.fixture
def imaging(settings):
    """Configuration of one analysis `a` of an event list."""
    settings["analyses"]["a"] |= {"instrument": "imaging", "data": copy.deepcopy(DATA)}
    return settings


def data_of(settings):
    return parse_config(settings).analyses["a"].data


def test_instrument_decides_what_data_holds(imaging):
    data = data_of(imaging)

    assert data.events.path == "events.fits"
    assert data.paths() == ("events.fits", "background.fits", "exposure.fits", "psf.fits")
    assert data.counts_paths() == ("events.fits",)
    assert (data.lost_fraction, data.psf.normalise) == (1e-3, False)


def test_resolved_configuration_parses_to_itself(imaging):
    config = parse_config(imaging)

    assert parse_config(config.model_dump(mode="json")) == config


def test_data_of_another_instrument_are_refused(imaging):
    imaging["analyses"]["a"]["instrument"] = "compton"

    with pytest.raises(ConfigError, match=r"analyses\.a\.data\.exposure: unknown key"):
        data_of(imaging)


def test_unknown_instrument_is_refused_once(imaging):
    imaging["analyses"]["a"]["instrument"] = "optical"

    with pytest.raises(ConfigError, match="'compton' or 'imaging'") as caught:
        data_of(imaging)
    assert ";" not in str(caught.value)


def test_analysis_without_a_response_to_contract_has_no_contracted_part(imaging):
    imaging["analyses"]["b"] = copy.deepcopy(imaging["analyses"]["a"])
    imaging["analyses"]["b"] |= {
        "instrument": "compton",
        "data": {
            "frame": "local",
            "counts": [{"path": "counts.h5"}],
            "background": {"path": "background.h5"},
            "response": "response.h5",
            "orientation": "orientation.ori",
        },
    }

    analyses = parse_config(imaging).analyses

    assert analyses["a"].contracted() == {}
    assert list(analyses["b"].contracted()) == [""]


def test_events_and_counts_exclude_each_other(imaging):
    imaging["analyses"]["a"]["data"]["counts"] = {"path": "counts.fits"}

    with pytest.raises(ConfigError, match=r"give `events` .* or `counts` .* not both"):
        data_of(imaging)


def test_neither_events_nor_counts_is_refused(imaging):
    del imaging["analyses"]["a"]["data"]["events"]

    with pytest.raises(ConfigError, match=r"give `events` .* or `counts`"):
        data_of(imaging)


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("exposure", "unit", "kg", "'kg' is not a unit convertible to cm2 s"),
        ("exposure", "energy_unit", "cm", "'cm' is not a unit convertible to keV"),
        ("psf", "angle_unit", "sr", "'sr' is not a unit convertible to deg"),
        ("psf", "energy_unit", "blah", "'blah' is not a unit"),
        ("exposure", "frame", "fk4", "'galactic' or 'icrs'"),
        ("background", "scale", 0, "must be above 0"),
        ("events", "frame", "icrs", "unknown key"),
    ],
)
def test_impossible_values_are_refused_by_their_place(imaging, section, key, value, message):
    imaging["analyses"]["a"]["data"][section][key] = value

    with pytest.raises(ConfigError, match=rf"analyses\.a\.data\.{section}\.{key}: .*{message}"):
        data_of(imaging)


@pytest.mark.parametrize("value", [0, -1e-3, 0.2, "much"])
def test_impossible_lost_fractions_are_refused(imaging, value):
    imaging["analyses"]["a"]["data"]["lost_fraction"] = value

    with pytest.raises(ConfigError, match=r"data\.lost_fraction"):
        data_of(imaging)


@pytest.mark.parametrize(
    ("late", "is_good"),
    [
        ({"range": ["100 GeV", "1 TeV"]}, True),
        ({"range": ["99 GeV", "1 TeV"]}, False),
        ({}, False),
    ],
)
def test_photons_that_two_data_sets_take_are_refused(imaging, late, is_good):
    analysis = imaging["analyses"]["a"]
    data = analysis.pop("data")
    del analysis["instrument"]
    analysis.pop("energy", None)
    early = {"range": ["10 GeV", "0.1 TeV"]}
    analysis["datasets"] = {
        name: {"instrument": "imaging", "data": copy.deepcopy(data), "energy": energy}
        for name, energy in (("early", early), ("late", late))
    }

    if is_good:
        assert len(parse_config(imaging).analyses["a"].all_datasets()) == 2
        return
    with pytest.raises(ConfigError, match=r"both take the counts of .*events\.fits"):
        parse_config(imaging)
