import numpy as np
import pytest

from skyquilt.inference.convergence import effective_size, split_r_hat


def autoregressive(shape, slope, seed=1):
    """Draws of unit variance whose correlation falls by `slope` with each draw."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape)
    for draw in range(1, shape[1]):
        x[:, draw] = slope * x[:, draw - 1] + np.sqrt(1 - slope**2) * x[:, draw]
    return x


def test_r_hat_of_shifted_ensembles_is_the_closed_form():
    samples = np.random.default_rng(1).normal(size=(2, 4000, 4, 1))
    samples[1] += 1.0
    # means 0, 0, 1, 1 of variance 1/3 between, 1 within
    assert split_r_hat(samples)[0] == pytest.approx(np.sqrt(1 + 1 / 3), rel=0.02)


def test_r_hat_sees_a_trend_of_a_single_ensemble():
    samples = np.random.default_rng(1).normal(size=(1, 4000, 4, 1))
    samples += np.linspace(0, 2, 4000)[:, np.newaxis, np.newaxis]
    assert split_r_hat(samples)[0] > 1.2


@pytest.mark.parametrize("slope", [0.0, 0.5, 0.9])
def test_effective_size_of_an_autoregressive_chain_is_the_closed_form(slope):
    samples = autoregressive((2, 4000, 8, 3), slope)
    wanted = samples[..., 0].size * (1 - slope) / (1 + slope)
    assert effective_size(samples) == pytest.approx(np.full(3, wanted), rel=0.15)


def test_what_does_not_vary_has_no_convergence():
    samples = np.ones((2, 100, 8, 1))
    assert np.isnan(split_r_hat(samples)[0])
    assert np.isnan(effective_size(samples)[0])


def test_few_draws_have_no_r_hat():
    assert np.isnan(split_r_hat(np.random.default_rng(1).normal(size=(2, 3, 8, 1))))[0]
