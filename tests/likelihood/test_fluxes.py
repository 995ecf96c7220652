import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.sparse import csr_array

from skyquilt.blocks import DenseBlock
from skyquilt.likelihood.fluxes import fit_fluxes, ts_of_each
from skyquilt.likelihood.poisson import fit_flux, poisson_ts

N_HIT = 200


@pytest.fixture
def problem():
    """Counts of three sources that overlap, two of them strongly, and of background."""
    rng = np.random.default_rng(3)
    place, centres = np.linspace(0, 1, N_HIT), np.array([0.3, 0.36, 0.7])
    unit_counts = 30 * np.exp(-0.5 * ((place - centres[:, None]) / 0.05) ** 2)
    background = 2 + rng.uniform(0, 1, N_HIT)
    counts = rng.poisson(background + np.array([1.0, 0.5, 0.3]) @ unit_counts) + 0.0
    return counts, background, unit_counts, unit_counts.sum(axis=1)


def log_likelihood(flux, counts, background, unit_counts, total):
    """Another way to write the module's L."""
    expected = background + flux @ unit_counts
    return counts @ np.log(expected / background) - flux @ total


def test_fit_fluxes_of_one_source_equals_the_fit_of_a_pixel(problem):
    counts, background, unit_counts, total = problem
    one = fit_flux(counts, background, DenseBlock(unit_counts[:1], total[:1], np.zeros(1)))
    fit = fit_fluxes(counts, background, csr_array(unit_counts[:1]), total[:1], np.zeros(1))
    # both stop within 1e-9 of the maximum of L, so within 1e-4 standard errors of the flux
    assert fit.flux[0] == pytest.approx(one.flux[0], abs=1e-4 * one.flux_err[0])
    assert 2 * fit.delta_loglike == pytest.approx(one.ts[0], abs=1e-7)
    assert fit.curvature[0, 0] == pytest.approx(one.flux_err[0] ** -2, rel=1e-4)


@pytest.mark.parametrize("start", [0.0, 1.0, 50.0])
def test_fit_fluxes_equals_a_general_minimiser_from_any_start(problem, start):
    counts, background, unit_counts, total = problem
    found = minimize(
        lambda flux: -log_likelihood(flux, *problem),
        np.ones(3),
        bounds=[(0, None)] * 3,
        options={"ftol": 1e-15, "gtol": 1e-9},
    )
    fit = fit_fluxes(counts, background, csr_array(unit_counts), total, np.full(3, start))
    assert fit.has_converged
    np.testing.assert_allclose(fit.flux, found.x, rtol=1e-4)  # of the minimiser
    begin = log_likelihood(np.full(3, start), *problem)
    assert fit.delta_loglike == pytest.approx(-found.fun - begin, abs=1e-6)


def test_fit_fluxes_of_a_source_that_is_not_there_ends_at_zero(problem):
    counts, background, unit_counts, total = problem
    deficit = np.where(unit_counts[2] > 1, np.minimum(counts, 1.0), counts)
    fit = fit_fluxes(deficit, background, csr_array(unit_counts), total, np.ones(3))
    assert fit.flux[2] == 0
    assert np.all(fit.flux[:2] > 0)


def test_fit_fluxes_of_two_sources_at_one_place_finds_their_sum(problem):
    counts, background, unit_counts, total = problem
    single = fit_fluxes(counts, background, csr_array(unit_counts[:1]), total[:1], np.zeros(1))
    twice = csr_array(unit_counts[[0, 0]])
    double = fit_fluxes(counts, background, twice, total[[0, 0]], np.zeros(2))
    assert double.flux.sum() == pytest.approx(single.flux[0], rel=1e-6)


def test_fit_fluxes_without_sources_is_empty(problem):
    counts, background, _, _ = problem
    fit = fit_fluxes(counts, background, csr_array((0, N_HIT)), np.empty(0), np.empty(0))
    assert fit.flux.shape == (0,)
    assert fit.delta_loglike == 0


def test_ts_of_each_equals_the_difference_of_two_fits(problem):
    counts, background, unit_counts, total = problem
    every = fit_fluxes(counts, background, csr_array(unit_counts), total, np.zeros(3))
    ts = ts_of_each(counts, background, csr_array(unit_counts), total, every.flux)
    for source in range(3):
        other = np.arange(3) != source
        rest = fit_fluxes(
            counts, background, csr_array(unit_counts[other]), total[other], np.zeros(2)
        )
        # each fit ends within 1e-9 of its maximum of L
        assert ts[source] == pytest.approx(2 * (every.delta_loglike - rest.delta_loglike), abs=1e-6)


def test_ts_of_each_of_sources_apart_is_that_of_each_alone(problem):
    counts, background, unit_counts, total = problem
    apart = unit_counts[[0, 2]] * (unit_counts[[0, 2]] > 0.1)  # 0.3 and 0.7: no common bin
    rows, sums = csr_array(apart), total[[0, 2]]
    fit = fit_fluxes(counts, background, rows, sums, np.zeros(2))
    ts = ts_of_each(counts, background, rows, sums, fit.flux)
    np.testing.assert_allclose(ts, poisson_ts(counts, background, apart, sums, fit.flux), rtol=1e-9)
