"""Chunks of the sky."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skyquilt.sky.chunks import (
    MIN_COST_S,
    allowed_chunk_counts,
    check_n_chunks,
    choose_n_chunks,
    chunk_name,
    chunk_range,
    intersect,
    occupied_chunks,
)
from skyquilt.sky.regions import full_sky, ipix_from_ranges, ranges_from_ipix


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 4), st.data())
def test_chunks_cover_every_pixel_once(order, data):
    nside = 2**order
    n_chunks = data.draw(st.sampled_from(allowed_chunk_counts(nside)))
    ranges = [chunk_range(index, n_chunks, nside) for index in range(n_chunks)]
    assert np.array_equal(np.concatenate([np.arange(*r) for r in ranges]), np.arange(12 * 4**order))


def test_chunk_range_when_12_times_power_of_4_is_one_coarse_pixel():
    start, stop = chunk_range(7, 48, 16)
    assert np.array_equal(np.unique(np.arange(start, stop) // (16 // 2) ** 2), [7])


@pytest.mark.parametrize("nside", [1, 4, 64])
def test_allowed_chunk_counts_are_all_divisors(nside):
    npix = 12 * nside**2
    assert allowed_chunk_counts(nside) == [n for n in range(1, npix + 1) if npix % n == 0]


@pytest.mark.parametrize("n_chunks", [5, 0, -12, 13 * 12])
def test_check_n_chunks_when_no_divisor_names_value_and_allowed(n_chunks):
    with pytest.raises(ValueError, match=rf"{n_chunks} chunks: allowed at nside 1 .* 1, 2, 3, 4"):
        check_n_chunks(n_chunks, 1)


@pytest.mark.parametrize("index", [-1, 12])
def test_chunk_range_when_no_such_chunk_names_it(index):
    with pytest.raises(ValueError, match=rf"chunk {index}: allowed are 0 to 11"):
        chunk_range(index, 12, 4)


@settings(derandomize=True, deadline=None)
@given(st.floats(1e-4, 1e3), st.integers(0, 5))
def test_choose_n_chunks_never_makes_one_cheaper_than_its_start(cost_s, order):
    nside = 2**order
    n_chunks = choose_n_chunks(cost_s, full_sky(nside), nside)
    assert n_chunks == 1 or cost_s * 12 * nside**2 / n_chunks >= MIN_COST_S
    assert check_n_chunks(n_chunks, nside) == n_chunks


@pytest.mark.parametrize(("cost_s", "expected"), [(0.99, 1), (1.0, 12), (3.99, 12), (4.0, 48)])
def test_choose_n_chunks_at_the_limit_takes_the_finer_cut(cost_s, expected):
    # a chunk of 12 at nside 4 has 16 pixels
    assert choose_n_chunks(cost_s / 16, full_sky(4), 4, min_cost_s=1.0) == expected


def test_choose_n_chunks_when_pixels_are_dear_stops_at_one_pixel_per_chunk():
    assert choose_n_chunks(1e9, full_sky(2), 2) == 48


def test_choose_n_chunks_of_a_region_counts_only_its_own_chunks():
    ranges = np.array([[0, 256]])  # the first of 12 coarse pixels
    assert choose_n_chunks(1.0, ranges, 16, min_cost_s=64.0) == 48


def test_choose_n_chunks_default_is_the_start_up_of_a_chunk():
    pixels = 12 * 16**2
    assert choose_n_chunks(11.9 * MIN_COST_S / pixels, full_sky(16), 16) == 1
    assert choose_n_chunks(12.1 * MIN_COST_S / pixels, full_sky(16), 16) == 12


PIXELS = st.lists(st.integers(0, 191), min_size=1).map(np.array)


@settings(derandomize=True, deadline=None)
@given(PIXELS, st.sampled_from(allowed_chunk_counts(4)))
def test_occupied_chunks_are_those_with_pixels(ipix, n_chunks):
    expected = np.unique(ipix // (192 // n_chunks))
    assert np.array_equal(occupied_chunks(ranges_from_ipix(ipix), n_chunks, 4), expected)


@settings(derandomize=True, deadline=None)
@given(PIXELS, st.integers(0, 192), st.integers(0, 192))
def test_intersect_keeps_exactly_the_pixels_inside(ipix, start, stop):
    kept = ipix_from_ranges(intersect(ranges_from_ipix(ipix), start, max(start, stop)))
    unique = np.unique(ipix)
    assert np.array_equal(kept, unique[(unique >= start) & (unique < stop)])


@pytest.mark.parametrize(
    ("index", "n_chunks", "name"),
    [(0, 1, "000-of-001.h5"), (11, 12, "011-of-012.h5"), (5, 12288, "00005-of-12288.h5")],
)
def test_chunk_name_sorts_by_number(index, n_chunks, name):
    assert chunk_name(index, n_chunks) == name
