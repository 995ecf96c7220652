"""Ensembles of walkers against known posteriors, and chains that are interrupted."""

import builtins

import numpy as np
import pytest
from scipy import stats

from skyquilt.errors import SkyquiltError
from skyquilt.inference.convergence import effective_size, split_r_hat
from skyquilt.inference.profile import Range
from skyquilt.inference.sampler import Cloud, Walkers, least_walkers, start_walkers, walk

MEAN = np.array([1.0, -2.0])
COVARIANCE = np.array([[4.0, -1.2], [-1.2, 0.5]])
FREE = Range(np.full(2, -np.inf), np.full(2, np.inf))


def gaussian(x):
    gap = x - MEAN
    return -0.5 * np.einsum("mi,ij,mj->m", gap, np.linalg.inv(COVARIANCE), gap)


def start(function=gaussian, ranges=FREE, n=16, seed=3, number=0, cloud=None):
    cloud = cloud or Cloud(MEAN, COVARIANCE, np.ones(2))
    return start_walkers(function, cloud, ranges, n, seed, number)


def chain(function=gaussian, ranges=FREE, n_step=1500, **options):
    return np.stack(
        [w.x for w in walk(function, start(function, ranges, **options), ranges, n_step)]
    )


def test_gaussian_is_recovered():
    samples = chain()[200:]
    assert split_r_hat(samples[np.newaxis]).max() < 1.02
    size = effective_size(samples[np.newaxis])
    flat = samples.reshape(-1, 2)
    error = np.sqrt(np.diag(COVARIANCE) / size)
    assert np.all(np.abs(flat.mean(axis=0) - MEAN) < 3.5 * error)
    # the error of a variance is sqrt(2 / n) of it
    assert np.cov(flat.T) == pytest.approx(COVARIANCE, rel=5 * np.sqrt(2 / size.min()))


def test_truncated_gaussian_is_recovered():
    ranges = Range(np.array([0.0, -1.0]), np.array([np.inf, 0.5]))
    samples = chain(
        lambda x: -0.5 * np.sum(x**2, axis=1),
        ranges,
        cloud=Cloud(np.zeros(2), np.full((2, 2), np.nan), np.ones(2)),
    )[200:].reshape(-1, 2)
    half, cut = stats.halfnorm(), stats.truncnorm(-1.0, 0.5)
    for column, wanted in zip(samples.T, (half, cut), strict=True):
        for level in (0.16, 0.5, 0.84):
            assert np.mean(column < wanted.ppf(level)) == pytest.approx(level, abs=0.03)


@pytest.mark.parametrize("n_before", [1, 7, 19])
def test_chain_that_goes_on_is_bit_equal_to_one_undisturbed(n_before):
    whole = list(walk(gaussian, start(), FREE, 20))
    before = list(walk(gaussian, start(), FREE, n_before))
    kept = Walkers(*(np.array(part) for part in before[-1]))
    after = list(walk(gaussian, kept, FREE, 20 - n_before))
    for found, wanted in zip([*before, *after], whole, strict=True):
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(one, other)


def test_ensembles_of_one_seed_differ():
    assert not np.any(start(number=0).x == start(number=1).x)


def test_what_is_not_a_number_is_not_possible():
    def half(x):
        with np.errstate(invalid="ignore"):
            return gaussian(x) + 0 * np.sqrt(x[:, 0])

    assert chain(half, n_step=50)[..., 0].min() >= 0


@pytest.mark.parametrize(
    ("n_walker", "message"), [(3, "3 walkers for 2 free"), (7, "7 walkers for 2 free")]
)
def test_few_walkers_are_refused(n_walker, message):
    with pytest.raises(ValueError, match=message):
        start(n=n_walker)


def test_walkers_are_at_least_twice_the_free_numbers():
    assert [least_walkers(n) for n in (1, 4, 5, 26)] == [8, 8, 10, 52]


def test_posterior_that_is_nowhere_finite_is_refused():
    with pytest.raises(ValueError, match="not finite around the best fit"):
        start(lambda x: np.full(len(x), -np.inf))


def test_missing_emcee_is_one_message(monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **options):
        if name == "emcee":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SkyquiltError, match=r"pip install 'skyquilt\[sampling\]'"):
        next(walk(gaussian, start(), FREE, 1))
