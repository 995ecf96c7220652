"""Closure of fits, and comparison with a second optimiser."""

import numpy as np
import pytest
from scipy.optimize import minimize

from skyquilt.inference.climb import Status
from skyquilt.model import (
    Cells,
    Curve,
    Expression,
    Fixed,
    Free,
    Layer,
    Link,
    NormalData,
    PoissonData,
    Posterior,
    fit,
    one_axis,
)

EDGES = np.linspace(0.0, 40.0, 21)
GRID = np.linspace(-2.0, 2.0, 12)


def expected_counts(place, flux, background):
    """Line of detectors: a source of width 0.5 over a flat background."""
    return background + flux * np.exp(-0.5 * ((GRID - place) / 0.5) ** 2)


NAMES = ("place", "flux", "background")
BINS = one_axis("time_bin", EDGES[:-1], EDGES[1:])
PULSE = Curve("gaussian", {"peak": Free(4.0, 0.0), "t0": Free(16.0), "sigma": Free(6.0, 0.5, 40)})
TRUTH = {"peak": 6.0, "t0": 18.0, "sigma": 4.0, "place": 0.3, "background": 1.2}


def pulse_model():
    return {
        "place": Free(0.0, -2.0, 2.0),
        "flux": PULSE,
        "background": Free(1.0, 0.0),
    }


def simulated(seed):
    layer = Layer(pulse_model(), BINS)
    x = np.array([TRUTH[name.split(".")[-1]] for name in layer.names])
    data = PoissonData(np.zeros((20, GRID.size)), expected_counts, NAMES)
    return x, np.random.default_rng(seed).poisson(data.expected(layer.values(x))).astype(float)


def posterior(quantities, counts):
    return Posterior(Layer(quantities, BINS), PoissonData(counts, expected_counts, NAMES))


@pytest.mark.slow
def test_pulls_of_a_pulse_are_normal():
    pulls = []
    for seed in range(40):
        x, counts = simulated(seed)
        best = fit(posterior(pulse_model(), counts))
        assert best.status is Status.GOOD
        pulls.append((best.x - x) / best.errors)
    # 40 draws: the mean is known to 0.16, the width to 0.11; 3 of these
    assert np.all(np.abs(np.mean(pulls, axis=0)) < 0.48)
    assert np.all(np.abs(np.std(pulls, axis=0) - 1) < 0.34)


def test_joint_fit_meets_a_second_optimiser():
    _, counts = simulated(3)
    model = {
        "place": Free(0.0, -2.0, 2.0),
        "flux": Free(1.0, 0.0, per="time_bin"),
        "background": Free(1.0, 0.01),
    }
    surface = posterior(model, counts)
    layer = surface.layer
    found = minimize(
        lambda x: -surface.at(x),
        layer.start,
        jac=lambda x: -surface.derivatives(x[np.newaxis], np.zeros(1, int)).gradient[0],
        bounds=list(zip(layer.lower, layer.upper, strict=True)),
        method="L-BFGS-B",
        options={"ftol": 1e-14, "gtol": 1e-8, "maxiter": 2000},
    )
    best = fit(surface)
    assert best.status in (Status.GOOD, Status.AT_BOUND)
    assert best.log_posterior == pytest.approx(-found.fun, abs=1e-3)


def test_arrow_gives_the_same_as_one_matrix():
    _, counts = simulated(4)
    bins = {"flux": Free(1.0, 0.0, per="time_bin"), "place": Free(0.1), "background": Fixed(1.2)}
    alone = {f"flux_{k}": Free(1.0, 0.0) for k in range(20)}
    best = fit(posterior(bins, counts))
    one = Cells({"all": np.zeros(1, dtype=int)})

    def expected(place, **fluxes):
        rows = [expected_counts(place, fluxes[f"flux_{k}"], 1.2) for k in range(20)]
        return np.reshape(rows, (1, -1))

    layer = Layer({"place": Free(0.1), **alone}, one)
    other = fit(Posterior(layer, PoissonData(counts.reshape(1, -1), expected, ("place", *alone))))
    # both within the promised rise of 1e-6: 0.0014 errors
    np.testing.assert_allclose(best.x, other.x, atol=5e-3)
    assert best.log_posterior == pytest.approx(other.log_posterior, abs=1e-5)


def test_interval_of_a_pulse_brackets_its_error():
    _, counts = simulated(5)
    best = fit(posterior(pulse_model(), counts))
    low, high, *_ = best.interval("flux.t0")
    number = best.posterior.layer.names.index("flux.t0")
    # skewness of the likelihood of some 400 counts
    assert (high - low) / 2 == pytest.approx(best.errors[number], rel=0.1)


def test_error_of_an_expression_is_that_of_its_parameters():
    data = np.array([[2.0], [4.0]])
    cells = one_axis("image", np.arange(2.0))
    layer = Layer({"a": Free(1.0), "b": Expression("3 * a + 1"), "c": Link("b")}, cells)
    best = fit(Posterior(layer, NormalData(data, np.ones((2, 1)), lambda a: a + 0 * data, ("a",))))
    assert best.values["c"] == pytest.approx(10.0)
    assert best.error_of("c") == pytest.approx(3 / np.sqrt(2))


def test_product_of_two_is_degenerate_and_named_by_a_direction():
    cells = one_axis("image", np.arange(2.0))
    layer = Layer({"a": Free(1.0, 0.1), "b": Free(2.0, 0.1)}, cells)
    data = NormalData(np.full((2, 1), 6.0), np.ones((2, 1)), lambda a, b: a * b, ("a", "b"))
    best = fit(Posterior(layer, data))
    assert best.status is Status.DEGENERATE
    assert np.all(best.covariance.weak != 0)


def test_number_without_effect_is_told():
    cells = one_axis("image", np.arange(2.0))
    layer = Layer({"a": Free(1.0), "b": Free(2.0)}, cells)
    data = NormalData(np.full((2, 1), 6.0), np.ones((2, 1)), lambda a: a, ("a",))
    best = fit(Posterior(layer, data))
    assert best.status is Status.NO_EFFECT
    assert np.isnan(best.errors[1])
    assert best.errors[0] == pytest.approx(np.sqrt(0.5))


def test_likelihood_of_an_unknown_quantity_is_refused():
    layer = Layer({"a": Free(1.0)}, BINS)
    with pytest.raises(ValueError, match="the likelihood needs flux; known: a"):
        Posterior(layer, PoissonData(np.zeros((20, 1)), lambda flux: flux, ("flux",)))
