"""A model from its files: plain arrays for any optimiser."""

import numpy as np
import pytest
from scipy.optimize import minimize

from skyquilt.errors import ProductError
from skyquilt.model import open_model
from skyquilt.steps.model.fit import fit_model
from skyquilt.steps.model.prepare import prepare_model
from skyquilt.testing.models import toy_model


@pytest.fixture
def results(local):
    """A fit of five time bins, in files."""
    pulse = {"light_curve": "gaussian", "peak": {"start": 3, "range": [0, None]}}
    pulse |= {"t0": {"start": "5 s"}, "sigma": "20 s"}
    local.ask_model(
        {"joint": {}, "alone": {"split": "time_bin"}, "pulse": {"set": {"a.flux": pulse}}}
    )
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


@pytest.mark.parametrize("fit", ["joint", "pulse"])
def test_gradient_is_that_of_differences(results, fit):
    model = open_model(results, fit)
    x = model.best + 0.1 * np.sqrt(np.diag(model.found.covariance))
    step = 1e-5 * np.maximum(np.abs(x), 0.1)
    points = np.concatenate([x + np.diag(step), x - np.diag(step)])
    ahead, behind = model.log_posterior(points).reshape(2, -1)
    size = np.sqrt(np.diag(model.curvature(x)))  # one over the error of each number
    # differences of ln L = 1e4 in steps of 1e-5 are good to 1e-7
    np.testing.assert_allclose(
        model.gradient(x) / size, (ahead - behind) / (2 * step) / size, atol=1e-6, rtol=1e-6
    )


@pytest.mark.parametrize("fit", ["joint", "pulse"])
def test_minuit_takes_a_model_and_finds_its_fit(results, fit):
    iminuit = pytest.importorskip("iminuit")
    model = open_model(results, fit)
    minuit = iminuit.Minuit(
        lambda x: -model.log_posterior(x),
        model.start,
        grad=lambda x: -model.gradient(x),
        name=model.names,
    )
    minuit.errordef, minuit.strategy = iminuit.Minuit.LIKELIHOOD, 2
    minuit.limits = model.ranges.tolist()
    minuit.migrad()
    assert minuit.valid
    assert -minuit.fval == pytest.approx(model.log_posterior(model.best), abs=1e-3)
    errors = np.sqrt(np.diag(model.found.covariance))
    assert np.max(np.abs(minuit.values - model.best) / errors) < 0.01
    # its second derivatives are differences over a larger step
    np.testing.assert_allclose(minuit.errors, errors, rtol=0.05)


def test_emcee_takes_a_model_in_batches():
    emcee = pytest.importorskip("emcee")
    model = toy_model()
    rng = np.random.default_rng(1)
    start = model.best + 0.1 * rng.normal(size=(16, 2))
    sampler = emcee.EnsembleSampler(16, 2, model.log_posterior, vectorize=True)
    sampler.random_state = np.random.RandomState(2).get_state()
    sampler.run_mcmc(start, 300)
    draws = sampler.get_chain(discard=100, flat=True)
    error = np.sqrt(np.diag(model.found.covariance))
    # a few hundred independent draws, of a posterior that is a little skew
    assert np.max(np.abs(draws.mean(axis=0) - model.best) / error) < 0.4
    np.testing.assert_allclose(draws.std(axis=0), error, rtol=0.25)


def test_simulated_counts_are_those_of_the_truth():
    model, rng = toy_model(n_cell=4), np.random.default_rng(3)
    truth = np.array([2.0, 1.0])
    pulls, counts = [], []
    for _ in range(60):
        simulated = model.simulate(truth, rng)
        np.testing.assert_array_equal(simulated.best, truth)
        found = simulated.fit()
        pulls.append((found.x - truth) / found.errors)
        counts.append(simulated.counts)
    # of 60: mean 0 +- 0.13, width 1 +- 0.09; the prior of the background is centred on the truth
    assert abs(np.mean(pulls, axis=0)[0]) < 0.5
    assert np.std(pulls, axis=0)[0] == pytest.approx(1.0, abs=0.3)
    # all bins expect the same; 70 counts in each of 60 draws
    mean = np.mean(counts, axis=0)
    assert mean == pytest.approx(np.full(4, mean.mean()), abs=4 * np.sqrt(70 / 60))
    assert abs(model.counts.mean() - mean.mean()) < 4 * np.sqrt(70 / 4)


def test_simulation_is_of_the_bins_that_have_counts(results):
    model = open_model(results, "joint")
    simulated = model.simulate(model.best, np.random.default_rng(4))
    assert np.all(np.abs(simulated.counts - model.counts) < 6 * np.sqrt(model.counts))
    again = simulated.fit(model.best)
    assert np.all(np.abs(again.x - model.best) < 5 * again.errors)
