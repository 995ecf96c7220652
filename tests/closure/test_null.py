"""Without a source, TS at a fixed direction is half zero and half chi2 of one degree of freedom.

The flux is at its bound in half of all trials (Chernoff 1954, Ann. Math. Stat. 25, 573).
"""

import numpy as np
import pytest
from scipy.stats import chi2, kstest

N_TRIALS = 2000


@pytest.fixture(scope="module")
def direction(toy):
    return toy.Telescope().random_direction(np.random.default_rng(0))


@pytest.fixture(scope="module")
def ts(toy, direction):
    """TS of observations of nothing but background, at one direction."""
    return toy.fit_many(toy.Telescope(), direction, 0.0, N_TRIALS, 2).ts


def test_ts_without_source_is_zero_in_half_of_all_trials(toy, direction, ts):
    # With 400 counts the slope of the likelihood at zero flux is skewed, so that its median is
    # below its mean of 0: first term of the Edgeworth expansion, +0.011 here. Tolerance: 3.3
    # standard errors of a fraction of as many trials, 0.037.
    expected = 0.5 + toy.Telescope().skewness(direction) / (6 * np.sqrt(2 * np.pi))
    tolerance = 3.3 * toy.binomial_error(0.5, N_TRIALS)
    assert np.mean(ts == 0) == pytest.approx(expected, abs=tolerance)


def test_ts_without_source_above_zero_follows_chi2(ts):
    # one in a hundred sets of trials would fail; these do not change
    assert kstest(ts[ts > 0], chi2(1).cdf).pvalue > 0.01
