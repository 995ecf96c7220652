"""Analyses of several data sets, step by step, against the analysis of the whole."""

import copy
import json

import numpy as np
import pytest

from skyquilt.errors import InputError
from skyquilt.problem.file import read_problem, read_record
from skyquilt.steps.check import check_files
from skyquilt.steps.contract import contract_analysis
from skyquilt.steps.run import run_analysis


@pytest.fixture
def channels(local):
    """Analysis of the same burst as `local`, its channels as three data sets."""
    whole = copy.deepcopy(local.settings)
    data = local.settings.pop("data")
    local.settings["datasets"] = {
        f"channel-{first}": {"data": data, "energy": {"channels": [first, first + 1]}}
        for first in range(3)
    }
    return local, whole


def test_channels_as_data_sets_fit_as_the_whole(channels):
    local, whole = channels
    joint = local.run()
    local.settings.clear()
    local.settings.update(whole)
    alone = local.run()

    for name in ("ts", "flux", "flux_err", "npred"):
        # totals are float64 sums of float32 rows, added in another order
        np.testing.assert_allclose(joint.columns[name], alone.columns[name], rtol=1e-9)
    np.testing.assert_allclose(joint.columns["photon_flux"], alone.columns["photon_flux"], 1e-9)


def test_run_of_data_sets_lists_them_in_the_summary(channels):
    local, _ = channels
    run_analysis(local.config(), "tiny", 1)

    summary = json.loads((local.folder / "results/tiny/summary.json").read_text())

    assert list(summary["datasets"]) == ["channel-0", "channel-1", "channel-2"]
    counts = [about["counts"] for about in summary["datasets"].values()]
    assert counts == local.counts.sum(axis=(1, 2)).tolist()


def test_prepare_of_data_sets_records_all_files_and_tables(channels):
    local, _ = channels
    record = read_record(f"{local.prepare()}/problem.h5")

    assert [item["path"] for item in record["inputs"]] == list(local.analysis().paths())
    assert list(record["settings"]["datasets"]) == ["channel-0", "channel-1", "channel-2"]
    assert [stage["stage"] for stage in record["stages"]] == [*["contract"] * 3, "prepare"]


def test_contract_of_data_sets_names_a_table_for_each(channels, tmp_path):
    local, _ = channels
    contract_analysis(local.config(), "tiny", tmp_path / "table.json")

    tables = json.loads((tmp_path / "table.json").read_text())["tables"]
    assert list(tables) == ["channel-0", "channel-1", "channel-2"]
    assert len(set(tables.values())) == 3


def test_check_has_one_line_per_data_set(channels):
    local, _ = channels

    lines = check_files(local.config()).splitlines()

    assert [line.split(":")[0] for line in lines] == [f"tiny.channel-{n}" for n in range(3)]


def test_check_names_the_data_set_that_cannot_run(channels):
    local, _ = channels
    local.settings["datasets"]["channel-2"]["energy"] = {"channels": [3, 4]}

    with pytest.raises(InputError, match=r"^analysis tiny, data set channel-2: .*\[3, 4\)"):
        check_files(local.config())


def test_data_sets_in_local_and_galactic_frames_are_fitted_together(local, tmp_path_factory):
    """A burst seen for 10 s, and the same counts binned on the sky: twice the likelihood."""
    sky = type(local)(tmp_path_factory.mktemp("sky"), "galactic")
    local.settings["datasets"] = {
        "short": {"data": local.settings.pop("data")},
        "long": {"data": sky.settings["data"]},
    }

    joint = read_problem(f"{local.prepare()}/problem.h5")

    kinds = [type(part.expectation).__name__ for part in joint.expectation.parts]
    assert kinds == ["LocalTable", "SkyTable"]
    assert joint.counts.sum() == local.counts.sum() + sky.counts.sum()
    assert np.all(np.isfinite(local.run().ts))
