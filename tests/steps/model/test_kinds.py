"""Populations over bins, numbers per data set, pointing errors and limits of positions, fitted."""

import numpy as np
import pytest

from skyquilt.model.file import read_fit
from skyquilt.steps.model.fit import fit_model
from skyquilt.steps.model.prepare import prepare_model

START = 1.8e9
POWER_LAW = {"model": "power_law", "norm": "1e-2 cm-2 s-1 keV-1", "pivot": "100 keV"}
PLACE = {"lon": 40.0, "lat": 25.0, "frame": "galactic"}


@pytest.fixture
def observed(local):
    """Two data sets of ten seconds, with a model of five bins of 2 s."""
    data = local.settings.pop("data")
    data["time_bins"] = {"start": START, "stop": START + 10, "width": "2 s"}
    local.settings["datasets"] = {}
    for seed, name in enumerate(("first", "second")):
        counts = np.random.default_rng(seed).poisson(local.counts / 2 * np.ones((10, 1, 1, 1)))
        local.write_counts(f"{name}.h5", counts.astype(float), time=np.arange(11.0))
        own = data | {"counts": [{"path": local.path(f"{name}.h5")}]}
        local.settings["datasets"][name] = {"data": own}
    local.write_counts("background.h5", local.background[np.newaxis], time=[0, 10])
    local.settings["model"] = {
        "sources": {
            "a": {
                "position": PLACE,
                "spectrum": POWER_LAW | {"index": {"start": -2, "range": [-5, 1]}},
                "flux": {"start": 4, "range": [0, None], "per": "time_bin"},
            }
        },
        "background": {"start": 1, "range": [0, None]},
        "fits": {"joint": {}},
    }
    del local.settings["spectrum"], local.settings["map"]
    return local


def fitted(observed):
    folder = observed.folder / "m"
    prepare_model(observed.config(), "tiny", folder / "problem.h5")
    fit_model(observed.config(), "tiny", "joint", folder)
    return read_fit(folder / "joint.h5")[0]


def rows(found, name):
    return [row for row in found.rows if row.name == name or row.name.startswith(f"{name}[")]


def test_population_over_bins_draws_fluxes_to_its_mean(observed):
    alone = np.array([row.value for row in rows(fitted(observed), "a.flux")])
    model = observed.settings["model"]
    model["sources"]["a"]["flux"]["prior"] = {"normal": ["typical", "spread"]}
    model["parameters"] = {
        "typical": {"start": 4},
        "spread": {"start": 0.2, "range": [0.01, 10], "prior": {"log_normal": [0.2, 0.1]}},
    }
    found = fitted(observed)
    flux = np.array([row.value for row in rows(found, "a.flux")])
    (typical,), (spread,) = rows(found, "typical"), rows(found, "spread")
    assert rows(found, "a.flux")[0].prior == "normal(typical, spread)"
    assert {row.status for row in (typical, spread)} == {"good"}
    assert np.std(flux) < 0.8 * np.std(alone)
    # the maximum of a normal population lies at the mean of its members
    assert typical.value == pytest.approx(flux.mean(), rel=1e-3)


def test_number_per_data_set_has_one_for_each(observed):
    observed.settings["model"]["sources"]["a"]["spectrum"]["index"]["per"] = "dataset"
    found = fitted(observed)
    index = rows(found, "a.index")
    assert [row.name for row in index] == ["a.index[0]", "a.index[1]"]
    assert {row.status for row in index} == {"good"}
    gap = (index[0].value - index[1].value) / np.hypot(index[0].error, index[1].error)
    assert 0 < abs(gap) < 4


def test_pointing_error_is_fitted_within_its_sigma(observed):
    fixed = fitted(observed)
    observed.settings["model"]["offsets"] = {"second": {"sigma": "0.5 deg"}}
    found = fitted(observed)
    for name in ("second.offset_east", "second.offset_north"):
        (row,) = rows(found, name)
        assert (row.prior, row.lower, row.upper) == ("normal(0, 0.5)", -5.0, 5.0)
        assert row.status == "good"
        assert 0 < abs(row.value) < 2
        assert 0 < row.error < 0.51
    # without an offset the prior is at its maximum, 1 / (2 pi 0.25)
    assert found.log_posterior > fixed.log_posterior - np.log(2 * np.pi * 0.25)
    errors = [rows(one, "a.index")[0].error for one in (fixed, found)]
    assert errors[1] > 0.999 * errors[0]


def test_position_stays_in_its_range_and_says_so(observed):
    place = {"lon": 40.0, "lat": 10.0, "frame": "galactic", "range": "1 deg"}
    observed.settings["model"]["sources"]["a"]["position"] = place
    found = fitted(observed)
    ends = {}
    for name in ("a.lon", "a.lat"):
        (row,) = rows(found, name)
        assert row.lower <= row.value <= row.upper
        ends[name] = row
    assert found.status == "at_bound"
    stuck = [row for row in ends.values() if row.status == "at_bound"]
    assert stuck
    assert all(row.value in (row.lower, row.upper) and np.isnan(row.error) for row in stuck)
    # what is at a bound leaves the errors of others as they are with that number fixed
    assert all(row.error > 0 for row in rows(found, "a.flux"))
