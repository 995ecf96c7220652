"""`skyquilt model prepare`: the measurement of a model, in a file."""

import h5py
import numpy as np
import pytest

from skyquilt.cli.main import main
from skyquilt.config import parse_config
from skyquilt.errors import ConfigError, ProductError
from skyquilt.io.hdf5_seal import SEAL
from skyquilt.model import Background, Source, read_model_problem
from skyquilt.runs.answers import Questions
from skyquilt.steps.model.prepare import prepare_model

START = 1.8e9


@pytest.fixture
def timed(local):
    """Ten seconds of counts, with a model of two bins of 5 s."""
    local.timed_counts = local.write_times(0.1, "5 s")
    position = {"lon": 40.0, "lat": 25.0, "frame": "galactic", "range": "5 deg"}
    local.settings["model"] = {
        "sources": {"a": {"position": position, "spectrum": local.settings["spectrum"]}},
        "fits": {"all": {}},
    }
    return local


def prepared(observation, name="problem.h5"):
    path = observation.path(name)
    prepare_model(observation.config(), "tiny", path)
    return read_model_problem(path)


def power_law(energy, index):
    return 1e-3 * (energy / 100) ** index


def test_time_bins_are_cells_with_their_counts(timed):
    problem = prepared(timed)
    assert problem.datasets == ("",)
    assert problem.components == {"": ("",)}
    assert problem.epoch == START
    assert problem.cells.start.tolist() == [0, 5]
    assert problem.cells.stop.tolist() == [5, 10]
    assert problem.cells.axes["time_bin"].tolist() == [0, 1]
    assert problem.livetime.tolist() == [5, 5]
    assert problem.counts.tolist() == timed.timed_counts.reshape(2, -1).sum(axis=1).tolist()


def test_likelihood_of_a_file_is_the_plain_sum(timed):
    problem = prepared(timed)
    likelihood = problem.likelihood(
        [Source("a", power_law, ("index",))], [Background("background.norm")]
    )
    values = {"a.lon": 40.0, "a.lat": 25.0, "a.flux": np.array([1.0, 2.0]), "a.index": -2.0}
    values = {name: np.asarray(v) for name, v in values.items()} | {
        "background.norm": np.array(1.1)
    }
    [data] = problem.data
    total = likelihood.expected(values)
    [mu] = likelihood.expected_hits(values)
    assert likelihood.value(values) == pytest.approx(
        sum(d * np.log(m) for d, m in zip(data.counts, mu, strict=True)) - sum(total), rel=1e-12
    )
    parts = likelihood.npred(values)
    assert parts.keys() == {"a", "background.norm"}
    np.testing.assert_allclose(parts["a"] + parts["background.norm"], total)
    np.testing.assert_allclose(parts["background.norm"], 1.1 * timed.background.sum() / 2)


def test_problem_without_a_map_is_that_with_one(timed):
    with_map = prepared(timed)
    del timed.settings["spectrum"], timed.settings["map"]
    without = prepared(timed, "other.h5")
    assert without.identity == with_map.identity


def test_data_sets_stand_side_by_side_and_share_time_bins(timed):
    one = {key: timed.settings.pop(key) for key in ("data",)}
    edges = {"edges": [START + 5, START + 10]}
    bins = one["data"].pop("time_bins")
    timed.settings["datasets"] = {
        "low": {**one, "energy": {"channels": [0, 2]}, "time_bins": bins},
        "high": {**one, "energy": {"channels": [2, 3]}, "time_bins": edges},
    }
    problem = prepared(timed)
    assert problem.datasets == ("low", "high")
    assert problem.cells.axes["dataset"].tolist() == [0, 0, 1]
    assert problem.cells.axes["time_bin"].tolist() == [0, 1, 1]


def test_radius_keeps_the_rows_around_the_start(timed):
    timed.settings["model"]["radius"] = "10 deg"
    problem = prepared(timed)
    assert problem.radius_deg == 10
    np.testing.assert_allclose(problem.centres, [[40.0, 25.0]])


def test_analysis_without_a_model_is_refused(timed):
    del timed.settings["model"]
    with pytest.raises(ConfigError, match=r"analyses.tiny: has no section `model`: add one"):
        prepared(timed)


def test_changed_file_is_damaged(timed):
    prepared(timed)
    with h5py.File(timed.path("problem.h5"), "r+") as file:
        file["datasets/0/counts"][0] += 1
    with pytest.raises(ProductError, match=r"problem.h5: damaged: .* make it again with"):
        read_model_problem(timed.path("problem.h5"))


def test_changed_settings_of_a_file_are_damage(timed):
    prepared(timed)
    with h5py.File(timed.path("problem.h5"), "r+") as file:
        file.attrs["epoch"] = 0.0
        assert SEAL in file
    with pytest.raises(ProductError, match=r"problem.h5: .* damaged"):
        read_model_problem(timed.path("problem.h5"))


def test_verb_writes_the_file(timed, tmp_path):
    import yaml

    config, output = tmp_path / "c.yaml", tmp_path / "model" / "problem.h5"
    config.write_text(yaml.safe_dump(timed.raw_config()))
    arguments = ["model", "prepare", "--config", str(config), "--analysis", "tiny"]
    assert main([*arguments, "--output", str(output)]) == 0
    assert read_model_problem(output).cells.n_cell == 2


@pytest.mark.parametrize(
    ("bins", "message"),
    [
        ({"start": START, "stop": START + 10}, "give one of: start, stop and width, all three"),
        ({"counts": 5, "edges": [0, 1]}, "give one of: start, stop and width, all three"),
        ({"edges": [START, START + 2, START + 1]}, "they must ascend, bins that overlap would"),
        ({"start": START, "stop": START - 1, "width": "1 s"}, "start must lie before the stop"),
        ({"start": START, "stop": START + 10, "width": "3 s"}, "does not divide the 10 s from"),
        ({"start": START, "stop": START + 10, "width": "1 m"}, "'1 m'"),
        ({"start": START, "stop": START + 10, "width": "0 s"}, "not above zero"),
        ({"start": START, "stop": START + 1e6, "width": "1 ms"}, "allowed are 100000"),
        ({"counts": 0}, "counts"),
        ({}, "give one of: start, stop and width, all three"),
    ],
)
def test_time_bins_that_are_wrong_are_refused(timed, bins, message):
    timed.settings["data"]["time_bins"] = bins
    with pytest.raises(ConfigError, match=message):
        parse_config(timed.raw_config())


def test_time_bins_beyond_the_interval_are_refused(timed):
    timed.settings["data"]["interval"] = [START, START + 9]
    with pytest.raises(ConfigError, match=r"time_bins from .* are not all in the interval"):
        parse_config(timed.raw_config())


def test_time_bins_in_two_places_are_refused(timed):
    data = timed.settings.pop("data")
    timed.settings["datasets"] = {"a": {"data": data, "time_bins": data["time_bins"]}}
    with pytest.raises(ConfigError, match="stand in the data set and in its `data`: give them"):
        parse_config(timed.raw_config())


def test_maps_do_not_depend_on_time_bins(timed):
    questions = []
    for bins in ({"counts": 50}, {"counts": 60}, None):
        timed.settings["data"]["time_bins"] = bins
        asked = Questions(timed.config(), "tiny", lambda path: "digest")
        questions.append((asked("problem"), asked("maps"), asked("model_problem")))
    first, second, third = questions
    assert first[:2] == second[:2] == third[:2]
    assert first[2] != second[2] != third[2]


def test_maps_do_not_depend_on_time_bins_of_data_sets(timed):
    data = timed.settings.pop("data")
    bins = data.pop("time_bins")
    asked = []
    for one in (bins, {"counts": 50}):
        timed.settings["datasets"] = {"time_bins": {"data": data, "time_bins": one}}
        asked.append(Questions(timed.config(), "tiny", lambda path: "digest"))
    assert asked[0]("maps") == asked[1]("maps")
    assert asked[0]("maps")["settings"]["datasets"]["time_bins"]["data"]["frame"] == "local"
    assert asked[0]("model_problem") != asked[1]("model_problem")
