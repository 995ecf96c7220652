import numpy as np
import pytest
from scipy.stats import chi2

from skyquilt.maps.containment import containment_level, containment_threshold, find_region
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.skymap import SkyMap

NSIDE = 8
ALL = np.arange(12 * NSIDE**2)


def make(high, ipix=ALL, ts=20.0):
    """Map of TS `ts` in the pixels `high`, 0 elsewhere."""
    return make_map(np.where(np.isin(ipix, high), ts, 0.0), ipix)


def make_map(ts, ipix=ALL):
    return MultiOrderMap.from_skymap(SkyMap(NSIDE, "galactic", ipix, {"ts": ts}))


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
    region = find_region(make_map(ts), 0.9)
    assert region.cells.tolist() == [5, 9]
    assert (region.level, region.threshold) == (0.9, threshold)


def test_region_at_higher_level_holds_that_of_lower():
    ts = 30 - np.arange(ALL.size) * 0.1
    skymap = make_map(ts)
    low, high = (find_region(skymap, level).cells for level in (0.683, 0.9))
    assert 0 < low.size < high.size
    assert np.isin(low, high).all()


@pytest.mark.parametrize("level", [0.01, 0.683, 0.9])
def test_level_of_the_threshold_is_the_level(level):
    # only rounding
    assert containment_level(containment_threshold(level)) == pytest.approx(level, rel=1e-14)
