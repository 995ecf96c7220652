"""One simulated sky."""

from dataclasses import replace

import numpy as np
import pytest

from skyquilt.calibration.sky import find_peak
from skyquilt.fit.pixels import fit_pixels
from skyquilt.simulate import observe
from skyquilt.sky.frames import separation


def test_find_peak_of_expected_counts_is_at_the_source(telescope, model):
    # with counts as expected, the true direction and flux have the largest likelihood of all
    direction = telescope.random_direction(np.random.default_rng(5))
    counts = telescope.background + 2.0 * telescope.expected(direction)
    start = direction + 0.05 * np.eye(3)[0]

    peak = find_peak(observe(model, counts), start[np.newaxis] / np.linalg.norm(start), step=5.0)

    # the last move is below 0.05 sigma of a position that is known to 1 deg at TS 1500
    assert separation(peak.direction, direction) < 0.2
    assert peak.flux == pytest.approx(2.0, rel=0.01)


def test_find_peak_is_not_below_its_start(telescope, model):
    rng = np.random.default_rng(6)
    direction = telescope.random_direction(rng)
    sky = observe(model, rng.poisson(telescope.background))

    peak = find_peak(sky, direction[np.newaxis], step=0.5)

    assert peak.ts >= fit_pixels(sky, direction[np.newaxis]).ts[0]


def test_find_peak_without_exposure_has_no_ts(model, grid):
    dark = replace(model.expectation, totals=np.zeros_like(model.expectation.totals))

    peak = find_peak(replace(model, expectation=dark), grid.directions[:1], step=5.0)

    assert np.isnan(peak.ts)


def test_free_background_takes_up_counts_that_no_source_explains(telescope, model):
    # twice the background: a factor explains it all, a source (TS 46 where it is best) only part
    sky = observe(model, 2 * telescope.background)
    direction = telescope.random_direction(np.random.default_rng(9))

    fixed, free = (
        find_peak(sky, direction[np.newaxis], 5.0, free_background=free) for free in (False, True)
    )

    assert free.ts == pytest.approx(0, abs=1e-6)  # of expected counts, but for rounding
    assert fixed.ts > 20
