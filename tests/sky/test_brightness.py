import numpy as np
import pytest

from skyquilt.sky.brightness import Brightness
from skyquilt.sky.frames import lonlat_to_vec

CENTER = np.array([1.0, 0.0, 0.0])


def squares(n, side, lon=0.0, lat=0.0, weight=None):
    """n by n pixels of a side [deg] around a place near the equator."""
    at = (np.arange(n) - (n - 1) / 2) * side
    x, y = (values.ravel() for values in np.meshgrid(lon + at, lat + at))
    corner = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * side / 2
    corners = lonlat_to_vec(x[:, np.newaxis] + corner[:, 0], y[:, np.newaxis] + corner[:, 1])
    weight = np.ones(n * n) if weight is None else weight
    return Brightness(corners, weight / weight.sum())


def moments(nodes):
    east, north = np.degrees(nodes.east), np.degrees(nodes.north)
    return [nodes.weight @ part for part in (east, north, east**2, north**2)]


def test_centre_is_that_of_the_brightness():
    weight = np.zeros(25)
    weight[[0, 24]] = 1, 3  # -2 and 2 pixels from the middle
    found = squares(5, 0.1, weight=weight).center()
    np.testing.assert_allclose(found, lonlat_to_vec(0.1, 0.1), atol=1e-6)


def test_map_all_around_has_no_centre():
    both = np.concatenate([squares(1, 1.0).corners, -squares(1, 1.0).corners])
    with pytest.raises(ValueError, match="as bright on one side"):
        Brightness(both, np.full(2, 0.5)).center()


@pytest.mark.parametrize("core", [np.inf, 0.3, 0.05])
def test_nodes_have_the_moments_of_the_pixels(core):
    nodes = squares(8, 0.2).nodes(CENTER, np.radians(core))
    first, second, *variance = moments(nodes)
    assert nodes.weight.sum() == pytest.approx(1, rel=1e-12)
    assert abs(first) + abs(second) < 1e-6
    # of 8 points 0.2 apart to a uniform square of 1.6 deg, the more points the nearer
    n = round(np.sqrt(nodes.weight.size))
    np.testing.assert_allclose(variance, 1.6**2 / 12 * (1 - 1 / n**2), rtol=1e-3)


def test_pixels_wider_than_the_core_have_several_directions():
    assert squares(3, 0.5).nodes(CENTER, np.radians(1.0)).weight.size == 9
    # 0.5 / (1.2 * 0.1) is 4.2, so 5 by 5 in each
    assert squares(3, 0.5).nodes(CENTER, np.radians(0.1)).weight.size == 9 * 25


def test_many_small_pixels_share_directions():
    rng = np.random.default_rng(1)
    fine = squares(120, 0.01, weight=rng.uniform(size=14_400))
    each, together = fine.nodes(CENTER, np.radians(0.01)), fine.nodes(CENTER, np.radians(0.5))
    assert each.weight.size == 14_400
    assert together.weight.size < 4_000
    np.testing.assert_allclose(moments(together)[:2], moments(each)[:2], atol=1e-9)
    np.testing.assert_allclose(moments(together)[2:], moments(each)[2:], rtol=2e-3)


def test_offsets_count_from_the_centre_that_is_given():
    nodes = squares(1, 0.1, lon=3.0).nodes(lonlat_to_vec(2.0, 0.0))
    assert np.degrees(np.arcsin(nodes.east[0])) == pytest.approx(1.0, abs=1e-6)


def test_pixel_a_quarter_of_the_sky_away_is_refused():
    with pytest.raises(ValueError, match="bright 95 deg from its centre"):
        squares(1, 0.1, lon=95.0).nodes(CENTER)


def test_too_many_directions_are_refused():
    with pytest.raises(ValueError, match=r"needs .* directions"):
        squares(100, 1.0).nodes(CENTER, np.radians(0.01))
