"""Many simulated skies."""

import numpy as np
import pytest

from skyquilt.calibration.skies import (
    choose_fluxes,
    fit_data,
    simulate_injected,
    simulate_null,
)
from skyquilt.fit.pixels import fit_pixels
from skyquilt.testing import toy

FLUXES = np.array([0.5, 2.0])


def test_null_sky_is_a_poisson_draw_of_the_background(telescope, model, grid, silent):
    counts = np.random.default_rng([9, 0, 4]).poisson(telescope.background)
    ts = fit_pixels(telescope.problem(counts), grid.directions).ts

    skies = simulate_null(model, grid, 9, range(4, 5), silent)

    assert skies.n_counts[0] == counts.sum()
    assert skies.ts_max[0] == ts.max()
    assert skies.ipix[0] == grid.ipix[ts.argmax()]


@pytest.mark.parametrize("simulate", [simulate_null, simulate_injected])
def test_skies_do_not_depend_on_the_cut(model, grid, silent, simulate):
    def run(numbers):
        extra = (FLUXES,) if simulate is simulate_injected else ()
        return simulate(model, grid, 1, numbers, *extra, silent)

    whole, parts = run(range(6)), [run(range(2)), run(range(2, 6))]

    for values, *pieces in zip(whole, *parts, strict=True):
        np.testing.assert_array_equal(values, np.concatenate(pieces))


def test_injected_skies_take_the_fluxes_in_turn(model, grid, silent):
    skies = simulate_injected(model, grid, 1, range(3, 7), FLUXES, silent)

    np.testing.assert_array_equal(skies.flux, [2.0, 0.5, 2.0, 0.5])


def test_injected_bright_source_is_found(model, grid, silent):
    skies = simulate_injected(model, grid, 1, range(8), np.array([5.0]), silent)

    # TS of several hundred to thousands, so that its position is known to a degree or two
    assert np.all(skies.offset < 5)
    assert np.all(skies.ts_max >= skies.ts_truth)
    pull = (skies.flux_truth - 5.0) / skies.flux_err_truth
    assert np.all(np.abs(pull) < 4)  # one in 15,000 lies beyond


def test_progress_counts_the_skies(model, grid):
    calls = []

    simulate_null(model, grid, 1, range(10, 13), lambda *numbers: calls.append(numbers))

    assert calls == [(1, 3), (2, 3), (3, 3)]


def test_fit_data_is_the_fit_of_the_observed_counts(telescope, model, grid):
    fit = fit_pixels(telescope.problem(model.counts), grid.directions)

    data = fit_data(model, grid)

    assert data.ts_max == fit.ts.max()
    assert data.best_flux == fit.flux[fit.ts.argmax()]
    assert data.median_err == np.median(fit.flux_err)


def test_choose_fluxes_passes_given_ones_on(model, grid):
    np.testing.assert_array_equal(choose_fluxes((1.0, 3.0), fit_data(model, grid)), [1.0, 3.0])


def test_fluxes_at_the_truth_have_no_bias_where_data_are_sparse(grid, silent):
    # counts by the dozen in 960 bins: held by bins with counts alone, fluxes fall below all models
    faint = toy.Telescope(background_counts=30.0)
    n_bin = faint.background.size
    model = faint.problem(np.zeros(n_bin), np.ones(n_bin, dtype=bool))

    skies = simulate_injected(model, grid, 3, range(60), np.array([0.002]), silent)

    lowest = [lowest_flux(model, direction) for direction in skies.direction]
    assert np.all(skies.flux_truth >= lowest)
    error = np.std(skies.flux_truth) / np.sqrt(skies.flux.size)
    assert abs(np.mean(skies.flux_truth) - 0.002) < 3 * error


def lowest_flux(model, direction):
    """Flux at which a source at a direction leaves nothing in some bin."""
    unit_counts = model.expectation.block(direction[np.newaxis]).unit_counts[0]
    return -1 / np.max(unit_counts / model.background)
