"""Pixel numbers against healpy."""

import healpy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skyquilt.sky.pixels import (
    check_ipix,
    check_nside,
    nest_to_ring,
    nside_to_npix,
    nside_to_order,
    ring_to_nest,
)

ORDERS = st.integers(0, 13)


def some_pixels(nside):
    """All pixels of small maps; borders of faces, caps and rings, and a sample of large ones."""
    npix = 12 * nside**2
    if npix <= 12 * 64**2:
        return np.arange(npix)
    cap = 2 * nside * (nside - 1)
    marks = np.concatenate([np.arange(13) * nside**2, [cap, npix - cap]])
    near = (marks[:, np.newaxis] + np.arange(-50, 50)).ravel()
    sample = np.random.default_rng(1).integers(0, npix, 20_000)
    return np.concatenate([near[(near >= 0) & (near < npix)], sample])


@pytest.mark.parametrize("order", range(14))
def test_nest_to_ring_equals_healpy(order):
    ipix = some_pixels(2**order)
    assert np.array_equal(nest_to_ring(2**order, ipix), healpy.nest2ring(2**order, ipix))


@pytest.mark.parametrize("order", range(14))
def test_ring_to_nest_equals_healpy(order):
    ipix = some_pixels(2**order)
    assert np.array_equal(ring_to_nest(2**order, ipix), healpy.ring2nest(2**order, ipix))


@settings(derandomize=True, deadline=None)
@given(ORDERS, st.floats(0, 1, exclude_max=True))
def test_nest_ring_round_trip(order, place):
    ipix = np.array([int(place * 12 * 4**order)])
    assert ring_to_nest(2**order, nest_to_ring(2**order, ipix)) == ipix


@pytest.mark.parametrize("nside", [1, 2, 8192])
def test_check_nside_when_power_of_two_returns_it(nside):
    assert check_nside(nside) == nside


@pytest.mark.parametrize("nside", [0, -4, 3, 12, 16384, 2.5])
def test_check_nside_when_not_allowed_names_value(nside):
    with pytest.raises(ValueError, match=rf"nside {nside}: allowed are the powers of two"):
        check_nside(nside)


def test_nside_to_order_and_npix():
    assert [nside_to_order(2**k) for k in range(14)] == list(range(14))
    assert nside_to_npix(8192) == 805306368


@pytest.mark.parametrize("wrong", [-1, 12])
def test_check_ipix_when_pixel_does_not_exist_names_it(wrong):
    with pytest.raises(ValueError, match=rf"pixel {wrong}: allowed are 0 to 11 at nside 1"):
        check_ipix(np.array([0, 11, wrong]), 1)


def test_check_ipix_when_empty_is_allowed():
    assert check_ipix([], 1).size == 0
