import re

import healpy
import numpy as np
import pytest

from skyquilt.localisation.ds9 import format_ds9
from skyquilt.sky.moc import merge_ranges, ranges_to_uniq
from skyquilt.sky.regions import ranges_from_ipix

NSIDE = 32


def disc(lon, lat, radius):
    return healpy.query_disc(
        NSIDE, healpy.ang2vec(lon, lat, lonlat=True), np.radians(radius), nest=True
    )


def write(ipix, **options):
    uniq = ranges_to_uniq(merge_ranges(ranges_from_ipix(ipix)), 5)
    arguments = {"comments": ["made for a test"], "label": "90 %"} | options
    return format_ds9(uniq, **arguments)


def polygons(text):
    """Sign, and longitude and latitude of the corners."""
    found = re.findall(r"^(-?)polygon\((.*?)\)", text, re.MULTILINE)
    return [(sign, np.array(at.split(","), dtype=float).reshape(-1, 2)) for sign, at in found]


def planar_area(corners):
    """Area [deg2] of a small polygon, by the cylindrical equal-area projection."""
    x, y = np.radians(corners[:, 0]), np.sin(np.radians(corners[:, 1]))
    return abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2 * np.degrees(1) ** 2


def test_text_says_format_frame_and_comments():
    lines = write(disc(80, 30, 10)).splitlines()
    assert lines[:3] == ["# Region file format: DS9 version 4.1", "# made for a test", "icrs"]
    assert lines[3].endswith(" # text={90 %}")


def test_polygon_has_the_area_of_the_pixels():
    ipix = disc(80, 30, 10)
    ((sign, corners),) = polygons(write(ipix))
    assert sign == ""
    # sides are straight in the projection rather than on the sphere
    area = ipix.size * healpy.nside2pixarea(NSIDE, degrees=True)
    assert planar_area(corners) == pytest.approx(area, rel=0.01)


def test_hole_is_excluded():
    ring = np.setdiff1d(disc(80, 30, 15), disc(80, 30, 8))
    outer, inner = polygons(write(ring))
    assert (outer[0], inner[0]) == ("", "-")
    area = ring.size * healpy.nside2pixarea(NSIDE, degrees=True)
    assert planar_area(outer[1]) - planar_area(inner[1]) == pytest.approx(area, rel=0.01)


def test_parts_are_polygons_of_their_own_the_longest_first_and_labelled():
    text = write(np.union1d(disc(80, 30, 4), disc(200, -40, 12)))
    (_, first), (_, second) = polygons(text)
    assert len(first) > len(second)
    assert first[:, 0].min() > 150
    assert text.count("text={90 %}") == 1


def test_whole_sky_has_no_polygon():
    assert polygons(write(np.arange(12 * NSIDE**2))) == []
