"""Laws of the statistic that hold for any data: zero flux, units of flux, twice the data."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skyquilt.blocks import DenseBlock
from skyquilt.fit.pixels import fit_pixels
from skyquilt.likelihood.poisson import poisson_ts
from skyquilt.problem.expectation import Expectation
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.sky.pixels import nside_to_npix
from skyquilt.status import GOOD

DIRECTIONS = nest_to_vec(4, np.arange(nside_to_npix(4)))
# The last step leaves 1e-12 standard errors, and sums of 500 bins round at 1e-13 of
# themselves; TS is the difference of two sums up to 100 times as large.
RELATIVE, ABSOLUTE = 1e-10, 1e-10


@pytest.fixture(scope="module")
def fit(problem):
    return fit_pixels(problem, DIRECTIONS)


def is_close(first, second):
    return first == pytest.approx(second, rel=RELATIVE, abs=ABSOLUTE, nan_ok=True)


def with_response_times(problem, factor):
    """Problem whose sources of unit flux give `factor` times as many counts."""
    return replace(problem, expectation=Scaled(problem.expectation, factor))


class Scaled(NamedTuple):
    """Expectation times a factor, in float64: rows of a table, float32, would be rounded."""

    expectation: Expectation
    factor: float

    @property
    def n_hit(self):
        return self.expectation.n_hit

    @property
    def entries_per_direction(self):
        return self.expectation.entries_per_direction

    def block(self, directions):
        block = self.expectation.block(directions)
        return DenseBlock(self.factor * block.unit_counts, self.factor * block.total, block.status)


@given(lon=st.integers(0, len(DIRECTIONS) - 1))
@settings(derandomize=True, deadline=None, max_examples=25)
def test_ts_at_zero_flux_is_zero(problem, lon):
    block = problem.expectation.block(DIRECTIONS[lon : lon + 1])
    ts = poisson_ts(problem.counts, problem.background, block.unit_counts, block.total, np.zeros(1))
    assert ts[0] == 0


def test_ts_of_the_best_flux_is_the_highest(problem, fit):
    block = problem.expectation.block(DIRECTIONS)
    for factor in (0.9, 1.1):
        ts = poisson_ts(
            problem.counts, problem.background, block.unit_counts, block.total, factor * fit.flux
        )
        assert np.all(ts <= fit.ts)


def test_ts_at_the_best_flux_equals_poisson_ts(problem, fit):
    block = problem.expectation.block(DIRECTIONS)
    ts = poisson_ts(problem.counts, problem.background, block.unit_counts, block.total, fit.flux)
    assert is_close(fit.ts, ts)


@given(factor=st.sampled_from([2.0, 3.0, 10.0, 0.5]))
@settings(derandomize=True, deadline=None, max_examples=4)
def test_fit_of_k_times_the_data_has_same_flux_and_k_times_ts(problem, fit, factor):
    scaled = replace(
        with_response_times(problem, factor),
        counts=factor * problem.counts,
        background=factor * problem.background,
    )
    result = fit_pixels(scaled, DIRECTIONS)
    assert is_close(result.flux, fit.flux)
    assert is_close(result.ts, factor * fit.ts)
    is_good = fit.status == GOOD  # at the bound the error is no curvature alone
    assert is_close(np.sqrt(factor) * result.flux_err[is_good], fit.flux_err[is_good])


@given(factor=st.floats(1e-6, 1e6))
@settings(derandomize=True, deadline=None, max_examples=10)
def test_fit_in_other_units_of_flux_has_the_same_ts(problem, fit, factor):
    result = fit_pixels(with_response_times(problem, factor), DIRECTIONS)
    assert is_close(result.ts, fit.ts)
    assert is_close(result.flux * factor, fit.flux)
    assert is_close(result.flux_err * factor, fit.flux_err)
    assert is_close(result.npred, fit.npred)


@given(seed=st.integers(0, 2**32 - 1), fraction=st.floats(0, 1))
@settings(derandomize=True, deadline=None, max_examples=10)
def test_fit_with_bins_that_have_no_counts_is_the_same(
    make_problem, observation, fit, seed, fraction
):
    _, counts = observation
    more = np.random.default_rng(seed).uniform(size=counts.size) < fraction
    result = fit_pixels(make_problem((counts > 0) | more), DIRECTIONS)
    for values, expected in zip(result[:4], fit[:4], strict=True):
        assert is_close(values, expected)


def test_fit_with_new_bins_that_have_no_counts_is_lower(problem, fit):
    """Bins that a source would have filled and did not speak against it."""
    table = problem.expectation
    more = replace(problem, expectation=replace(table, totals=1.1 * table.totals))
    result = fit_pixels(more, DIRECTIONS)
    is_source = fit.flux > 0
    assert np.all(result.flux[is_source] < fit.flux[is_source])
    assert np.all(result.ts[is_source] < fit.ts[is_source])
