"""Sparse pixels: the same fit as that of dense ones in which all other bins see nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyquilt.blocks import DenseBlock, SparseBlock
from skyquilt.likelihood.options import FluxOptions
from skyquilt.likelihood.poisson import AT_BOUND, GOOD, OCCULTED, fit_flux

ONE = np.ones(1)
EMPTY = SparseBlock(*map(np.array, ([0, 0], [], [], [2.0], [GOOD])), 1)


def random_block(seed, n=30, n_hit=25):
    """Counts, background, dense expected counts of which most are 0, and totals."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 5, n_hit).astype(float)
    background = rng.gamma(1, 1, n_hit) + 0.05
    unit_counts = rng.gamma(1, 1, (n, n_hit)) * (rng.random((n, n_hit)) < rng.random((n, 1)))
    total = unit_counts.sum(axis=1) * rng.uniform(1, 4, n)
    status = rng.choice([GOOD, GOOD, GOOD, OCCULTED], n).astype(np.uint8)
    return counts, background, unit_counts, total, status


def sparse(unit_counts, total, status):
    """Block of the expected counts above 0."""
    row, hit_bin = np.nonzero(unit_counts)
    indptr = np.searchsorted(row, np.arange(len(unit_counts) + 1))
    n_hit = unit_counts.shape[1]
    return SparseBlock(indptr, hit_bin, unit_counts[row, hit_bin], total, status, n_hit)


OPTIONS = (
    FluxOptions(allow_negative=True),
    FluxOptions(confidence_level=0.9),
    FluxOptions(allow_negative=True, confidence_level=0.9),
    FluxOptions(free_background=True, confidence_level=0.9),
)


@given(st.integers(0, 10**6), st.sampled_from(OPTIONS))
def test_fit_flux_sparse_equals_dense_with_zeros(seed, options):
    counts, background, unit_counts, total, status = random_block(seed)
    blocks = DenseBlock(unit_counts, total, status), sparse(unit_counts, total, status)
    dense, found = (
        fit_flux(counts, background, block, options, background_total=200.0) for block in blocks
    )
    assert found.status.tolist() == dense.status.tolist()
    for name in found._fields:
        a, b = getattr(found, name), getattr(dense, name)
        # the same sums in another order, near the bound a small TS is a difference of larger sums;
        # errors are searched to 1e-8 of themselves, and a limit is only as good as models of LLR
        rtol = 1e-3 if name == "flux_ul" else 1e-8
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-12, err_msg=name)


def test_fit_flux_sparse_does_not_depend_on_the_order_of_entries():
    counts, background, unit_counts, total, _ = random_block(3, n=1)
    block = sparse(unit_counts, total, np.array([GOOD]))
    turned = block._replace(bin=block.bin[::-1], unit_counts=block.unit_counts[::-1])
    fit, back = (fit_flux(counts, background, one) for one in (block, turned))
    assert fit.status[0] == GOOD
    np.testing.assert_allclose(back, fit, rtol=1e-12)  # sums in another order


def test_fit_flux_sparse_of_a_pixel_without_entries_is_at_bound():
    # LLR = -2 f: the fall of TS by 1 is at f = 1/4
    fit = fit_flux(ONE, ONE, EMPTY)
    assert (fit.status[0], fit.ts[0], fit.flux[0], fit.flux_err[0]) == (AT_BOUND, 0, 0, 0.25)


@pytest.mark.parametrize("background_total", [None, 3.0])
def test_limits_of_a_pixel_without_entries_are_those_of_an_exponential(background_total):
    is_free = background_total is not None
    options = FluxOptions(confidence_level=0.95, free_background=is_free)
    fit = fit_flux(ONE, ONE, EMPTY, options, background_total=background_total)
    assert fit.status[0] == AT_BOUND
    assert fit.flux_err_hi[0] == pytest.approx(0.25, rel=1e-9)  # search
    assert fit.flux_ul[0] == pytest.approx(-np.log(0.05) / 2, rel=1e-5)  # quadrature


def test_fit_flux_sparse_of_no_pixels_is_empty():
    none = np.array([])
    block = SparseBlock(np.array([0]), none, none, none, none, 1)
    assert fit_flux(ONE, ONE, block).ts.size == 0


@pytest.mark.parametrize(
    "indptr", [[0, 2, 1], [0, 1, 3], [0, 1, 1], [0, 1], [0, 1, 2, 2], [1, 1, 2]]
)
def test_fit_flux_sparse_when_indptr_does_not_fit_names_what_is_allowed(indptr):
    block = SparseBlock(np.array(indptr), np.zeros(2, int), *np.ones((2, 2)), np.zeros(2), 1)
    with pytest.raises(ValueError, match=r"indptr: allowed are 3 numbers that ascend .*, 2\."):
        fit_flux(ONE, ONE, block)


@pytest.mark.parametrize("hit_bin", [[0, 1], [-1, 0], [0]])
def test_fit_flux_sparse_when_a_bin_does_not_exist_names_what_is_allowed(hit_bin):
    indptr = np.array([0, len(hit_bin)])
    block = SparseBlock(indptr, np.array(hit_bin), np.ones(2), ONE, np.zeros(1), 1)
    with pytest.raises(ValueError, match="bin: allowed are numbers from 0 to 0, one for each"):
        fit_flux(ONE, ONE, block)
