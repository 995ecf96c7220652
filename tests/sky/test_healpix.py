"""Directions and neighbours against healpy."""

import healpy
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from skyquilt.sky.healpix import (
    check_directions,
    interp_ring,
    nest_to_vec,
    ring_to_vec,
    vec_to_nest,
    vec_to_ring,
)

NSIDES = [2**order for order in range(14)]


def random_vec(n, seed=3):
    vec = np.random.default_rng(seed).normal(size=(n, 3))
    return vec / np.linalg.norm(vec, axis=1, keepdims=True)


def special_vec(nside):
    """Axes, and directions next to a pole, to the equator, and to the borders of the caps."""
    theta = np.array([1e-12, 1e-7, 1e-3, np.arccos(2 / 3), np.pi / 2])
    theta = np.concatenate([theta, theta + 1e-9, np.pi - theta, np.pi - theta - 1e-9])
    phi = np.concatenate([np.arange(8) * np.pi / 4, [1e-9, 2 * np.pi - 1e-9, 0.3 / nside]])
    theta, phi = (grid.ravel() for grid in np.meshgrid(theta, phi))
    z = np.nextafter(2 / 3, 1)  # one rounding inside the caps, on the corners of base pixels
    x = np.nextafter(np.sqrt(1 - z**2), 1)
    corners = [[x, 0, z], [0, x, z], [-x, 0, z], [x, 0, -z], [0, x, -z], [0, -x, -z]]
    return np.concatenate([healpy.ang2vec(theta, phi), corners])


def healpy_pixels_around(nside, vec, nest):
    """healpy's pixels of directions and of such as are a rounding away."""
    shifts = 1e-15 * np.array(
        [[x, y, z] for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1)]
    )
    around = vec[:, np.newaxis] + shifts
    return healpy.vec2pix(nside, *np.moveaxis(around, -1, 0), nest=nest)


def centres(nside):
    npix = 12 * nside**2
    ipix = np.random.default_rng(4).integers(0, npix, 5000) if npix > 5000 else np.arange(npix)
    return ring_to_vec(nside, ipix)


def interp_difference(nside, vec):
    """Largest difference between our and healpy's weight of any pixel of the sky.

    A direction on a ring may take either neighbouring ring, with weight 0 on it: weights are
    compared pixel by pixel of the sky, not place by place.
    """
    ipix, weight = interp_ring(nside, vec)
    theta = np.arctan2(np.hypot(vec[:, 0], vec[:, 1]), vec[:, 2])  # vec2ang loses digits at poles
    phi = np.arctan2(vec[:, 1], vec[:, 0])
    theirs, their_weight = healpy.get_interp_weights(nside, theta, phi)
    row = np.repeat(np.arange(len(vec)), 8)
    key = row * 12 * nside**2 + np.concatenate([ipix, theirs.T], axis=1).ravel()
    signed = np.concatenate([weight, -their_weight.T], axis=1).ravel()
    _, group = np.unique(key, return_inverse=True)
    return np.abs(np.bincount(group, signed)).max()


@pytest.mark.parametrize("nside", NSIDES)
def test_nest_to_vec_equals_healpy(nside):
    ipix = vec_to_nest(nside, random_vec(5000))
    expected = np.stack(healpy.pix2vec(nside, ipix, nest=True), axis=1)
    # a few roundings of numbers up to 2 pi
    np.testing.assert_allclose(nest_to_vec(nside, ipix), expected, rtol=0, atol=4e-15)


@pytest.mark.parametrize("nside", NSIDES)
def test_ring_to_vec_equals_healpy(nside):
    ipix = vec_to_ring(nside, np.concatenate([random_vec(5000), special_vec(nside)]))
    expected = np.stack(healpy.pix2vec(nside, ipix), axis=1)
    # as above
    np.testing.assert_allclose(ring_to_vec(nside, ipix), expected, rtol=0, atol=4e-15)


@pytest.mark.parametrize("nside", NSIDES)
def test_vec_to_ring_equals_healpy(nside):
    vec = np.concatenate([random_vec(20_000), centres(nside)])
    assert np.array_equal(vec_to_ring(nside, vec), healpy.vec2pix(nside, *vec.T))


@pytest.mark.parametrize("nside", NSIDES)
def test_vec_to_nest_equals_healpy(nside):
    vec = np.concatenate([random_vec(20_000), centres(nside)])
    assert np.array_equal(vec_to_nest(nside, vec), healpy.vec2pix(nside, *vec.T, nest=True))


@pytest.mark.parametrize("nest", [True, False])
@pytest.mark.parametrize("nside", NSIDES)
def test_vec_to_pixel_when_on_borders_and_poles_gives_a_pixel_that_touches(nside, nest):
    ipix = vec_to_ring(nside, random_vec(200))
    corners = np.moveaxis(healpy.boundaries(nside, ipix, step=2), 1, 2).reshape(-1, 3)
    vec = np.concatenate([corners, special_vec(nside)])
    found = (vec_to_nest if nest else vec_to_ring)(nside, vec)
    theirs = healpy_pixels_around(nside, vec, nest)
    assert np.all(np.any(found[:, np.newaxis] == theirs, axis=1))


@pytest.mark.parametrize("nside", NSIDES)
def test_interp_ring_equals_healpy(nside):
    # rounding of longitude and colatitude, 1e-16 each, over the width of a pixel, 1 / nside
    difference = interp_difference(nside, random_vec(5000))
    assert difference < 1e-14 * nside
    assert difference < 1e-12 or nside > 100


@pytest.mark.parametrize("nside", NSIDES)
def test_interp_ring_when_near_poles_and_borders_equals_healpy(nside):
    # as above
    assert interp_difference(nside, special_vec(nside)) < 1e-14 * nside


@pytest.mark.parametrize("nside", NSIDES)
def test_interp_ring_when_on_a_centre_gives_that_pixel(nside):
    vec = centres(nside)
    ipix, weight = interp_ring(nside, vec)
    own = np.sum(weight * (ipix == vec_to_ring(nside, vec)[:, np.newaxis]), axis=1)
    np.testing.assert_allclose(own, 1, rtol=0, atol=1e-14 * nside)  # as above


@pytest.mark.parametrize("height", [1.0, -1.0])
def test_interp_ring_when_length_rounds_above_one_stays_on_the_map(height):
    vec = np.array([[0.0, 0.0, height * np.nextafter(1, 2)]])
    ipix, weight = interp_ring(8, vec)
    assert set(ipix[0]) == ({0, 1, 2, 3} if height > 0 else {764, 765, 766, 767})
    np.testing.assert_allclose(weight, 0.25, rtol=1e-15)  # exact at the pole


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 10), st.floats(0, np.pi), st.floats(0, 2 * np.pi))
@example(10, 0.0, 0.0)
@example(10, np.pi, 2 * np.pi)
def test_interp_ring_weights_are_shares(order, theta, phi):
    _, weight = interp_ring(2**order, healpy.ang2vec(theta, phi)[np.newaxis])
    assert weight.min() > -1e-14 * 2**order  # rounding over the width of a pixel
    assert weight.sum() == pytest.approx(1, rel=1e-14)  # four roundings


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 13), st.floats(0, 1, exclude_max=True))
def test_vec_pixel_round_trip(order, place):
    ipix = np.array([int(place * 12 * 4**order)])
    assert vec_to_nest(2**order, nest_to_vec(2**order, ipix)) == ipix
    assert vec_to_ring(2**order, ring_to_vec(2**order, ipix)) == ipix


@pytest.mark.parametrize("function", [interp_ring, vec_to_nest, vec_to_ring])
@pytest.mark.parametrize("wrong", [[0, 0, 0.0], [0, 0, 1 + 1e-5], [np.nan, 0, 1]])
def test_directions_when_no_unit_vector_are_refused(function, wrong):
    with pytest.raises(ValueError, match=r"direction 1 is .* allowed are unit vectors"):
        function(4, np.array([[1.0, 0, 0], wrong]))


def test_check_directions_when_length_is_rounded_accepts():
    vec = np.array([[1 + 1e-7, 0, 0]])
    assert np.array_equal(check_directions(vec), vec)


@pytest.mark.parametrize("shape", [(3,), (2, 4), (1, 1, 3)])
def test_check_directions_when_shape_is_wrong_names_it(shape):
    with pytest.raises(ValueError, match=r"directions of shape .* allowed is \(n, 3\)"):
        check_directions(np.zeros(shape))


@pytest.mark.parametrize("function", [nest_to_vec, ring_to_vec])
def test_pixel_to_vec_when_pixel_does_not_exist_names_it(function):
    with pytest.raises(ValueError, match="pixel 48: allowed are 0 to 47 at nside 2"):
        function(2, [48])
