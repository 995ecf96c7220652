"""Probability of large maxima."""

import numpy as np
import pytest
from scipy.stats import norm

from skyquilt.calibration.trials import TailModel, fit_tail
from skyquilt.errors import RunError

N_PIXELS = 200


@pytest.fixture(scope="module")
def maxima():
    """Largest TS of 200 independent pixels, 20,000 times."""
    uniform = np.random.default_rng(0).uniform(size=20_000)
    # P(max Z < z) = P(Z < z)^N; TS = max(Z, 0)^2
    z = norm.isf(-np.expm1(np.log(uniform) / N_PIXELS))
    return np.maximum(z, 0) ** 2


def test_probability_is_the_formula():
    model = TailModel(np.array([2.0, 0.5, 0.1]))
    excursions = 2 * norm.sf(3) + (0.5 + 0.1 * 3) * np.exp(-4.5)

    assert model.probability(9.0) == pytest.approx(1 - np.exp(-excursions), rel=1e-12)


def test_threshold_inverts_the_probability():
    model = TailModel(np.array([2.0, 0.5, 0.1]))

    assert model.probability(model.threshold(1e-6)) == pytest.approx(1e-6, rel=1e-9)


def test_fit_of_independent_pixels_extrapolates_to_the_closed_form(maxima):
    ts = 32.0  # no maximum comes near: P = 200 x 7.7e-9
    exact = -np.expm1(N_PIXELS * norm.logcdf(np.sqrt(ts)))

    tail = fit_tail(maxima, seed=1)

    # Terms that fall alike share the excursions between them, so that the extrapolation may
    # differ by their ratio between the fitted range and here: sqrt(32 / 9) at most
    assert exact / 2 < tail.model.probability(ts) < 2 * exact


def test_fit_below_a_quantile_predicts_the_maxima_beyond(maxima):
    threshold = np.quantile(maxima, 0.999)

    tail = fit_tail(maxima, seed=1, highest=0.9)

    # 20 of 20,000 maxima lie beyond, +- 4.5; the fit to 18,000 adds a tenth of that
    assert 20_000 * tail.model.probability(threshold) == pytest.approx(20, abs=3.3 * 4.5)


def test_interval_holds_the_best_fit(maxima):
    tail = fit_tail(maxima[:1000], seed=1)
    low, high = tail.interval(np.array([10.0, 20.0]))

    best = tail.model.probability(np.array([10.0, 20.0]))
    assert np.all(low < high)
    # the best fit is one of the middle ones; resampled ones scatter around it
    assert np.all((0.8 * low < best) & (best < 1.2 * high))


def test_fit_is_the_same_for_the_same_seed(maxima):
    first, second = (fit_tail(maxima[:500], seed=2).interval(12.0) for _ in range(2))

    np.testing.assert_array_equal(first, second)


def test_fit_of_maxima_that_are_zero_is_refused():
    with pytest.raises(RunError, match="half of the simulated skies have no pixel with TS above 0"):
        fit_tail(np.r_[np.zeros(60), np.ones(40)], seed=1)
