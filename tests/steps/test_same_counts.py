"""Counts that would enter an analysis twice are refused by `check` and `prepare`."""

import copy
import gzip
import os
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from skyquilt.errors import InputError
from skyquilt.steps.check import check_files
from skyquilt.steps.prepare import prepare_analysis


def _link(old, new):
    Path(new).symlink_to(old)


def _rewrite(old, new):
    """The same histogram in another layout of HDF5."""
    shutil.copy(old, new)
    with h5py.File(new, "r+") as file:
        values = file["hist/contents"][()]
        del file["hist/contents"]
        file["hist"].create_dataset("contents", data=values, compression="gzip")


WAYS = {"link": _link, "hard link": os.link, "copy": shutil.copy, "rewritten": _rewrite}


def both(observation):
    """Messages of `check` and of `prepare`."""
    config = observation.config()
    messages = []
    for step in (
        lambda: check_files(config),
        lambda: prepare_analysis(config, "tiny", observation.path("results/problem.h5")),
    ):
        with pytest.raises(InputError) as caught:
            step()
        messages.append(str(caught.value))
    return messages


@pytest.mark.parametrize("way", WAYS)
def test_histogram_named_twice_in_one_data_set_is_refused(local, way):
    WAYS[way](local.path("counts.h5"), local.path("again.h5"))
    local.settings["data"]["counts"].append({"path": local.path("again.h5")})

    for message in both(local):
        assert "count twice" in message
        assert "counts.h5" in message
        assert "again.h5" in message


def test_histogram_named_by_a_relative_path_too_is_refused(local, monkeypatch):
    monkeypatch.chdir(local.folder)
    local.settings["data"]["counts"].append({"path": "counts.h5"})

    for message in both(local):
        assert "count twice" in message


@pytest.mark.parametrize("way", ["link", "hard link", "copy"])
def test_histogram_of_two_data_sets_is_refused(local, way):
    two_sets(local, WAYS[way])

    for message in both(local):
        assert "datasets one and two: " in message


def test_histogram_of_two_data_sets_of_other_energies_is_fine(local):
    datasets = two_sets(local, shutil.copy)
    datasets["one"]["energy"] = {"channels": [0, 1]}
    datasets["two"]["energy"] = {"channels": [1, 3]}

    assert check_files(local.config()).count("good") == 2


def test_same_counts_are_accepted_by_name(local, caplog):
    shutil.copy(local.path("counts.h5"), local.path("again.h5"))
    local.settings["data"]["counts"].append({"path": local.path("again.h5")})
    local.settings["data"]["accept"] = ["same_counts"]

    assert "good" in check_files(local.config())
    assert "count twice" in caplog.text


def two_sets(observation, make):
    make(observation.path("counts.h5"), observation.path("again.h5"))
    one = observation.settings.pop("data")
    two = copy.deepcopy(one)
    two["counts"][0]["path"] = observation.path("again.h5")
    observation.settings["datasets"] = {"one": {"data": one}, "two": {"data": two}}
    return observation.settings["datasets"]


def test_histograms_of_other_counts_are_fine(local):
    local.write_counts("again.h5", np.roll(local.counts, 1))
    local.settings["data"]["counts"].append({"path": local.path("again.h5")})

    assert "good" in check_files(local.config())


def test_packed_histogram_does_not_crash_the_comparison(local):
    packed = gzip.compress(Path(local.path("counts.h5")).read_bytes())
    Path(local.path("again.h5")).write_bytes(packed)
    local.settings["data"]["counts"].append({"path": local.path("again.h5")})

    assert any("count twice" in message for message in both(local))
