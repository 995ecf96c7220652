import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyquilt.sky.uniq import MAX_ORDER, to_uniq, uniq_to_ipix, uniq_to_order, uniq_to_ranges


@pytest.mark.parametrize("order", range(MAX_ORDER + 1))
def test_first_and_last_pixel_of_every_order_come_back(order):
    ipix = np.array([0, 12 * 4**order - 1])
    uniq = to_uniq(order, ipix)

    assert uniq.tolist() == [4 * 4**order, 16 * 4**order - 1]
    np.testing.assert_array_equal(uniq_to_order(uniq), order)
    np.testing.assert_array_equal(uniq_to_ipix(uniq), ipix)


@given(st.lists(st.integers(4, 16 * 4**MAX_ORDER - 1), max_size=20))
def test_order_and_pixel_give_the_number_back(numbers):
    uniq = np.array(numbers, dtype=np.int64)
    order, ipix = uniq_to_order(uniq), uniq_to_ipix(uniq)

    np.testing.assert_array_equal(4 * 4**order + ipix, uniq)
    assert np.all((ipix >= 0) & (ipix < 12 * 4**order))


@pytest.mark.parametrize("number", [-4, 0, 3, 16 * 4**MAX_ORDER])
def test_number_that_is_no_pixel_is_refused(number):
    with pytest.raises(ValueError, match=f"UNIQ {number}: allowed are 4 to "):
        uniq_to_order(np.array([5, number]))


@pytest.mark.parametrize("order", [-1, MAX_ORDER + 1])
def test_order_that_does_not_exist_is_refused(order):
    with pytest.raises(ValueError, match=f"order {order}: allowed are 0 to 13"):
        to_uniq(order, np.array([0]))


def test_ranges_of_a_pixel_are_those_of_all_below_it():
    # pixel 2 of order 1 holds 8 to 11 of order 2 and 32 to 47 of order 3
    uniq = np.array([16 + 2, 64 + 8])

    np.testing.assert_array_equal(uniq_to_ranges(uniq, 3), [[32, 48], [32, 36]])


def test_ranges_at_a_coarser_order_are_refused():
    with pytest.raises(ValueError, match="order 1 is coarser than some pixels"):
        uniq_to_ranges(np.array([4, 64]), 1)
