"""Poisson counts."""

import numpy as np
import pytest

from skyquilt.simulate import draw_counts, sample_counts


@pytest.mark.parametrize("value", [-1e-9, np.nan, np.inf])
def test_impossible_expectations_are_refused(value):
    with pytest.raises(ValueError, match=r"1 of 3 expected counts are .*: allowed are finite"):
        draw_counts(np.array([1.0, value, 2.0]), np.random.default_rng(1))


def test_sample_counts_keeps_only_bins_with_counts():
    expected = np.array([[0.0, 50.0], [0.0, 70.0]])
    coords, counts = sample_counts(expected, np.random.default_rng(1))
    np.testing.assert_array_equal(coords, [[0, 1], [1, 1]])
    assert np.all(np.abs(counts - [50, 70]) < 40)  # five sigma
