"""Sparse pixels: the same fit as that of dense ones in which all other bins see nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyquilt.likelihood.poisson import AT_BOUND, GOOD, OCCULTED, fit_flux, fit_flux_sparse

ONE = np.ones(1)


def random_block(seed, n=30, n_hit=25):
    """Counts, background, dense expected counts of which most are 0, and totals."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 5, n_hit).astype(float)
    background = rng.gamma(1, 1, n_hit) + 0.05
    unit_counts = rng.gamma(1, 1, (n, n_hit)) * (rng.random((n, n_hit)) < rng.random((n, 1)))
    total = unit_counts.sum(axis=1) * rng.uniform(1, 4, n)
    status = rng.choice([GOOD, GOOD, GOOD, OCCULTED], n).astype(np.uint8)
    return counts, background, unit_counts, total, status


def sparse(unit_counts):
    """Entries of the expected counts above 0, as in a SparseBlock."""
    row, hit_bin = np.nonzero(unit_counts)
    stop = np.searchsorted(row, np.arange(len(unit_counts)), side="right")
    return stop, hit_bin, unit_counts[row, hit_bin]


OPTIONS = (
    {"allow_negative": True},
    {"confidence_level": 0.9},
    {"allow_negative": True, "confidence_level": 0.9},
    {"background_total": 200.0, "confidence_level": 0.9},
)


@given(st.integers(0, 10**6), st.sampled_from(OPTIONS))
def test_fit_flux_sparse_equals_dense_with_zeros(seed, options):
    counts, background, unit_counts, total, status = random_block(seed)
    dense = fit_flux(counts, background, unit_counts, total, status, **options)
    entries = sparse(unit_counts)
    found = fit_flux_sparse(counts, background, *entries, total, status, **options)
    assert found.status.tolist() == dense.status.tolist()
    for name in found._fields:
        a, b = getattr(found, name), getattr(dense, name)
        # the same sums in another order, near the bound a small TS is a difference of larger sums;
        # errors are searched to 1e-8 of themselves, and a limit is only as good as models of LLR
        rtol = 1e-3 if name == "flux_ul" else 1e-8
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-12, err_msg=name)


def test_fit_flux_sparse_does_not_depend_on_the_order_of_entries():
    counts, background, unit_counts, total, _ = random_block(3, n=1)
    stop, hit_bin, values = sparse(unit_counts)
    fit = fit_flux_sparse(counts, background, stop, hit_bin, values, total)
    back = fit_flux_sparse(counts, background, stop, hit_bin[::-1], values[::-1], total)
    assert fit.status[0] == GOOD
    np.testing.assert_allclose(back, fit, rtol=1e-12)  # sums in another order


def test_fit_flux_sparse_of_a_pixel_without_entries_is_at_bound():
    # LLR = -2 f: the fall of TS by 1 is at f = 1/4
    fit = fit_flux_sparse(ONE, ONE, np.array([0]), np.array([], int), np.array([]), 2 * ONE)
    assert (fit.status[0], fit.ts[0], fit.flux[0], fit.flux_err[0]) == (AT_BOUND, 0, 0, 0.25)


@pytest.mark.parametrize("background_total", [None, 3.0])
def test_limits_of_a_pixel_without_entries_are_those_of_an_exponential(background_total):
    none = np.array([0]), np.array([], int), np.array([])
    options = {"confidence_level": 0.95, "background_total": background_total}
    fit = fit_flux_sparse(ONE, ONE, *none, 2 * ONE, **options)
    assert fit.status[0] == AT_BOUND
    assert fit.flux_err_hi[0] == pytest.approx(0.25, rel=1e-9)  # search
    assert fit.flux_ul[0] == pytest.approx(-np.log(0.05) / 2, rel=1e-5)  # quadrature


def test_fit_flux_sparse_of_no_pixels_is_empty():
    none = np.array([])
    assert fit_flux_sparse(ONE, ONE, none, none, none, none).ts.size == 0


@pytest.mark.parametrize("stop", [[2, 1], [1, 3], [1, 1], [1], [1, 2, 2]])
def test_fit_flux_sparse_when_stop_does_not_fit_names_what_is_allowed(stop):
    with pytest.raises(ValueError, match=r"stop: allowed are 2 numbers that ascend to .*, 2\."):
        fit_flux_sparse(ONE, ONE, np.array(stop), np.zeros(2, int), np.ones(2), np.ones(2))


@pytest.mark.parametrize("hit_bin", [[0, 1], [-1, 0], [0]])
def test_fit_flux_sparse_when_a_bin_does_not_exist_names_what_is_allowed(hit_bin):
    stop = np.array([len(hit_bin)])
    with pytest.raises(ValueError, match="hit_bin: allowed are numbers from 0 to 0, one for each"):
        fit_flux_sparse(ONE, ONE, stop, np.array(hit_bin), np.ones(2), ONE)
