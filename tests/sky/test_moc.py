import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyquilt.sky.moc import complement, count_inside, merge_ranges, ranges_to_uniq
from skyquilt.sky.regions import ipix_from_ranges, ranges_from_ipix
from skyquilt.sky.uniq import uniq_to_order, uniq_to_ranges

ORDER = 2
pixels = st.sets(st.integers(0, 12 * 4**ORDER - 1)).map(sorted)


@given(pixels)
def test_uniq_of_ranges_hold_the_pixels(ipix):
    uniq = ranges_to_uniq(ranges_from_ipix(ipix), ORDER)
    assert ipix_from_ranges(uniq_to_ranges(uniq, ORDER)).tolist() == ipix


@given(pixels)
def test_uniq_of_ranges_are_the_fewest(ipix):
    uniq = ranges_to_uniq(ranges_from_ipix(ipix), ORDER)
    # four quarters of a pixel would have been that pixel
    fine = uniq[uniq_to_order(uniq) > 0]
    assert np.unique(fine >> 2, return_counts=True)[1].max(initial=0) < 4


@given(pixels)
def test_complement_and_ranges_are_the_sky(ipix):
    ranges = ranges_from_ipix(ipix)
    rest = ipix_from_ranges(complement(ranges, ORDER))
    assert sorted([*ipix, *rest]) == list(range(12 * 4**ORDER))


@given(pixels, st.integers(0, 192), st.integers(0, 192))
def test_count_inside_counts(ipix, one, other):
    first, stop = sorted((one, other))
    wanted = sum(first <= pixel < stop for pixel in ipix)
    assert count_inside(ranges_from_ipix(ipix), np.array(first), np.array(stop)) == wanted


@pytest.mark.parametrize("ranges", [[[0, 4], [4, 5], [7, 8]], [[0, 1]], []])
def test_merged_ranges_hold_the_same_pixels(ranges):
    ranges = np.array(ranges, dtype=np.int64).reshape(-1, 2)
    merged = merge_ranges(ranges)
    assert ipix_from_ranges(merged).tolist() == ipix_from_ranges(ranges).tolist()
    assert np.all(merged[1:, 0] > merged[:-1, 1])
