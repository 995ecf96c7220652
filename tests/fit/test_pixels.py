"""Fit of many directions."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from skyquilt.blocks import SparseBlock
from skyquilt.fit import pixels
from skyquilt.fit.pixels import BLOCK_BYTES, block_size, fit_pixels
from skyquilt.likelihood.options import FluxOptions
from skyquilt.likelihood.poisson import AT_BOUND, GOOD, OCCULTED, poisson_ts
from skyquilt.problem.expectation import Expectation
from skyquilt.sky.healpix import nest_to_vec

DIRECTIONS = nest_to_vec(4, np.arange(192))


def assert_identical(fit_a, fit_b):
    for name in fit_a._fields:
        a, b = getattr(fit_a, name), getattr(fit_b, name)
        assert a.dtype == b.dtype
        assert a.tobytes() == b.tobytes(), name  # bit by bit, NaN included


def test_fit_pixels_has_the_ts_of_its_flux(problem):
    fit = fit_pixels(problem, DIRECTIONS)
    good = fit.status == GOOD
    assert {GOOD, AT_BOUND, OCCULTED} == set(fit.status.tolist())
    expected = problem.expectation.block(DIRECTIONS[good])
    ts = poisson_ts(
        problem.counts, problem.background, expected.unit_counts, expected.total, fit.flux[good]
    )
    # the same formula, summed in another order; TS near 0 is a difference of larger numbers
    np.testing.assert_allclose(fit.ts[good], ts, rtol=1e-9, atol=1e-12)
    assert np.isnan(fit.ts[fit.status == OCCULTED]).all()


@pytest.mark.parametrize("size", [1, 7, 192, 1000])
def test_fit_pixels_with_any_block_size_is_the_same(problem, size, monkeypatch):
    expected = fit_pixels(problem, DIRECTIONS)
    monkeypatch.setattr(pixels, "block_size", lambda *_: size)
    assert_identical(fit_pixels(problem, DIRECTIONS), expected)


@pytest.mark.parametrize("threads", [2, 5])
def test_fit_pixels_with_any_number_of_threads_is_the_same(problem, threads, monkeypatch):
    monkeypatch.setattr(pixels, "block_size", lambda *_: 10)
    expected = fit_pixels(problem, DIRECTIONS)
    assert_identical(fit_pixels(problem, DIRECTIONS, threads=threads), expected)


def test_fit_pixels_when_order_is_reversed_reverses(problem):
    backwards = fit_pixels(problem, DIRECTIONS[::-1])
    expected = fit_pixels(problem, DIRECTIONS)
    assert_identical(type(expected)(*(values[::-1] for values in backwards)), expected)


def test_fit_pixels_when_negative_is_allowed_goes_below_zero(problem):
    assert np.nanmin(fit_pixels(problem, DIRECTIONS, FluxOptions(allow_negative=True)).flux) < 0
    assert np.nanmin(fit_pixels(problem, DIRECTIONS).flux) == 0


def test_fit_pixels_of_nothing_is_empty(problem):
    fit = fit_pixels(problem, np.empty((0, 3)))
    assert [values.size for values in fit] == [0] * 11
    assert fit.status.dtype == np.uint8


def test_fit_pixels_reports_progress_up_to_all(problem, monkeypatch):
    monkeypatch.setattr(pixels, "block_size", lambda *_: 80)
    calls = []
    fit_pixels(problem, DIRECTIONS, threads=2, on_progress=lambda *call: calls.append(call))
    assert calls == [(80, 192), (160, 192), (192, 192)]


def test_fit_pixels_when_background_shall_be_free_without_its_total_says_so(problem):
    with pytest.raises(ValueError, match="a free background needs its total"):
        fit_pixels(problem, DIRECTIONS, FluxOptions(free_background=True))


@pytest.mark.parametrize("threads", [0, -1])
def test_fit_pixels_when_threads_are_below_one_names_them(problem, threads):
    with pytest.raises(ValueError, match=f"{threads} threads: allowed are 1 or more"):
        fit_pixels(problem, DIRECTIONS, threads=threads)


def test_fit_pixels_when_a_block_raises_passes_it_on(problem):
    with pytest.raises(ValueError, match="allowed are unit vectors"):
        fit_pixels(problem, 2 * DIRECTIONS, threads=2)


@pytest.mark.parametrize("n_hit", [0, 1, 1000, 10**6])
def test_block_size_of_counts_fills_its_bytes_or_is_small(n_hit):
    size = block_size(Dense(n_hit), 10**9, threads=1)
    assert size >= 16
    assert size == 16 or size * 8 * n_hit <= BLOCK_BYTES


@pytest.mark.parametrize(
    ("n", "threads", "expected"), [(10**6, 1, 4096), (3000, 2, 375), (9, 2, 16)]
)
def test_block_size_of_rows_gives_each_thread_several(problem, n, threads, expected):
    assert block_size(problem.expectation, n, threads) == expected


@dataclass
class Dense:
    """An expectation of so many counts per direction."""

    entries_per_direction: float


@dataclass
class Sums:
    """The expectation of a problem, its blocks as sums of rows."""

    table: Expectation

    @property
    def entries_per_direction(self):
        return self.table.n_hit

    def block(self, directions):
        return self.table.block(directions).dense()


@dataclass
class Sparse:
    """The expectation of a problem, its blocks as entries above a tenth of the largest."""

    dense: Expectation
    is_sparse: bool = True

    @property
    def entries_per_direction(self):
        return self.dense.n_hit / 3

    def block(self, directions):
        block = self.dense.block(directions).dense()
        unit_counts = np.where(
            block.unit_counts > 0.1 * block.unit_counts.max(), block.unit_counts, 0.0
        )
        if not self.is_sparse:
            return block._replace(unit_counts=unit_counts)
        row, hit_bin = np.nonzero(unit_counts)
        indptr = np.searchsorted(row, np.arange(len(directions) + 1))
        entries = indptr, hit_bin, unit_counts[row, hit_bin]
        return SparseBlock(*entries, block.total, block.status, block.n_hit)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_fit_pixels_of_sparse_blocks_equals_dense_ones(problem, size, monkeypatch):
    monkeypatch.setattr(pixels, "block_size", lambda *_: size)
    table = problem.expectation
    dense = fit_pixels(replace(problem, expectation=Sparse(table, is_sparse=False)), DIRECTIONS)
    found = fit_pixels(replace(problem, expectation=Sparse(table)), DIRECTIONS)
    assert found.status.tolist() == dense.status.tolist()
    for a, b in zip(found, dense, strict=True):
        # the same sums in another order; TS near 0 is a difference of larger numbers
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_fit_pixels_takes_blocks_of_as_many_pixels_as_their_entries_allow(problem, monkeypatch):
    monkeypatch.setattr(pixels, "BLOCK_BYTES", 8 * 10 * 64)
    sizes = []
    sparse = replace(problem, expectation=Sparse(problem.expectation))
    fit_pixels(sparse, DIRECTIONS, on_progress=lambda done, _: sizes.append(done))
    assert sizes == [64, 128, 192]


def test_fit_pixels_of_rows_equals_their_sums(problem):
    table = problem.expectation
    sums = fit_pixels(replace(problem, expectation=Sums(table)), DIRECTIONS)
    assert_identical(fit_pixels(problem, DIRECTIONS), sums)
