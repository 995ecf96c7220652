import copy

import pytest

from skyquilt.config import parse_config
from skyquilt.config.instrument_analysis import ComptonAnalysis
from skyquilt.errors import ConfigError

BOTH = {"interval": [0, 10]}


@pytest.fixture
def joint(settings):
    """Analysis `a` of two data sets of the same files, one after the other in time."""
    analysis = settings["analyses"]["a"]
    data = analysis.pop("data")
    analysis["datasets"] = {
        name: {"data": copy.deepcopy(data) | {"interval": interval}}
        for name, interval in (("early", [0, 10]), ("late", [10, 20]))
    }
    return settings


def analysis(settings):
    return parse_config(settings).analyses["a"]


def test_instrument_is_asked_of_each_data_set_under_each_spectrum(joint):
    joint["analyses"]["a"]["fit"] = {"limits": False}
    whole = analysis(joint)

    assert list(whole.all_datasets()) == ["early", "late"]
    [spectrum] = whole.all_spectra().values()
    asked = whole.ask(whole.all_datasets()["late"], spectrum)
    assert isinstance(asked, ComptonAnalysis)
    assert asked.data.interval == (10, 20)
    assert asked.spectrum == whole.spectrum
    assert not asked.fit.limits


def test_only_data_set_has_no_name(settings):
    alone = analysis(settings)

    [(name, dataset)] = alone.all_datasets().items()
    assert name == ""
    assert dataset.data == alone.data
    assert dataset.energy == alone.energy


def test_paths_of_all_data_sets_are_named_once(joint):
    joint["analyses"]["a"]["datasets"]["late"]["data"]["response"] = "other.h5"

    files = ("counts.h5", "background.h5", "response.h5", "orientation.ori", "other.h5")
    assert analysis(joint).paths() == files


def test_resolved_configuration_with_datasets_parses_to_itself(joint):
    config = parse_config(joint)

    assert parse_config(config.model_dump(mode="json")) == config


def test_neither_data_nor_datasets_is_refused(settings):
    del settings["analyses"]["a"]["data"]

    with pytest.raises(ConfigError, match=r"analyses\.a: give `data`, or `datasets`"):
        parse_config(settings)


@pytest.mark.parametrize("key", ["data", "energy"])
def test_section_of_one_data_set_beside_datasets_is_refused(joint, key):
    own = joint["analyses"]["a"]["datasets"]["early"]
    joint["analyses"]["a"][key] = own["data"] if key == "data" else {"channels": [0, 1]}

    with pytest.raises(ConfigError, match=rf"a: `{key}` stands beside `datasets`: move it"):
        parse_config(joint)


def test_no_datasets_are_refused(joint):
    joint["analyses"]["a"]["datasets"] = {}

    with pytest.raises(ConfigError, match=r"a\.datasets: must have 1 or more"):
        parse_config(joint)


@pytest.mark.parametrize("name", ["", "a/b", ".hidden"])
def test_name_of_a_data_set_that_is_no_part_of_a_file_name_is_refused(joint, name):
    datasets = joint["analyses"]["a"]["datasets"]
    datasets[name] = datasets.pop("early")

    with pytest.raises(ConfigError, match=r"a\.datasets"):
        parse_config(joint)


def test_unknown_key_in_a_data_set_is_named_by_its_path(joint):
    joint["analyses"]["a"]["datasets"]["late"]["kolor"] = 1

    with pytest.raises(ConfigError, match=r"a\.datasets\.late\.kolor: unknown key"):
        parse_config(joint)


@pytest.mark.parametrize(
    ("early", "late"),
    [
        ({"energy": {"channels": [0, 2]}}, {"energy": {"channels": [2, 3]}}),
        (
            {"energy": {"range": ["0.1 MeV", "200 keV"]}},
            {"energy": {"range": ["0.2 MeV", "1 MeV"]}},
        ),
        ({"interval": [0, 5]}, {"interval": [5, 10]}),
        ({"path": "x.h5"}, {"path": "y.h5"}),
    ],
)
def test_data_sets_of_one_file_that_do_not_overlap_are_good(joint, early, late):
    change(joint, early, late)

    assert len(analysis(joint).all_datasets()) == 2


@pytest.mark.parametrize(
    ("early", "late"),
    [
        ({}, {}),
        ({"energy": {"channels": [0, 2]}}, {"energy": {"channels": [1, 3]}}),
        ({"energy": {"channels": [0, 1]}}, {}),
        ({"energy": {"channels": [0, 1]}}, {"energy": {"range": ["1 keV", "2 keV"]}}),
        ({"interval": [0, 5]}, {"interval": [4, 10]}),
        ({"interval": None}, {"interval": [4, 10]}),
        ({"path": "./x/../counts.h5"}, {}),
    ],
)
def test_counts_that_two_data_sets_take_are_refused(joint, early, late):
    change(joint, early, late)

    with pytest.raises(
        ConfigError, match=r"a: datasets early and late both take the counts of .*counts\.h5"
    ):
        parse_config(joint)


def change(settings, early, late):
    """Both data sets in the same time, but for the changes."""
    datasets = settings["analyses"]["a"]["datasets"]
    for name, changes in (("early", BOTH | early), ("late", BOTH | late)):
        datasets[name]["data"]["interval"] = changes["interval"]
        datasets[name]["data"]["counts"][0]["path"] = changes.get("path", "counts.h5")
        datasets[name]["energy"] = changes.get("energy", {})
