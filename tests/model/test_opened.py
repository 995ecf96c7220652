"""A model from its files: plain arrays for any optimiser."""

import numpy as np
import pytest
from scipy.optimize import minimize

from skyquilt.errors import ProductError
from skyquilt.model import open_model
from skyquilt.steps.model.fit import fit_model
from skyquilt.steps.model.prepare import prepare_model

START = 1.8e9


@pytest.fixture
def results(local):
    """A fit of five time bins, in files."""
    counts = np.random.default_rng(5).poisson(local.counts / 2 * np.ones((10, 1, 1, 1)))
    local.write_counts("counts.h5", counts.astype(float), time=np.arange(11.0))
    local.write_counts("background.h5", local.background[np.newaxis], time=[0, 10])
    local.settings["data"]["time_bins"] = {"start": START, "stop": START + 10, "width": "2 s"}
    spectrum = {"model": "power_law", "norm": "1e-3 cm-2 s-1 keV-1", "pivot": "100 keV"}
    pulse = {"light_curve": "gaussian", "peak": {"start": 3, "range": [0, None]}}
    pulse |= {"t0": {"start": "5 s"}, "sigma": "20 s"}
    local.settings["model"] = {
        "sources": {
            "a": {
                "position": {"lon": 40.0, "lat": 25.0, "frame": "galactic"},
                "spectrum": spectrum | {"index": {"start": -2, "range": [-5, 1]}},
                "flux": {"start": 1, "range": [0, None], "per": "time_bin"},
            }
        },
        "background": {"start": 1, "range": [0, None], "prior": {"normal": [1, 0.1]}},
        "fits": {"joint": {}, "alone": {"split": "time_bin"}, "pulse": {"set": {"a.flux": pulse}}},
    }
    folder = local.folder / "results"
    prepare_model(local.config(), "tiny", folder / "model" / "problem.h5")
    for name in local.settings["model"]["fits"]:
        fit_model(local.config(), "tiny", name, folder / "model")
    return folder


def test_optimiser_of_scipy_finds_the_fit(results):
    model = open_model(results, fit="joint")
    assert model.names == model.found.names
    found = minimize(
        lambda x: -model.log_posterior(x),
        model.start,
        jac=lambda x: -model.gradient(x),
        bounds=model.ranges,
        method="L-BFGS-B",
    )
    # the climb ends where 1e-6 in ln L is promised
    assert -found.fun == pytest.approx(model.log_posterior(model.best), abs=1e-3)
    assert model.log_posterior(model.best) >= -found.fun - 1e-5


@pytest.mark.parametrize("fit", ["joint", "alone", "pulse"])
def test_fit_of_a_file_is_found_again(results, fit):
    model = open_model(results, fit)
    again = model.fit()
    np.testing.assert_array_equal(again.x, model.best)
    assert model.log_likelihood(model.best) == pytest.approx(model.found.log_likelihood, rel=1e-12)


def test_points_are_evaluated_one_by_one_or_together(results):
    model = open_model(results, "pulse")
    points = model.best + 0.01 * np.arange(3)[:, np.newaxis]
    together = model.log_posterior(points)
    assert together == pytest.approx([model.log_posterior(point) for point in points], rel=1e-12)
    outside = model.best.copy()
    outside[model.names.index("a.flux.peak")] = -1.0
    assert model.log_posterior(outside) == -np.inf
    gradient, curvature = model.gradient(model.best), model.curvature(model.best)
    assert gradient.shape == (4,)
    assert curvature.shape == (4, 4)
    flux = model.quantities(model.best)["a.flux"]
    assert flux.shape == (5,)


def test_profile_has_its_maximum_at_the_best(results):
    model = open_model(results, "joint")
    found = model.profile("a.index")
    number = model.names.index("a.index")
    best = found.x[np.argmax(found.value), number]
    assert best == pytest.approx(model.best[number], abs=1e-2)
    ends = model.interval("a.index")
    assert ends.low < model.best[number] < ends.high


def test_what_does_not_fit_is_refused(results):
    model = open_model(results, "joint")
    with pytest.raises(ValueError, match=r"free numbers of shape \(2,\): 7 are needed"):
        model.log_posterior(np.zeros(2))
    with pytest.raises(ValueError, match="no free number 'index'; there are: "):
        model.profile("index")
    with pytest.raises(ProductError, match=r"other\.h5: no such file"):
        open_model(results, "other")
