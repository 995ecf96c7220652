"""One simulated sky."""

from dataclasses import replace

import numpy as np
import pytest

from skyquilt.blocks import SparseBlock
from skyquilt.calibration.sky import (
    draw_direction,
    expected_counts,
    find_peak,
    make_grid,
    observe,
)
from skyquilt.errors import RunError
from skyquilt.fit.pixels import fit_pixels
from skyquilt.sky.frames import rotate, rotation, separation
from skyquilt.sky.healpix import vec_to_nest


def test_observe_gives_the_problem_of_the_hit_bins(telescope, model, grid):
    counts = np.random.default_rng(0).poisson(telescope.background)
    wanted = telescope.problem(counts)

    problem = observe(model, counts)

    np.testing.assert_array_equal(problem.counts, wanted.counts)
    np.testing.assert_array_equal(problem.background, wanted.background)
    found, expected = (one.expectation.block(grid.directions) for one in (problem, wanted))
    np.testing.assert_array_equal(found.unit_counts, expected.unit_counts)
    np.testing.assert_array_equal(found.total, expected.total)


def test_find_peak_of_expected_counts_is_at_the_source(telescope, model):
    # with counts as expected, the true direction and flux have the largest likelihood of all
    direction = telescope.random_direction(np.random.default_rng(5))
    counts = telescope.background + 2.0 * telescope.expected(direction)
    start = direction + 0.05 * np.eye(3)[0]

    peak = find_peak(observe(model, counts), start / np.linalg.norm(start), step=0.1)

    # near a maximum TS is flat: a gain of 0.01, at which the search ends, is 0.1 sigma of a
    # position that is known to 1 deg at TS 1500
    assert separation(peak.direction, direction) < 0.2
    assert peak.flux == pytest.approx(2.0, rel=0.01)


def test_find_peak_is_not_below_its_start(telescope, model):
    rng = np.random.default_rng(6)
    direction = telescope.random_direction(rng)
    sky = observe(model, rng.poisson(telescope.background))

    peak = find_peak(sky, direction, step=0.01)

    assert peak.ts >= fit_pixels(sky, direction[np.newaxis]).ts[0]


def test_find_peak_without_exposure_has_no_ts(model, grid):
    dark = replace(model.expectation, totals=np.zeros_like(model.expectation.totals))

    peak = find_peak(replace(model, expectation=dark), grid.directions[0], step=0.1)

    assert np.isnan(peak.ts)


def test_expected_counts_of_a_sparse_block_are_in_their_bins(telescope, model):
    direction = telescope.random_direction(np.random.default_rng(8))
    dense = expected_counts(model, direction)

    sparse = replace(model, expectation=Sparse(model.expectation))

    np.testing.assert_array_equal(expected_counts(sparse, direction), dense)
    assert np.count_nonzero(dense) == dense.size


def test_free_background_takes_up_counts_that_no_source_explains(telescope, model):
    # twice the background: a factor explains it all, a source (TS 46 where it is best) only part
    sky = observe(model, 2 * telescope.background)
    direction = telescope.random_direction(np.random.default_rng(9))

    fixed, free = (find_peak(sky, direction, 0.1, free_background=free) for free in (False, True))

    assert free.ts == pytest.approx(0, abs=1e-6)  # of expected counts, but for rounding
    assert fixed.ts > 20


class Sparse:
    """An expectation that names its bins, as those of images do."""

    def __init__(self, dense):
        self.dense = dense

    def block(self, directions):
        block = self.dense.block(directions)
        n, n_bin = block.unit_counts.shape
        indptr = n_bin * np.arange(n + 1)
        bins = np.tile(np.arange(n_bin), n)
        return SparseBlock(
            indptr, bins, block.unit_counts.ravel(), block.total, block.status, n_bin
        )


def test_draw_direction_stays_in_the_pixels_and_fills_them(model):
    grid = make_grid(model, 1, "icrs", np.array([[3, 5]]))
    rng = np.random.default_rng(7)

    drawn = np.array([draw_direction(model, grid, rng) for _ in range(400)])

    # the pixel of a direction is that of its frame; children of both pixels get a fair share
    turned = rotate(rotation(model.frame, "icrs"), drawn)
    assert set(vec_to_nest(1, turned)) == {3, 4}
    share = np.bincount(vec_to_nest(2, turned) - 12, minlength=8)
    # 4 standard deviations of 50 +- 6.6
    assert np.all(np.abs(share - 50) < 27)


def test_draw_direction_without_exposure_says_so(model, grid):
    dark = replace(model.expectation, totals=np.zeros_like(model.expectation.totals))

    with pytest.raises(RunError, match=r"no direction with exposure .* 48 pixels.*map\.region"):
        draw_direction(replace(model, expectation=dark), grid, np.random.default_rng(0))
