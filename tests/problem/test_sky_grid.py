import healpy
import numpy as np
import pytest

from skyquilt.problem.sky_grid import HealpixGrid, known_values
from skyquilt.status import GOOD, NO_EXPOSURE

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


def test_missing_pixels_are_not_known(directions):
    ipix = np.arange(0, 192, 2)

    found = HealpixGrid(4, VALUES[ipix], ipix).at(directions)

    is_missing = ~np.isin(healpy.vec2pix(4, *directions.T), ipix)
    np.testing.assert_array_equal(np.isnan(found).all(axis=1), is_missing)
    np.testing.assert_array_equal(np.isnan(found).any(axis=1), is_missing)


@pytest.mark.parametrize("ipix", [np.arange(100), np.arange(0, 192, 2), np.array([77])])
def test_constant_is_constant_up_to_the_edge_of_the_pixels_that_are_there(ipix):
    inside = healpy.boundaries(4, ipix, step=3)
    centers = np.array(healpy.pix2vec(4, ipix)).T
    places = 0.99 * np.moveaxis(inside, 1, 2) + 0.01 * centers[:, np.newaxis]
    places = places.reshape(-1, 3) / np.linalg.norm(places.reshape(-1, 3), axis=1)[:, np.newaxis]

    found = HealpixGrid(4, np.full((len(ipix), 2), 7.0), ipix).at(places)

    np.testing.assert_allclose(found, 7.0, rtol=1e-12)


def test_what_is_not_known_is_a_status_and_no_value(directions):
    ipix = np.arange(96)

    values, status = known_values(HealpixGrid(4, VALUES[ipix], ipix), directions)

    is_missing = ~np.isin(healpy.vec2pix(4, *directions.T), ipix)
    np.testing.assert_array_equal(status, np.where(is_missing, NO_EXPOSURE, GOOD))
    assert np.all(values[is_missing] == 0)
    assert np.all(values[~is_missing] > 0)


@pytest.mark.parametrize(
    ("values", "ipix", "message"),
    [
        (VALUES[:-1], None, "shape"),
        (VALUES * np.inf, None, "not finite"),
        (VALUES[:2], np.array([5, 3]), "ascending"),
        (VALUES[:2], np.array([5, 192]), "pixel 192"),
        (VALUES[:0], np.array([], int), "no pixel"),
    ],
)
def test_impossible_grids_are_refused(values, ipix, message):
    with pytest.raises(ValueError, match=message):
        HealpixGrid(4, values, ipix)
