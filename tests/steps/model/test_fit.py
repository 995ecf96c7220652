"""`skyquilt model fit`: fits of a model, in files, one after the other."""

import copy
import os
from dataclasses import replace

import numpy as np
import pytest
import yaml
from astropy.table import Table
from scipy.stats import chi2

from skyquilt.cli.main import main
from skyquilt.errors import ConfigError, ProductError
from skyquilt.io.json_file import read_json
from skyquilt.model.file import read_fit
from skyquilt.model.problem import read_model_problem
from skyquilt.model.result import find
from skyquilt.runs.verify import State, verify_tree
from skyquilt.steps.model.build import build
from skyquilt.steps.model.collect import SCHEMA, collect_model
from skyquilt.steps.model.fit import fit_model, fit_models, make_fit
from skyquilt.steps.model.prepare import prepare_model
from skyquilt.steps.run import run_analysis

START = 1.8e9
POWER_LAW = {"model": "power_law", "norm": "1e-3 cm-2 s-1 keV-1", "pivot": "100 keV"}


@pytest.fixture
def observed(local):
    """Ten seconds of counts, with a model of five bins of 2 s."""
    local.ask_model(
        {
            "alone": {"split": "time_bin"},
            "joint": {"start_from": "alone"},
            "level": {
                "start_from": "joint",
                "set": {"a.flux": {"light_curve": "constant", "level": {"start": 1}}},
            },
        }
    )
    return local


def folder(observed):
    return observed.path("results/tiny/model")


def fitted(observed, *names):
    """Fits that were made, in this order."""
    prepare_model(observed.config(), "tiny", f"{folder(observed)}/problem.h5")
    found = []
    for name in names:
        fit_model(observed.config(), "tiny", name, folder(observed))
        found.append(read_fit(f"{folder(observed)}/{name}.h5")[0])
    return found


def test_fits_have_rows_for_every_number_and_bins(observed):
    alone, joint, level = fitted(observed, "alone", "joint", "level")
    assert (alone.status, joint.status, level.status) == ("good", "good", "good")
    assert joint.log_likelihood > level.log_likelihood
    assert [len(one.names) for one in (alone, joint, level)] == [15, 7, 3]
    rows = {row.name: row for row in joint.rows}
    assert rows["a.index"].kind == "free"
    assert rows["a.norm"] == rows["a.norm"]._replace(kind="fixed", value=1e-3, status="fixed")
    assert rows["background"].prior == "normal(1, 0.1)"
    index = [row for row in alone.rows if row.name.startswith("a.index[")]
    assert rows["a.index"].error < min(row.error for row in index)
    flux = {row.name: row for row in level.rows}
    assert flux["a.flux"].kind == "light_curve" if "a.flux" in flux else "a.flux[0]" in flux
    np.testing.assert_allclose(joint.bins["npred"].sum(), joint.bins["counts"].sum(), rtol=0.2)
    assert joint.bins["start"].tolist() == [START + 2 * number for number in range(5)]
    assert np.all(joint.bins["flux_ul_a"] > joint.bins["flux_a"])
    assert np.all(joint.bins["ts_a"] > 0)


def test_tables_hold_what_the_file_has(observed):
    (joint,) = fitted(observed, "alone", "joint")[1:]
    table = Table.read(f"{folder(observed)}/joint.ecsv")
    assert table["name"].tolist() == [row.name for row in joint.rows]
    np.testing.assert_array_equal(table["value"], [row.value for row in joint.rows])
    bins = Table.read(f"{folder(observed)}/joint-bins.ecsv")
    np.testing.assert_array_equal(bins["flux_a"], joint.bins["flux_a"])
    assert bins.meta["status"] == "good"


def test_fit_without_the_one_that_it_starts_from_is_refused(observed):
    prepare_model(observed.config(), "tiny", f"{folder(observed)}/problem.h5")
    with pytest.raises(ProductError, match=r"alone\.h5: no such file"):
        fit_model(observed.config(), "tiny", "joint", folder(observed))


def test_fit_of_another_measurement_is_refused(observed):
    fitted(observed, "alone")
    observed.settings["model"]["epoch"] = START - 100
    prepare_model(observed.config(), "tiny", f"{folder(observed)}/problem.h5")
    with pytest.raises(ProductError, match=r"alone\.h5: it is of another measurement than"):
        fit_model(observed.config(), "tiny", "joint", folder(observed))


def test_fit_that_there_is_not_is_refused(observed):
    with pytest.raises(ConfigError, match="no fit 'joined'; there are: alone, joint, lev"):
        fit_model(observed.config(), "tiny", "joined", folder(observed))


def test_flux_and_norm_of_one_source_are_named_as_degenerate(observed, caplog):
    spectrum = observed.settings["model"]["sources"]["a"]["spectrum"]
    spectrum["norm"] = {"start": "1e-3 cm-2 s-1 keV-1", "range": [0, None]}
    observed.settings["model"]["sources"]["a"]["flux"] = {"start": 1, "range": [0, None]}
    observed.settings["model"]["fits"] = {"both": {}}
    (both,) = fitted(observed, "both")
    assert both.status == "degenerate"
    assert both.weak == ["a.flux with a.norm"]
    assert "both: not determined: a.flux with a.norm" in caplog.text
    statuses = {row.name: row.status for row in both.rows}
    assert statuses["a.flux"] == statuses["a.norm"] == "degenerate"
    assert statuses["a.index"] == "good"


def test_errors_to_both_sides_are_those_of_profiles(observed):
    observed.settings["model"]["fits"] = {"sides": {"errors": "profile"}}
    (sides,) = fitted(observed, "sides")
    for row in sides.rows:
        if row.kind == "free" and row.status == "good":
            assert row.error_low == pytest.approx(row.error, rel=0.3)
            assert row.error_high == pytest.approx(row.error, rel=0.3)


def test_bins_without_livetime_are_kept_and_say_so(observed):
    fitted(observed)
    problem = read_model_problem(f"{folder(observed)}/problem.h5")
    (data,) = problem.data
    dark = replace(data, livetime=np.array([0.0, 0.0, 2.0, 2.0, 2.0]))
    problem = replace(problem, data=(dark,))
    built = build(observed.analysis(), "joint", problem, "")
    made, is_free = make_fit(built, problem)
    joint = find(made, problem, is_free=is_free, cl=0.9, profile=False)
    flux = [row for row in joint.rows if row.name.startswith("a.flux[")]
    assert [row.status for row in flux] == ["no_data", "no_data", "good", "good", "good"]
    assert np.isnan([row.value for row in flux]).tolist() == [True, True, False, False, False]
    assert np.isnan(joint.bins["flux_a"]).tolist() == [True, True, False, False, False]


def test_fit_that_was_stopped_is_made_again_to_the_same_bits(observed, monkeypatch):
    undisturbed = fitted(observed, "alone", "joint")

    def stop(*_, **__):
        raise KeyboardInterrupt

    for path in (f"{folder(observed)}/joint.h5", f"{folder(observed)}/joint.ecsv"):
        os.unlink(path)
    with monkeypatch.context() as context:
        context.setattr("skyquilt.model.file.write_ecsv", stop)
        with pytest.raises(KeyboardInterrupt):
            fit_models(observed.config(), "tiny", folder(observed))
    # joint.h5 is whole, its table is not there: the fit is made again
    fit_models(observed.config(), "tiny", folder(observed))
    again = [read_fit(f"{folder(observed)}/{name}.h5")[0] for name in ("alone", "joint")]
    for one, other in zip(undisturbed, again, strict=True):
        for key in ("x", "gradient", "covariance"):
            assert getattr(one, key).tobytes() == getattr(other, key).tobytes()
        for row, its in zip(one.rows, other.rows, strict=True):
            assert repr(row) == repr(its)
    assert os.path.exists(f"{folder(observed)}/joint.ecsv")


def test_order_of_data_sets_changes_nothing(observed):
    found = {}
    data = observed.settings.pop("data")
    bins = data.pop("time_bins")
    halves = {"first": data | {"time_bins": bins}}
    halves["second"] = copy.deepcopy(halves["first"])
    halves["second"]["counts"] = [{"path": observed.path("more.h5")}]
    counts = np.random.default_rng(6).poisson(observed.counts / 2 * np.ones((10, 1, 1, 1)))
    observed.write_counts("more.h5", counts.astype(float), time=np.arange(11.0))
    observed.settings["model"]["fits"] = {"joint": {}}
    for order in (("first", "second"), ("second", "first")):
        observed.settings["datasets"] = {name: {"data": halves[name]} for name in order}
        (found[order],) = fitted(observed, "joint")
    one, other = ({row.name: row for row in fit.rows} for fit in found.values())
    assert set(one) == set(other)
    for name, row in one.items():
        if row.kind == "free":
            assert abs(row.value - other[name].value) < 1e-9 * row.error


def test_run_makes_the_fits_of_an_analysis_without_a_map(observed, capsys):
    times = run_analysis(observed.config(), "tiny", 1)
    assert list(times) == ["prepare model", "fit model", "compare"]
    assert run_analysis(observed.config(), "tiny", 1) == {}
    observed.settings["model"]["fits"]["more"] = {"start_from": "joint"}
    assert list(run_analysis(observed.config(), "tiny", 1)) == ["fit model", "compare"]


def test_fits_beside_a_map_are_whole(observed):
    observed.settings |= {"spectrum": POWER_LAW | {"index": -2}, "map": {"nside": 1}}
    observed.settings["model"]["fits"] = {"joint": {}}
    run_analysis(observed.config(), "tiny", 1)
    files = {path.name: state for path, state, *_ in verify_tree(observed.path("results"))}
    assert {"maps.fits", "joint.h5", "joint.ecsv", "joint-bins.ecsv", "comparison.json"} <= set(
        files
    )
    assert set(files.values()) == {State.WHOLE}


def test_verb_writes_files_and_tells_bad_configurations(observed, tmp_path, capsys):
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(observed.raw_config()))
    problem = f"{tmp_path}/m/problem.h5"
    arguments = ["--config", str(config), "--analysis", "tiny", "--output"]
    assert main(["model", "prepare", *arguments, problem]) == 0
    assert main(["model", "fit", "--fit", "alone", *arguments, f"{tmp_path}/m"]) == 0
    assert read_fit(tmp_path / "m" / "alone.h5")[0].status == "good"
    assert main(["model", "fit", "--fit", "other", *arguments, f"{tmp_path}/m"]) == 2


def test_fits_are_compared_and_questions_answered(observed):
    model = observed.settings["model"]
    model["compare"] = [
        ["level", "joint"],
        ["joint", "alone2"],
        {"constant": "a.flux", "fit": "joint"},
        {"curved": "a", "fit": "level"},
    ]
    model["fits"]["alone2"] = {"set": {"a.flux": {"start": 1, "range": [0, None]}, "a.index": -2}}
    fitted(observed, "alone", "joint", "level", "alone2")
    collect_model(observed.config(), "tiny", folder(observed))
    content = read_json(f"{folder(observed)}/comparison.json", SCHEMA)
    pair, other, constant, curved = content["comparisons"]
    assert (pair["nested"], pair["dof"], pair["note"]) == ("level", 4, "")
    assert pair["p_value"] == pytest.approx(chi2.sf(pair["ts"], 4), rel=1e-9)
    assert other["nested"] == "alone2"
    assert constant["question"] == "constant: a.flux"
    # a constant light curve is one flux for all bins
    assert constant["ts"] == pytest.approx(pair["ts"], abs=1e-4)
    assert (curved["nested"], curved["dof"]) == ("level", 1)
    assert curved["ts"] >= 0
    assert content["fits"]["joint"]["n_free"] == 7
    difference = pair["aic"]["level"] - pair["aic"]["joint"]
    assert difference == pytest.approx(pair["ts"] - 2 * pair["dof"], abs=1e-9)


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"constant": "a.index"}, "a.index has no free number per time bin"),
        ({"common": "a"}, "the position of a is not one that is fitted"),
        ({"common": "b"}, "no source 'b'; there are: a"),
    ],
)
def test_questions_that_do_not_fit_are_refused(observed, question, message):
    observed.settings["model"]["compare"] = [question | {"fit": "joint"}]
    observed.settings["model"]["fits"] = {"joint": {}}
    fitted(observed, "joint")
    with pytest.raises(ConfigError, match=message):
        collect_model(observed.config(), "tiny", folder(observed))
