import healpy
import numpy as np
import pytest
from scipy.stats import chi2

from skyquilt.maps.containment import RESOLVED_PIXELS, containment_threshold, find_region
from skyquilt.maps.skymap import SkyMap

NSIDE = 8
ALL = np.arange(12 * NSIDE**2)


def make(high, ipix=ALL, ts=20.0):
    """Map of TS `ts` in the pixels `high`, 0 elsewhere."""
    return SkyMap(NSIDE, "galactic", ipix, {"ts": np.where(np.isin(ipix, high), ts, 0.0)})


def around(ipix):
    return np.append(healpy.get_all_neighbours(NSIDE, ipix, nest=True), ipix)


@pytest.mark.parametrize("level", [0.01, 0.5, 0.683, 0.9, 0.999999])
def test_containment_threshold_equals_chi2_of_two_degrees(level):
    # both are double precision; scipy inverts the incomplete gamma function numerically
    assert containment_threshold(level) == pytest.approx(chi2.ppf(level, 2), rel=1e-10)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 90, np.nan])
def test_region_at_level_outside_0_to_1_is_refused(level):
    with pytest.raises(ValueError, match="allowed are numbers between 0 and 1"):
        find_region(make([0]), level)


def test_region_of_map_without_ts_is_refused():
    with pytest.raises(ValueError, match="no pixel has a TS"):
        find_region(make(ALL, ts=np.nan), 0.9)


def test_region_holds_pixels_up_to_the_threshold_and_no_others():
    threshold = containment_threshold(0.9)
    ts = np.zeros(ALL.size)
    ts[[5, 9, 100]] = 50.0, 50.0 - threshold * (1 - 1e-12), 50.0 - threshold * (1 + 1e-12)
    region = find_region(SkyMap(NSIDE, "galactic", ALL, {"ts": ts}), 0.9)
    assert region.ipix.tolist() == [5, 9]
    assert (region.level, region.threshold) == (0.9, threshold)


def test_region_at_higher_level_holds_that_of_lower():
    ts = 30 - np.arange(ALL.size) * 0.1
    skymap = SkyMap(NSIDE, "galactic", ALL, {"ts": ts})
    low, high = (find_region(skymap, level).ipix for level in (0.683, 0.9))
    assert 0 < low.size < high.size
    assert np.isin(low, high).all()


def test_area_is_that_of_the_pixels():
    region = find_region(make([5, 9, 100]), 0.9)
    # only rounding
    assert region.area == pytest.approx(3 * healpy.nside2pixarea(NSIDE, degrees=True), rel=1e-12)


@pytest.mark.parametrize(("ipix", "n_parts"), [([7], 1), ([7, 500], 2), ([7, 300, 500], 3)])
def test_parts_of_separate_patches_are_counted(ipix, n_parts):
    high = np.concatenate([around(at) for at in ipix])
    assert find_region(make(high), 0.9).n_parts == n_parts


@pytest.mark.parametrize("ipix", [0, 63, 256, 400])  # in and between base pixels
def test_parts_that_touch_at_a_corner_are_one(ipix):
    north = healpy.get_all_neighbours(NSIDE, ipix, nest=True)[3]
    if north < 0:
        north = healpy.get_all_neighbours(NSIDE, ipix, nest=True)[7]
    assert find_region(make([ipix, north]), 0.9).n_parts == 1


def test_parts_of_the_whole_sky_are_one():
    assert find_region(make(ALL, ts=0.0), 0.9).n_parts == 1


@pytest.mark.parametrize("n_pixels", [1, RESOLVED_PIXELS - 1, RESOLVED_PIXELS, 40])
def test_region_is_resolved_from_ten_pixels_on(n_pixels):
    assert find_region(make(np.arange(n_pixels)), 0.9).is_resolved == (n_pixels >= 10)


def test_area_of_ten_pixels_from_gaussian_peak_is_good_to_a_tenth():
    # the reason for RESOLVED_PIXELS: square grid, TS falling as r^2, peak anywhere in a pixel
    rng = np.random.default_rng(1)
    grid = np.stack(np.meshgrid(np.arange(-5, 6), np.arange(-5, 6)), axis=-1).reshape(-1, 2)
    offsets = rng.uniform(-0.5, 0.5, (4000, 1, 2))
    square = np.sum((grid - offsets) ** 2, axis=-1)
    inside = square - square.min(axis=1, keepdims=True) <= RESOLVED_PIXELS / np.pi
    ratio = inside.sum(axis=1) / RESOLVED_PIXELS
    # 4000 trials: standard error of mean and scatter 0.002
    assert ratio.mean() == pytest.approx(1.052, abs=0.01)
    assert ratio.std() == pytest.approx(0.11, abs=0.01)


def test_region_inside_a_partial_map_is_not_cut():
    patch = np.unique(np.concatenate([around(at) for at in around(300)]))
    assert not find_region(make([300], ipix=patch), 0.9).is_cut


def test_region_at_the_edge_of_a_partial_map_is_cut():
    assert find_region(make([300], ipix=np.sort(around(300))[1:]), 0.9).is_cut


def test_region_beside_a_failed_pixel_is_cut_and_leaves_it_out():
    skymap = make(around(300))
    failed = around(300)[0]
    skymap.columns["ts"][failed] = np.nan
    region = find_region(skymap, 0.9)
    assert region.is_cut
    assert failed not in region.ipix
