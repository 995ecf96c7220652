"""Regions of the sky."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skyquilt.sky.frames import lonlat_to_vec, separation
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.sky.regions import (
    cone,
    full_sky,
    ipix_from_ranges,
    listed,
    polygon,
    ranges_from_ipix,
)

SQUARE = np.array([[0.0, 0], [20, 0], [20, 20], [0, 20]])


@settings(derandomize=True, deadline=None)
@given(st.lists(st.integers(0, 200)))
def test_ranges_round_trip(ipix):
    ranges = ranges_from_ipix(np.array(ipix, dtype=np.int64))
    assert np.array_equal(ipix_from_ranges(ranges), np.unique(np.array(ipix, dtype=np.int64)))
    assert np.all(np.diff(ranges.ravel()) > 0)  # ascending, and merged where they touch


def test_full_sky_holds_all_pixels():
    assert np.array_equal(ipix_from_ranges(full_sky(4)), np.arange(192))


@pytest.mark.parametrize("radius", [3.0, 50.0, 119.0])
@pytest.mark.parametrize("lat", [0.0, 89.0, -90.0])
def test_cone_holds_exactly_the_centres_inside(radius, lat):
    center = lonlat_to_vec(359.0, lat)
    inside = separation(nest_to_vec(32, np.arange(12 * 32**2)), center) < radius
    assert np.array_equal(ipix_from_ranges(cone(32, center, radius)), np.flatnonzero(inside))


def test_cone_of_180_deg_is_the_whole_sky():
    assert np.array_equal(cone(4, lonlat_to_vec(1.0, 2.0), 180.0), full_sky(4))


@pytest.mark.parametrize("radius", [0.0, -1.0, 180.1, np.nan])
def test_cone_when_radius_is_not_allowed_names_it(radius):
    with pytest.raises(ValueError, match=rf"radius {radius} deg: allowed is above 0 to 180"):
        cone(4, lonlat_to_vec(0.0, 0.0), radius)


def test_cone_when_no_centre_is_inside_says_what_to_do():
    with pytest.raises(ValueError, match=r"cone of radius 0.1 deg holds no centre.*raise nside"):
        cone(4, lonlat_to_vec(1.0, 1.0), 0.1)


@pytest.mark.parametrize("corners", [SQUARE, SQUARE[::-1]])
def test_polygon_holds_exactly_the_centres_inside(corners):
    vertices = lonlat_to_vec(*corners.T)
    normals = np.cross(vertices, np.roll(vertices, -1, axis=0))
    sides = nest_to_vec(32, np.arange(12 * 32**2)) @ normals.T
    inside = np.all(sides > 0, axis=1) | np.all(sides < 0, axis=1)
    near = separation(nest_to_vec(32, np.arange(12 * 32**2)), lonlat_to_vec(10.0, 10.0)) < 90
    found = ipix_from_ranges(polygon(32, vertices))
    assert np.array_equal(found, np.flatnonzero(inside & near))


def test_polygon_when_two_vertices_asks_for_three():
    with pytest.raises(ValueError, match="2 vertices: a polygon needs at least 3"):
        polygon(4, lonlat_to_vec(*SQUARE[:2].T))


@pytest.mark.parametrize(
    "corners",
    [
        SQUARE[[0, 2, 1, 3]],  # crosses itself
        np.array([[0.0, 0], [20, 0], [5, 5], [0, 20]]),  # a corner turned in
        np.array([[0.0, 0], [10, 0], [20, 0]]),  # no area
        np.array([[0.0, 0], [0, 0], [20, 0], [0, 20]]),  # a corner twice
    ],
)
def test_polygon_when_not_convex_is_refused(corners):
    with pytest.raises(ValueError, match="allowed is a convex polygon"):
        polygon(4, lonlat_to_vec(*corners.T))


def test_polygon_when_no_centre_is_inside_says_what_to_do():
    with pytest.raises(ValueError, match="polygon holds no centre"):
        polygon(1, lonlat_to_vec(*(SQUARE / 20 + 1).T))


def test_listed_when_nested_keeps_numbers():
    assert np.array_equal(ipix_from_ranges(listed(2, [9, 4, 4], "nested")), [4, 9])


def test_listed_when_ring_gives_the_same_directions():
    from skyquilt.sky.healpix import ring_to_vec

    found = nest_to_vec(2, ipix_from_ranges(listed(2, [30, 7], "ring")))
    expected = ring_to_vec(2, [30, 7])
    assert {tuple(vec) for vec in found} == {tuple(vec) for vec in expected}


def test_listed_when_pixel_does_not_exist_names_it():
    with pytest.raises(ValueError, match="pixel 48: allowed are 0 to 47 at nside 2"):
        listed(2, [48], "ring")


def test_listed_when_ordering_is_unknown_names_it():
    with pytest.raises(ValueError, match="ordering 'NEST': allowed are nested, ring"):
        listed(2, [1], "NEST")
