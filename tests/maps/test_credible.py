import healpy
import numpy as np
import pytest

from skyquilt.localisation.standing import find_standing
from skyquilt.maps.containment import find_region
from skyquilt.maps.credible import (
    cell_areas,
    find_credible_region,
    probability_density,
    probability_inside,
)
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.skymap import SkyMap
from skyquilt.sky.uniq import to_uniq

LEVELS = (0.5, 0.68, 0.9, 0.95)


def gaussian(*peaks, nside=64, sigma=8.0):
    """Map of likelihood exp(TS / 2) the sum of Gaussians; a peak is longitude, latitude, weight."""
    ipix = np.arange(12 * nside**2)
    vec = np.stack(healpy.pix2vec(nside, ipix, nest=True), axis=-1)
    log = [
        np.log(weight) - (1 - vec @ healpy.ang2vec(lon, lat, lonlat=True)) / np.radians(sigma) ** 2
        for lon, lat, weight in peaks
    ]
    return MultiOrderMap.from_skymap(
        SkyMap(nside, "icrs", ipix, {"ts": 2 * np.logaddexp.reduce(log) + 50})
    )


def coarsen_far_cells(cells, lon, lat, radius):
    """The same function of the sky in cells eight times as wide beyond a distance."""
    nside = 1 << cells.max_order
    near = cells.centres @ healpy.ang2vec(lon, lat, lonlat=True) > np.cos(np.radians(radius))
    is_fine = near.reshape(-1, 64).any(axis=1)
    coarse = gaussian((lon, lat, 1), nside=nside // 8)
    ts = [*cells.ts.reshape(-1, 64)[is_fine].ravel(), *coarse.ts[~is_fine]]
    uniq = np.append(cells.uniq.reshape(-1, 64)[is_fine].ravel(), coarse.uniq[~is_fine])
    first = np.append(np.flatnonzero(np.repeat(is_fine, 64)), 64 * np.flatnonzero(~is_fine))
    order = np.argsort(first)
    return MultiOrderMap("icrs", uniq[order], {"ts": np.array(ts)[order]})


def analytic_area(level, sigma=8.0):
    """Area [deg2] of the cap that holds a share of exp(-(1 - cos r) / sigma^2)."""
    s = np.radians(sigma) ** 2
    height = -s * np.log1p(-level * -np.expm1(-2 / s))  # 1 - cos r
    return np.degrees(np.degrees(2 * np.pi * height))


@pytest.fixture(scope="module")
def peak():
    return gaussian((30, 20, 1))


def test_density_integrates_to_one(peak):
    density = probability_density(peak)
    # rounding of a sum of 49152 terms
    assert np.sum(density * healpy.nside2pixarea(64)) == pytest.approx(1, rel=1e-12)


def test_density_is_exp_of_half_ts(peak):
    density = probability_density(peak)
    ratio = np.log(density / density.max())
    np.testing.assert_allclose(ratio, (peak.ts - peak.ts.max()) / 2, atol=1e-10)  # rounding


@pytest.mark.parametrize("ts", [1e2, 1e5, 1e9])
def test_density_of_large_ts_does_not_overflow(peak, ts):
    moved = MultiOrderMap("icrs", peak.uniq, {"ts": peak.ts + ts})
    # TS is rounded to 1e-7 at 1e9
    np.testing.assert_allclose(probability_density(moved), probability_density(peak), rtol=1e-6)


@pytest.mark.parametrize("level", LEVELS)
def test_credible_region_of_a_gaussian_has_the_known_area(peak, level):
    region = find_credible_region(peak, probability_density(peak), level)
    n = region.cells.size
    # scatter 0.62 n^(3/4) cells of a count of cells in a circle (three times that), and the
    # one that crosses the level
    tolerance = (3 * 0.62 * n**0.25 + 1) * peak.pixel_area[0]
    assert region.area == pytest.approx(analytic_area(level), abs=tolerance)
    assert n > 100


@pytest.mark.parametrize("level", LEVELS)
def test_credible_region_of_a_gaussian_is_its_containment_region(peak, level):
    credible = find_credible_region(peak, probability_density(peak), level)
    containment = find_region(peak, level)
    # on the sphere the tail is cut at the antipode, exp(-100): no difference; the cell that
    # crosses, and the share of cells at the edge, by the scatter of a count in a circle
    n = containment.cells.size
    assert abs(credible.cells.size - n) <= 3 * 0.62 * n**0.25 + 1
    small, large = sorted((credible.cells, containment.cells), key=len)
    assert np.isin(small, large).all()


@pytest.mark.parametrize("level", LEVELS)
def test_region_of_many_orders_is_that_of_the_fine_map(peak, level):
    mixed = coarsen_far_cells(peak, 30, 20, 35)
    assert mixed.uniq.size < peak.uniq.size / 3
    fine = find_credible_region(peak, probability_density(peak), level)
    region = find_credible_region(mixed, probability_density(mixed), level)
    # the posterior beyond 35 deg, 4.4 sigma, is 7e-5, there in cells of half a sigma
    assert region.area == pytest.approx(fine.area, abs=1.5 * peak.pixel_area[0])


def test_credible_region_holds_its_level_and_no_cell_too_many(peak):
    density = probability_density(peak)
    region = find_credible_region(peak, density, 0.9)
    assert probability_inside(peak, density, region.cells) >= 0.9
    assert (
        probability_inside(peak, density, region.cells[density[region.cells] > region.threshold])
        < 0.9
    )


def test_credible_region_of_equal_cells_holds_them_all():
    cells = MultiOrderMap("icrs", np.arange(4, 16), {"ts": np.zeros(12)})
    assert find_credible_region(cells, probability_density(cells), 0.5).cells.size == 12


def test_two_peaks_are_two_parts_with_their_shares():
    cells = gaussian((30, 20, 1), (200, -40, 3))
    density = probability_density(cells)
    region = find_credible_region(cells, density, 0.9)
    fractions = [probability_inside(cells, density, part.cells) for part in region.parts]
    assert len(region.parts) == 2
    # the region is a level of density: of each peak, 1 - t / weight with the same t,
    # (4 - 2 t) / 4 = 0.9; a cell holds up to 0.2 %
    np.testing.assert_allclose(fractions, [2.8 / 4, 0.8 / 4], atol=0.004)
    lon, lat = healpy.vec2ang(cells.centres[region.parts[0].maxima[0]], lonlat=True)
    assert (lon[0], lat[0]) == pytest.approx((200, -40), abs=1)  # pixels of 0.9 deg


def test_coarse_cell_counts_with_its_area():
    uniq = np.append(to_uniq(1, np.arange(4)), 5)
    cells = MultiOrderMap("icrs", uniq, {"ts": np.zeros(5)})
    density = probability_density(cells)
    assert probability_inside(cells, density, [4]) == pytest.approx(0.5, rel=1e-12)
    np.testing.assert_allclose(density, 1 / (2 * np.pi / 3), rtol=1e-12)


def test_prior_multiplies_the_density():
    cells = MultiOrderMap("icrs", np.arange(4, 16), {"ts": np.zeros(12)})
    prior = np.arange(12.0)
    density = probability_density(cells, prior)
    np.testing.assert_allclose(density * cell_areas(cells), prior / 66, rtol=1e-12)


def test_cells_without_ts_or_prior_have_no_probability():
    ts = np.array([5.0, np.nan, 5.0, 5.0])
    cells = MultiOrderMap("icrs", np.arange(4, 8), {"ts": ts})
    density = probability_density(cells, np.array([1.0, 1.0, 0.0, np.nan]))
    assert density[1:].tolist() == [0, 0, 0]
    assert density[0] == pytest.approx(3 / np.pi, rel=1e-12)


def test_map_without_possible_cell_is_refused():
    cells = MultiOrderMap("icrs", np.arange(4, 6), {"ts": np.array([1.0, np.nan])})
    with pytest.raises(ValueError, match="no pixel has a TS and a prior above 0"):
        probability_density(cells, np.array([0.0, 1.0]))


@pytest.mark.parametrize("level", [0.0, 1.0, 90, np.nan])
def test_level_outside_0_to_1_is_refused(peak, level):
    with pytest.raises(ValueError, match="allowed are numbers between 0 and 1"):
        find_credible_region(peak, probability_density(peak), level)


@pytest.mark.parametrize("distance", [2.0, 8.0, 15.0])
def test_searched_probability_and_area_of_a_gaussian_are_the_known_ones(peak, distance):
    density = probability_density(peak)
    direction = healpy.ang2vec(30, 20 + distance, lonlat=True)
    place = peak.find(direction[None])[0]
    known = MultiOrderMap(peak.frame, peak.uniq, {**peak.columns, "probdensity": density})
    found = find_standing(known, direction)
    cosine = peak.centres[place] @ healpy.ang2vec(30, 20, lonlat=True)
    level = -np.expm1(-(1 - cosine) / np.radians(8.0) ** 2)
    n = found.area / peak.pixel_area[0]
    # as for the area of a region; a cell of the density there holds the probability
    cells_off = 3 * 0.62 * n**0.25 + 1
    assert found.area == pytest.approx(analytic_area(level), abs=cells_off * peak.pixel_area[0])
    cell = density[place] * cell_areas(peak)[place]
    assert found.probability == pytest.approx(level, abs=cells_off * cell)
