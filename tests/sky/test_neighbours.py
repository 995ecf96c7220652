import healpy
import numpy as np
import pytest

from skyquilt.sky.neighbours import neighbours


@pytest.mark.parametrize("nside", [1, 2, 4, 16, 64])
def test_neighbours_of_all_pixels_equal_those_of_healpy(nside):
    ipix = np.arange(12 * nside**2)

    found = neighbours(nside, ipix)

    np.testing.assert_array_equal(found, healpy.get_all_neighbours(nside, ipix, nest=True).T)


def test_neighbours_at_high_resolution_equal_those_of_healpy():
    nside = 8192
    borders = np.arange(12)[:, None] * nside**2 + np.array([0, 1, nside**2 // 3, nside**2 - 1])
    random = np.random.default_rng(2).integers(0, 12 * nside**2, 1000)
    ipix = np.concatenate([borders.ravel(), random])

    found = neighbours(nside, ipix)

    np.testing.assert_array_equal(found, healpy.get_all_neighbours(nside, ipix, nest=True).T)


def test_neighbours_of_a_pixel_that_does_not_exist_raises():
    with pytest.raises(ValueError, match="48"):
        neighbours(2, np.array([3, 48]))
