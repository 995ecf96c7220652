"""Fluxes of sources at known positions, against other ways to fit them."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from skyquilt.fit.pixels import fit_pixels
from skyquilt.sky.frames import lonlat_to_vec
from skyquilt.sources.fluxes import fit_fluxes
from skyquilt.sources.model import source_counts_at

# Point spread 3 deg: the first two overlap strongly, the third hardly.
PLACES = lonlat_to_vec(np.array([50.0, 55.0, 63.0]), np.zeros(3))
TRUE = np.array([3.0, 1.5, 1.0])


@pytest.fixture(scope="module")
def problem(imager):
    return imager.Imager(nside=16).observe(PLACES, TRUE, np.random.default_rng(3))


def log_likelihood(flux, problem, direction):
    """Another way to write L."""
    counts = source_counts_at(problem, direction)
    expected = problem.background + flux @ counts.unit_counts.toarray()
    return problem.counts @ np.log(expected / problem.background) - flux @ counts.total


def test_fluxes_of_one_source_are_those_of_a_pixel(problem):
    one, fit = fit_pixels(problem, PLACES[:1]), fit_fluxes(problem, PLACES[:1], np.ones(1))
    # both stop within 1e-9 of the maximum of L, so within 1e-4 standard errors of the flux
    assert fit.flux[0] == pytest.approx(one.flux[0], abs=1e-4 * one.flux_err[0])
    assert fit.ts[0] == pytest.approx(one.ts[0], abs=1e-6)


@pytest.mark.parametrize("start", [0.0, 1.0, 50.0])
def test_fluxes_are_those_of_a_general_minimiser_from_any_start(problem, start):
    found = minimize(
        lambda flux: -log_likelihood(flux, problem, PLACES),
        np.ones(3),
        bounds=[(0, None)] * 3,
        options={"ftol": 1e-15, "gtol": 1e-9},
    )
    fit = fit_fluxes(problem, PLACES, np.full(3, start))
    np.testing.assert_allclose(fit.flux, found.x, rtol=1e-4)  # of the minimiser
    assert log_likelihood(fit.flux, problem, PLACES) >= -found.fun - 1e-9


def test_ts_is_the_difference_of_two_fits(problem):
    every = fit_fluxes(problem, PLACES, np.ones(3))
    best = log_likelihood(every.flux, problem, PLACES)
    for source in range(3):
        others = np.delete(PLACES, source, axis=0)
        without = fit_fluxes(problem, others, np.ones(2)).flux
        loss = best - log_likelihood(without, problem, others)
        # each fit ends within 1e-9 of its maximum of L
        assert every.ts[source] == pytest.approx(2 * loss, abs=1e-6)


def test_source_that_is_not_there_has_neither_flux_nor_ts(problem):
    seen = source_counts_at(problem, PLACES[2:]).unit_counts.toarray()[0]
    counts = np.where(seen > 0.3, 0.0, problem.counts)
    fit = fit_fluxes(replace(problem, counts=counts), PLACES, np.ones(3))
    assert fit.flux[2] == 0
    assert fit.ts[2] == pytest.approx(0, abs=1e-8)
    assert fit.flux[0] > 0


def test_two_sources_at_one_place_share_their_flux(problem):
    single = fit_fluxes(problem, PLACES[:1], np.ones(1))
    double = fit_fluxes(problem, PLACES[[0, 0]], np.ones(2))
    assert double.flux.sum() == pytest.approx(single.flux[0], rel=1e-6)
    np.testing.assert_allclose(double.ts, 0, atol=1e-6)


def test_no_sources_are_no_fluxes(problem):
    fit = fit_fluxes(problem, np.empty((0, 3)), np.empty(0))
    assert fit.flux.shape == fit.ts.shape == (0,)
