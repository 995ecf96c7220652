"""Pixels that are weighted rows of a table: the same fit as that of their sums."""

from itertools import pairwise

import numpy as np
import pytest

from skyquilt.blocks import DenseBlock, RowBlock, SparseWeights
from skyquilt.likelihood.options import FluxOptions
from skyquilt.likelihood.poisson import AT_BOUND, GOOD, OCCULTED, fit_flux

ONE = np.ones(1)
TABLE = np.ones((3, 1), np.float32)


def block_of(indptr, row):
    """Block of the small table, one weight."""
    weights = SparseWeights(np.array(indptr), np.array(row), ONE)
    return RowBlock(TABLE, np.ones(3), weights, np.zeros(len(indptr) - 1, np.uint8))


def random_rows(n_hit, n=37, n_row=50, most=6):
    """Counts, background, table, its totals; entries and status of the pixels."""
    rng = np.random.default_rng(n_hit)
    counts = rng.integers(1, 5, n_hit).astype(float)
    background = rng.gamma(1, 1, n_hit) + 0.05
    rows = (rng.gamma(1, 1, (n_row, n_hit)) * rng.integers(0, 2, (n_row, n_hit))).astype(np.float32)
    totals = rows.sum(axis=1, dtype=float) * rng.uniform(1, 6, n_row)
    sizes = rng.integers(0, most + 1, n)
    row = np.concatenate([rng.permutation(n_row)[:size] for size in sizes])
    entries = np.append(0, np.cumsum(sizes)), row, rng.uniform(0.1, 1, row.size)
    status = rng.choice([GOOD, GOOD, GOOD, OCCULTED], n).astype(np.uint8)
    return counts, background, rows, totals, entries, status


def single_sums(rows, totals, indptr, row, weight):
    """Weighted sums of rows, float32 for runs of 16 entries, and of totals, one by one."""
    sums, total = np.zeros((indptr.size - 1, rows.shape[1])), np.zeros(indptr.size - 1)
    weight = weight.astype(np.float32)
    for i, (begin, end) in enumerate(pairwise(indptr)):
        for first in range(begin, end, 16):
            entries = slice(first, min(first + 16, end))
            run = np.zeros(rows.shape[1], np.float32)
            for k, w in zip(row[entries], weight[entries], strict=True):
                run += w * rows[k]
            sums[i] += run
        total[i] = weight[begin:end].astype(float) @ totals[row[begin:end]]
    return sums, total


@pytest.mark.parametrize("allow_negative", [False, True])
@pytest.mark.parametrize("n_hit", [0, 1, 15, 16, 25, 2048, 2049, 5000])  # above 2048 rows are cut
def test_fit_flux_rows_equals_fit_of_the_same_sums(n_hit, allow_negative):
    counts, background, rows, totals, entries, status = random_rows(n_hit, most=40)
    options = FluxOptions(allow_negative=allow_negative)
    sums = DenseBlock(*single_sums(rows, totals, *entries), status)
    block = RowBlock(rows, totals, SparseWeights(*entries), status)
    expected = fit_flux(counts, background, sums, options)
    found = fit_flux(counts, background, block, options)
    assert found.status.tolist() == expected.status.tolist()
    for a, b in zip(found, expected, strict=True):
        # totals are summed in another order; TS near 0 is a difference of larger numbers
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("most", [5, 200])
def test_fit_flux_rows_equals_fit_of_sums_in_float64(most):
    counts, background, rows, totals, entries, status = random_rows(1000, most=most, n_row=300)
    indptr, row, weight = entries
    weights = np.zeros((status.size, len(rows)))
    weights[np.repeat(np.arange(status.size), np.diff(indptr)), row] = weight
    sums = DenseBlock(weights @ rows, weights @ totals, status)
    block = RowBlock(rows, totals, SparseWeights(*entries), status)
    options = FluxOptions(allow_negative=True)
    expected = fit_flux(counts, background, sums, options)
    found = fit_flux(counts, background, block, options)
    # 1000 roundings of 6e-8 at random, those of a bin a few of them: the mean of the bins is better
    np.testing.assert_allclose(found.ts, expected.ts, rtol=1e-7, atol=1e-6)
    np.testing.assert_allclose(found.flux, expected.flux, rtol=1e-7, atol=1e-9)


def test_fit_flux_rows_never_reads_rows_without_weight():
    counts, background, rows, totals, entries, _ = random_rows(25)
    used = np.isin(np.arange(len(rows)), entries[1][:6])
    some = np.searchsorted(entries[0], 6)
    indptr = np.minimum(entries[0][: some + 1], 6)
    cut = SparseWeights(indptr, entries[1][:6], entries[2][:6])
    block = RowBlock(rows, totals, cut, np.zeros(some, np.uint8))
    expected = fit_flux(counts, background, block)
    rows[~used], totals[~used] = np.nan, np.nan
    found = fit_flux(counts, background, block)
    assert {GOOD, AT_BOUND} >= set(found.status[np.diff(indptr) > 0].tolist())
    for a, b in zip(found, expected, strict=True):
        assert np.array_equal(a, b, equal_nan=True)


def test_fit_flux_rows_when_the_table_has_another_shape_names_both():
    with pytest.raises(ValueError, match=r"rows \(3, 1\), expected \(3, 2\)"):
        fit_flux(np.ones(2), np.ones(2), block_of([0, 1], [0]))


@pytest.mark.parametrize("row", [[3], [-1], [0, 1]])
def test_fit_flux_rows_when_a_row_does_not_exist_names_what_is_allowed(row):
    with pytest.raises(ValueError, match="row: allowed are numbers from 0 to 2, one for each"):
        fit_flux(ONE, ONE, block_of([0, len(row)], row))


def test_fit_flux_rows_when_indptr_does_not_ascend_names_what_is_allowed():
    with pytest.raises(ValueError, match="indptr: allowed are 3 numbers"):
        fit_flux(ONE, ONE, block_of([0, 1, 0], [0]))
