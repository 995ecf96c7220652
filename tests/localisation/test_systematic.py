"""Posterior convolved with a Gaussian: closed forms, and what must not change."""

import healpy
import numpy as np
import pytest

from skyquilt.config.refine import RefineOptions
from skyquilt.localisation import systematic
from skyquilt.localisation.posterior import localise
from skyquilt.localisation.refine.cells import make_goal
from skyquilt.localisation.refine.start import start_cells
from skyquilt.localisation.refine.steps import refine_map
from skyquilt.localisation.systematic import spread_probability, systematic_error
from skyquilt.maps.credible import cell_areas, find_credible_region, probability_density
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.skymap import SkyMap

CENTRE = healpy.ang2vec(30, 20, lonlat=True)


def gaussian_ts(vec, sigma):
    """TS of a position known to a Gaussian of `sigma` [deg] along each axis."""
    return 1e4 - np.sum((vec - CENTRE) ** 2, axis=-1) / np.radians(sigma) ** 2


def make_cells(order, sigma):
    uniq = (4 << 2 * order) + np.arange(12 << 2 * order)
    cells = MultiOrderMap("icrs", uniq, {})
    return MultiOrderMap("icrs", uniq, {"ts": gaussian_ts(cells.centres, sigma)})


def variance(cells, density):
    """Variance along an axis [deg2] about the centre."""
    chord = np.sum((cells.centres - CENTRE) ** 2, axis=1)
    return np.degrees(np.degrees(np.sum(density * cell_areas(cells) * chord))) / 2


@pytest.mark.parametrize("error", [1.0, 2.0, 4.0])
def test_gaussian_spread_by_a_gaussian_has_the_sum_of_variances(error):
    cells = make_cells(6, 2.0)
    before = probability_density(cells)
    after = spread_probability(cells, before, error)
    added = variance(cells, after) - variance(cells, before)
    # a Gaussian that ends at 4 standard errors lacks 9 exp(-8) of its variance, the sphere's
    # curvature takes less than that; 1e-4 of the probability, the farthest, stays where it is
    assert added == pytest.approx(error**2, rel=0.01)


@pytest.mark.parametrize("level", [0.5, 0.9])
def test_region_of_a_spread_gaussian_has_the_known_area(level):
    cells = make_cells(6, 2.0)
    density = spread_probability(cells, probability_density(cells), 3.0)
    region = find_credible_region(cells, density, level)
    # pi (2^2 + 3^2) chi2; a count of n cells in a circle scatters by 0.62 n^(1/4), three times that
    known = -2 * np.pi * 13 * np.log1p(-level)
    tolerance = (3 * 0.62 * region.cells.size**0.25 + 1) * cells.pixel_area[0]
    assert region.area == pytest.approx(known, abs=tolerance)


def test_point_becomes_the_gaussian_itself():
    cells = make_cells(6, 0.01)
    density = spread_probability(cells, probability_density(cells), 3.0)
    place = cells.find(CENTRE[np.newaxis])[0]
    sigma2 = np.radians(3.0) ** 2
    distance = 1 - cells.centres @ cells.centres[place]
    near = distance < 8 * sigma2 * 0.9
    known = np.exp(-distance / sigma2) / (2 * np.pi * sigma2)
    # what is beyond 4 standard errors, exp(-8) = 3.4e-4, is shared out
    np.testing.assert_allclose(density[near], known[near], rtol=5e-4)


@pytest.mark.parametrize("most_pairs", [10**9, 1])
def test_spread_in_blocks_and_from_cells_put_together_is_the_same(monkeypatch, most_pairs):
    cells = make_cells(7, 1.0)  # cells of 0.46 deg
    before = probability_density(cells)
    known = spread_probability(cells, before, 6.0)
    monkeypatch.setattr(systematic, "_MOST_PAIRS", most_pairs)
    monkeypatch.setattr(systematic, "_BLOCK_PAIRS", 10_000)

    density = spread_probability(cells, before, 6.0)

    assert np.sum(density * cell_areas(cells)) == pytest.approx(1, rel=1e-12)  # rounding
    # cells of an order whose side is below an eighth of the error add 1 / 768 to its variance at
    # most: at the centre the density falls by as much, 1 / 768
    peak = known.max()
    np.testing.assert_allclose(density, known, atol=peak * (1e-12 if most_pairs > 1 else 2e-3))


def test_no_probability_is_lost_and_none_goes_where_there_is_no_ts():
    cells = make_cells(5, 3.0)
    cells.ts[cells.centres[:, 2] < CENTRE[2]] = np.nan
    density = spread_probability(cells, probability_density(cells), 4.0)
    assert np.sum(density * cell_areas(cells)) == pytest.approx(1, rel=1e-12)  # rounding
    assert not density[np.isnan(cells.ts)].any()


def test_error_of_zero_and_cells_far_wider_than_the_error_change_nothing():
    cells = make_cells(3, 20.0)  # cells of 7.3 deg
    before = probability_density(cells)
    for error in (0.0, 3.0):
        np.testing.assert_array_equal(spread_probability(cells, before, error), before)


@pytest.mark.parametrize("level", [0.5, 0.9])
@pytest.mark.parametrize("sigma", [0.05, 0.5, 3.0])
def test_refined_cells_resolve_the_widened_region(sigma, level):
    error, order = 1.0, 4
    ipix = np.arange(12 << 2 * order)
    ts = gaussian_ts(np.stack(healpy.pix2vec(1 << order, ipix, nest=True), axis=-1), sigma)
    goal = make_goal(RefineOptions(), (level,), order, error)

    def evaluate(uniq):
        return {"ts": gaussian_ts(MultiOrderMap("icrs", uniq, {}).centres, sigma)}

    start = start_cells(SkyMap(1 << order, "icrs", ipix, {"ts": ts}), goal)
    cells = refine_map(start, evaluate, goal)
    region = localise(cells, (level,), error=error).credible[0]
    known = -2 * np.pi * (sigma**2 + error**2) * np.log1p(-level)
    # 79 cells or more: a count scatters by 0.62 n^(-3/4), 2.3 %, three times that
    assert region.area == pytest.approx(known, rel=0.07)
    assert region.is_resolved


def test_error_of_the_configuration_wins_over_the_pixels_of_the_response():
    assert systematic_error(0, 7.3) == 0
    assert systematic_error("auto", 0.0) == 0
