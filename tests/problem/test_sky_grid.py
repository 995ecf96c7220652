import healpy
import numpy as np
import pytest

from skyquilt.problem.sky_grid import HealpixGrid

VALUES = np.random.default_rng(1).uniform(1, 2, (192, 3))


@pytest.fixture
def directions():
    vec = np.random.default_rng(2).normal(size=(50, 3))
    return vec / np.linalg.norm(vec, axis=1)[:, np.newaxis]


def test_values_between_pixels_equal_healpy(directions):
    found = HealpixGrid(4, VALUES).at(directions)

    theta, phi = healpy.vec2ang(directions)
    for k in range(3):
        expected = healpy.get_interp_val(VALUES[:, k], theta, phi)
        # same weights, added in another order
        np.testing.assert_allclose(found[:, k], expected, rtol=1e-12)


def test_missing_pixels_count_as_zero(directions):
    ipix = np.arange(0, 192, 2)
    whole = VALUES.copy()
    whole[1::2] = 0

    found = HealpixGrid(4, VALUES[ipix], ipix).at(directions)

    np.testing.assert_allclose(found, HealpixGrid(4, whole).at(directions), rtol=1e-12)


@pytest.mark.parametrize(
    ("values", "ipix", "message"),
    [
        (VALUES[:-1], None, "shape"),
        (VALUES * np.inf, None, "not finite"),
        (VALUES[:2], np.array([5, 3]), "ascending"),
        (VALUES[:2], np.array([5, 192]), "pixel 192"),
    ],
)
def test_impossible_grids_are_refused(values, ipix, message):
    with pytest.raises(ValueError, match=message):
        HealpixGrid(4, values, ipix)
