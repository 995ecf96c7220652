"""Posterior by importance sampling, against a sum over a grid, and coverage of its intervals."""

import numpy as np
import pytest
from scipy.stats import beta, norm

from skyquilt.populations.estimate import estimate
from skyquilt.populations.mixture import Mixture
from skyquilt.populations.population import Population
from skyquilt.populations.posterior import classify, sample


def two(rng, numbers):
    x = np.concatenate([rng.normal(at, 1, n) for n, at in zip(numbers, (0, 2), strict=True)])
    populations = tuple(Population(name, norm.pdf(x, at), 1.0) for name, at in (("a", 0), ("b", 2)))
    return Mixture(populations, np.ones(x.size))


def draw(mixture, alpha, draws=4000, seed=1):
    best = estimate(mixture)
    return sample(mixture, np.array(alpha), best.fraction, best.parameter, draws=draws, seed=seed)


@pytest.mark.parametrize("alpha", [(1.0, 1.0), (0.5, 3.0)])
@pytest.mark.parametrize("numbers", [(30, 70), (300, 700), (0, 100)])
def test_moments_and_evidence_are_those_of_a_grid(numbers, alpha):
    mixture = two(np.random.default_rng(1), numbers)
    found = draw(mixture, alpha)
    u = (np.arange(200_000) + 0.5) / 200_000
    grid = beta.ppf(u, *alpha)  # even steps of the prior
    logs = mixture.log_likelihoods(np.stack([grid, 1 - grid], axis=1), np.empty((grid.size, 0)))
    weight = np.exp(logs - logs.max())
    mean = weight @ grid / weight.sum()
    deviation = np.sqrt(weight @ (grid - mean) ** 2 / weight.sum())
    found_mean, found_deviation = found.mean()
    error = deviation / np.sqrt(found.effective)  # of the draws
    assert found_mean[0] == pytest.approx(mean, abs=4 * error)
    assert found_deviation[0] == pytest.approx(deviation, abs=4 * error)
    evidence = np.log(weight.mean()) + logs.max()
    assert found.ln_evidence == pytest.approx(evidence, abs=4 * found.ln_evidence_err)
    assert found.ln_evidence_err < 0.03
    assert found.effective > 0.3 * 4000  # the least is that of an absent one, 0.39


def test_same_seed_draws_the_same_and_another_one_others():
    mixture = two(np.random.default_rng(2), (50, 50))
    first, again, other = (draw(mixture, (1.0, 1.0), 500, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.fraction, again.fraction)
    assert not np.array_equal(first.fraction, other.fraction)


def test_probabilities_add_up_to_what_the_posterior_expects():
    mixture = two(np.random.default_rng(3), (150, 350))
    posterior = draw(mixture, (1.0, 1.0))
    found = classify(mixture, posterior, 400)
    assert found.sum(axis=1) == pytest.approx(1, rel=1e-12)
    # E sum_i P_ik + alpha_k = (n + sum alpha) E f_k: the posterior's mean of Dirichlet's identity
    mean, deviation = posterior.mean()
    error = 502 * deviation[0] / np.sqrt(400)
    assert found[:, 0].sum() == pytest.approx(502 * mean[0] - 1, abs=4 * error)


def test_true_fraction_of_events_is_their_probability():
    rng = np.random.default_rng(4)
    mixture = two(rng, (8000, 12000))
    probability = classify(mixture, draw(mixture, (1.0, 1.0), 500), 50)[:, 0]
    is_first = np.arange(20_000) < 8000
    for low in np.arange(10) / 10:
        some = (probability >= low) & (probability < low + 0.1)
        mean, n = probability[some].mean(), some.sum()
        assert is_first[some].mean() == pytest.approx(mean, abs=4 * np.sqrt(mean * (1 - mean) / n))


@pytest.mark.slow
def test_central_intervals_cover_as_often_as_they_say():
    ranks = []
    for seed in range(400):
        rng = np.random.default_rng([7, seed])
        truth = rng.uniform()  # from the prior
        n_first = rng.binomial(200, truth)
        posterior = draw(two(rng, (n_first, 200 - n_first)), (1.0, 1.0), 1000, seed)
        ranks.append(posterior.weight @ (posterior.fraction[:, 0] < truth))
    for level in (0.5, 0.68, 0.9, 0.95):
        inside = np.mean(np.abs(np.array(ranks) - 0.5) < level / 2)
        # three binomial errors of 400 observations
        assert inside == pytest.approx(level, abs=3 * np.sqrt(level * (1 - level) / 400))
