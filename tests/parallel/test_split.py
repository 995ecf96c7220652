"""Splitting over ranks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skyquilt.parallel.split import split_range


@settings(derandomize=True)
@given(st.integers(0, 300), st.integers(1, 40))
def test_split_range_covers_every_item_once_in_order(n_items, size):
    parts = [range(n_items)[split_range(n_items, size, rank)] for rank in range(size)]
    assert [item for part in parts for item in part] == list(range(n_items))


@settings(derandomize=True)
@given(st.integers(0, 300), st.integers(1, 40))
def test_split_range_is_even(n_items, size):
    lengths = [len(range(n_items)[split_range(n_items, size, rank)]) for rank in range(size)]
    assert max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize(("size", "rank"), [(2, 2), (2, -1), (0, 0)])
def test_split_range_when_no_such_rank_names_it(size, rank):
    with pytest.raises(ValueError, match=f"rank {rank} of {size}"):
        split_range(10, size, rank)


def test_split_range_when_items_are_negative_names_them():
    with pytest.raises(ValueError, match="-1 items: allowed are 0 or more"):
        split_range(-1, 1, 0)
