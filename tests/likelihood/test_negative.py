"""Fluxes below zero: the model is negative in no bin, with counts or without."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq, minimize_scalar

from skyquilt.blocks import DenseBlock, RowBlock, SparseBlock, SparseWeights
from skyquilt.likelihood.options import FluxOptions
from skyquilt.likelihood.poisson import (
    AT_BOUND,
    GOOD,
    FluxFit,
    fit_flux,
    poisson_ts,
)

CL = 0.9
OPTIONS = FluxOptions(allow_negative=True, confidence_level=CL)


def random_bins(seed, source=0.0):
    """Counts, background and expected counts of all bins, of which many are empty, and total."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 60))
    background = rng.gamma(1, 10 ** rng.uniform(-2, 1), n) + 1e-3
    unit_counts = rng.gamma(0.5, 1, n) * (rng.random(n) < 0.8)
    unit_counts[0] = 1.0
    counts = rng.poisson(background + source * unit_counts).astype(float)
    return counts, background, unit_counts, unit_counts.sum()


def fit_one(counts, background, unit_counts, total):
    """Fit of one pixel: the fields of FluxFit as numbers."""
    block = DenseBlock(unit_counts[np.newaxis], np.array([total]), np.array([GOOD]))
    fit = fit_flux(counts, background, block, OPTIONS)
    return FluxFit(*(values[0] for values in fit))


def ts_of(problem, flux):
    """TS of a flux; bins without counts and with a model of 0 add nothing to the sum."""
    counts, background, unit_counts, total = problem
    hit = counts > 0
    return poisson_ts(counts[hit], background[hit], unit_counts[hit], total, flux)


def lowest_flux(background, unit_counts):
    """Flux at which the model is 0 in some bin."""
    is_seen = unit_counts > 0
    return -np.min(background[is_seen] / unit_counts[is_seen])


def is_clear(counts, background, unit_counts, total):
    """Whether the slope at the lowest flux is above zero, and its size."""
    lowest = lowest_flux(background, unit_counts)
    model = background + lowest * unit_counts
    hit = counts > 0
    if np.any(model[hit] <= 1e-9 * background[hit]):
        return True, np.inf
    slope = np.sum(counts[hit] * unit_counts[hit] / model[hit]) - total
    return slope > 0, abs(slope) / total


@given(st.integers(0, 10**6))
def test_fit_below_zero_equals_a_bounded_minimiser(seed):
    problem = random_bins(seed)
    fit, lowest = fit_one(*problem), lowest_flux(*problem[1:3])
    best = minimize_scalar(
        lambda f: -ts_of(problem, f),
        *(None, (lowest * (1 - 1e-12), 1e3), ()),
        method="bounded",
        options={"xatol": 1e-9},
    )
    assert lowest <= fit.flux
    assert fit.ts >= -best.fun - 1e-9  # Brent's method stops beside an end
    assert fit.ts == pytest.approx(ts_of(problem, fit.flux), rel=1e-9, abs=1e-11)
    rises, size = is_clear(*problem)
    if size > 1e-6:
        assert fit.status == (GOOD if rises else AT_BOUND)
        assert (fit.flux < lowest * (1 - 1e-14)) == (not rises)


@given(st.integers(0, 10**6))
def test_errors_and_limit_end_where_the_flux_does(seed):
    problem = random_bins(seed)
    fit, lowest = fit_one(*problem), lowest_flux(*problem[1:3])

    def llr(flux):
        return ts_of(problem, flux) / 2

    top, far = llr(fit.flux), fit.flux + 100 * fit.flux_err_hi
    high = brentq(lambda f: llr(f) - top + 0.5, fit.flux, far, xtol=1e-13)
    assert fit.flux_err_hi == pytest.approx(high - fit.flux, rel=1e-5)
    inside = lowest * (1 - 1e-12)
    if fit.status == AT_BOUND or llr(inside) >= top - 0.5 + 1e-6:
        assert fit.flux_err_lo == pytest.approx(fit.flux - lowest, abs=1e-12)
    elif llr(inside) < top - 0.5 - 1e-6:
        low = brentq(lambda f: llr(f) - top + 0.5, inside, fit.flux, xtol=1e-13)
        assert fit.flux_err_lo == pytest.approx(fit.flux - low, rel=1e-5)
    peak = max(fit.flux, 0.0)
    whole = quad(lambda f: np.exp(llr(f) - llr(peak)), 0, far, limit=400, points=[peak])[0]
    below = quad(lambda f: np.exp(llr(f) - llr(peak)), 0, fit.flux_ul, limit=400, points=[peak])[0]
    assert below / whole == pytest.approx(CL, abs=2e-3)


@given(st.integers(0, 10**6), st.sampled_from([0.0, 1.0]))
def test_all_ways_to_hand_in_bins_agree(seed, source):
    counts, background, unit_counts, total = random_bins(seed, source)
    unit_counts = unit_counts.astype(np.float32).astype(float)
    total, status = np.array([total]), np.array([GOOD])
    dense = DenseBlock(unit_counts[np.newaxis], total, status)
    seen, hit = np.flatnonzero(unit_counts), np.flatnonzero(counts * unit_counts)
    entries = np.array([0, seen.size]), seen, unit_counts[seen]
    sparse = SparseBlock(*entries, total, status, counts.size)
    one = SparseWeights(np.array([0, 1]), np.array([0]), np.array([1.0]))
    weighted = RowBlock(unit_counts[np.newaxis].astype(np.float32), total, one, status)
    empty = seen[counts[seen] == 0]
    most = np.array([np.max(unit_counts[empty] / background[empty], initial=0.0)])
    entries = np.array([0, hit.size]), hit, unit_counts[hit]
    bounded = SparseBlock(*entries, total, status, counts.size)
    data = counts, background
    wanted, *others = (fit_flux(*data, block, OPTIONS) for block in (dense, sparse, weighted))
    for fit in (*others, fit_flux(*data, bounded, OPTIONS, most=most)):
        assert fit.status.tolist() == wanted.status.tolist()
        np.testing.assert_allclose(fit.flux, wanted.flux, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(fit.ts, wanted.ts, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(fit.flux_ul, wanted.flux_ul, rtol=1e-3)


def test_signed_root_of_ts_of_noise_has_mean_zero_and_width_one():
    rng = np.random.default_rng(1)
    unit_counts = np.exp(-0.5 * (np.hypot(*np.mgrid[-6:7, -6:7]) / 1.5) ** 2).ravel()
    background, roots = np.full(unit_counts.size, 0.3), []
    for _ in range(2000):
        counts = rng.poisson(background).astype(float)
        fit = fit_one(counts, background, unit_counts, unit_counts.sum())
        roots.append(np.sign(fit.flux) * np.sqrt(fit.ts))
    assert abs(np.mean(roots)) < 0.12  # sparse: half a count is the least step
    assert 0.9 < np.std(roots) < 1.05
    assert np.min(roots) > -4


def test_no_counts_at_all_give_the_lowest_flux():
    # the source would take all of the background of the second bin
    fit = fit_one(np.zeros(2), np.array([1.0, 0.5]), np.array([1.0, 1.0]), 2.0)
    assert fit.status == AT_BOUND
    assert (fit.flux, fit.ts, fit.flux_err_lo) == pytest.approx((-0.5, 2.0, 0.0), abs=1e-14)
    assert fit.flux_err_hi == pytest.approx(0.25, rel=1e-9)
    assert fit.flux_ul == pytest.approx(-np.log(1 - CL) / 2, rel=1e-5)


def test_without_background_there_is_nothing_to_take():
    fit = fit_one(np.array([1.0, 0.0]), np.array([5.0, 1e-300]), np.array([1.0, 1.0]), 2.0)
    assert fit.status == AT_BOUND
    assert -1e-200 < fit.flux <= 0
    assert fit.ts < 1e-200
