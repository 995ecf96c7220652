"""How much of the sky data cover."""

import numpy as np
import pytest

from skyquilt.problem.extent import exposed_extent, extent_of, joint_extent, least_extent
from skyquilt.problem.joint import Joint, Part
from skyquilt.problem.sky_grid import HealpixGrid
from skyquilt.sky.frames import lonlat_to_vec
from skyquilt.sky.healpix import ring_to_vec
from skyquilt.testing.eventsky import event_model
from skyquilt.testing.two_bands import two_band_model


def test_extent_is_the_farthest_from_the_middle():
    corners = lonlat_to_vec([10.0, 14.0, 12.0], [0.0, 0.0, 1.0])
    middle = corners.mean(axis=0)
    farthest = np.arccos(np.min(corners @ middle / np.linalg.norm(middle)))
    assert extent_of(corners) == pytest.approx(farthest, rel=1e-12)


def test_directions_all_around_or_none_have_no_extent():
    assert extent_of(ring_to_vec(2, np.arange(48))) is None
    assert extent_of(np.empty((0, 3))) is None


def test_exposure_of_a_circle_has_its_radius():
    nside, radius = 32, np.radians(20)
    center = lonlat_to_vec(40.0, 30.0)
    is_in = ring_to_vec(nside, np.arange(12 * nside**2)) @ center > np.cos(radius)
    found = exposed_extent(HealpixGrid(nside, is_in[:, np.newaxis].astype(float)))
    size = np.sqrt(np.pi / 3) / nside  # of a pixel
    assert radius - size < found < radius + 1.5 * size
    assert exposed_extent(HealpixGrid(1, np.ones((12, 1)))) is None


def test_what_is_not_known_bounds_nothing():
    assert least_extent(None, 0.2, 0.1) == 0.1
    assert least_extent(None) is None
    assert joint_extent(0.2, 0.1) == 0.2
    assert joint_extent(None, 0.1) is None


def test_joint_data_are_as_sharp_as_their_sharpest():
    wide, sharp = (two_band_model((w, w), (1.0, 1.0), 4).expectation for w in (6.0, 3.0))
    joint = Joint((Part(wide, "galactic"), Part(sharp, "icrs")), "galactic")
    # 39 % of the photons of a Gaussian are within one standard deviation
    assert joint.core == sharp.core == pytest.approx(np.radians(3.0), rel=0.01)
    assert joint.extent is None
    assert event_model().expectation.extent is None
