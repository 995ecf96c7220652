"""Best fractions, errors and TS, against a sum over a grid and by closure."""

import numpy as np
import pytest
from scipy.stats import norm

from skyquilt.errors import InputError
from skyquilt.inference.climb import Status
from skyquilt.populations.estimate import estimate
from skyquilt.populations.mixture import Mixture
from skyquilt.populations.population import Population


def gaussians(rng, numbers, centres, extra=()):
    """Events of unit Gaussians, and the populations of these and more centres."""
    x = np.concatenate([rng.normal(at, 1, n) for n, at in zip(numbers, centres, strict=True)])
    every = (*centres, *extra)
    populations = tuple(Population(f"p{i}", norm.pdf(x, at), 1.0) for i, at in enumerate(every))
    return Mixture(populations, np.ones(x.size))


def test_fraction_and_error_are_those_of_a_fine_grid():
    mixture = gaussians(np.random.default_rng(1), (300, 700), (0, 2))
    found = estimate(mixture)
    grid = np.linspace(0, 1, 100_001)[1:-1]
    logs = mixture.log_likelihoods(np.stack([grid, 1 - grid], axis=1), np.empty((grid.size, 0)))
    top = grid[np.argmax(logs)]
    curvature = -np.diff(logs, 2)[np.argmax(logs) - 1] / 1e-10
    assert found.status == Status.GOOD
    assert found.fraction[0] == pytest.approx(top, abs=1e-5)
    # second differences of the grid, and observed curvatures: both to a part in a thousand
    assert found.fraction_err == pytest.approx(curvature**-0.5, rel=3e-3)
    assert found.ln_likelihood == pytest.approx(logs.max(), abs=1e-6)
    assert found.events.sum() == pytest.approx(1000, rel=1e-6)


def test_ts_is_what_the_likelihood_loses_without_the_population():
    mixture = gaussians(np.random.default_rng(2), (50, 450, 500), (0, 3, 6))
    found = estimate(mixture)
    for number, name in enumerate(mixture.names):
        others = estimate(mixture.select([one for one in mixture.names if one != name]))
        lost = 2 * (found.ln_likelihood - others.ln_likelihood)
        assert found.ts[number] == pytest.approx(lost, abs=1e-5)


def test_population_that_is_absent_is_at_its_bound():
    found = estimate(gaussians(np.random.default_rng(3), (300, 300), (0, 2), extra=(-9,)))
    assert found.fraction[2] == 0
    assert found.ts[2] == 0
    assert np.isnan(found.fraction_err[2])
    assert found.status == Status.AT_BOUND
    assert np.all(np.isfinite(found.fraction_err[:2]))


def test_population_that_alone_explains_an_event_has_an_infinite_ts():
    x = np.array([0.1, 0.2, 0.9, 1.5])
    wide = Population("wide", np.full(4, 0.5), 1.0)
    narrow = Population("narrow", np.where(x < 1, 1.0, 0.0), 1.0)
    assert estimate(Mixture((wide, narrow), np.ones(4))).ts[0] == np.inf


def test_populations_that_no_data_tell_apart_are_refused_by_name():
    density = norm.pdf(np.linspace(-2, 2, 50))
    same = Population("one", density, 1.0), Population("other", 3 * density, 3.0)
    with pytest.raises(InputError, match="one and other have the same density at every event"):
        estimate(Mixture((*same, Population("flat", np.ones(50), 1.0)), np.ones(50)))


def test_pulls_of_fractions_are_those_of_a_unit_gaussian():
    pulls = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        n_first = rng.binomial(400, 0.3)
        found = estimate(gaussians(rng, (n_first, 400 - n_first), (0, 2)))
        pulls.append((found.fraction[0] - 0.3) / found.fraction_err[0])
    # 200 seeds: mean to 0.07, width to 0.05; three of these
    assert np.mean(pulls) == pytest.approx(0, abs=0.21)
    assert np.std(pulls) == pytest.approx(1, abs=0.15)
