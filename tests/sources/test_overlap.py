"""Pixels that a search fits again, and those that it leaves alone."""

import numpy as np
import pytest

from skyquilt.fit.pixels import fit_pixels
from skyquilt.sky.frames import lonlat_to_vec
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.sources.model import source_counts_at, with_sources
from skyquilt.sources.overlap import changed_pixels

NSIDE, LEAST = 32, 0.02
DIRECTIONS = nest_to_vec(NSIDE, np.arange(12 * NSIDE**2))


def sky(imager, flux):
    """Problem of two sources, the same with both in its background, and their directions."""
    truth = lonlat_to_vec(np.array([50.0, 120.0]), np.array([0.0, 60.0]))
    problem = imager.Imager().observe(truth, flux, np.random.default_rng(1))
    return problem, with_sources(problem, source_counts_at(problem, truth), flux), truth


@pytest.mark.parametrize("flux", [(0.1, 3.0), (30.0, 0.5)])
def test_pixels_that_are_left_alone_keep_their_ts(imager, flux):
    before, now, truth = sky(imager, np.array(flux))
    skymap = imager.map_of(before, NSIDE)

    changed = changed_pixels(now, before.background, skymap, DIRECTIONS, truth, LEAST)

    moves = np.abs(np.sqrt(fit_pixels(now, DIRECTIONS).ts) - np.sqrt(skymap.ts))
    is_left = ~np.isin(np.arange(len(DIRECTIONS)), changed)
    assert 0 < changed.size < len(DIRECTIONS) / 4
    # the change that is looked at is that of a parabola; TS of few counts is none
    assert np.all(moves[is_left] < 2 * LEAST)
    assert moves[changed].max() > 1


def test_no_pixel_changes_without_a_change(imager):
    before, _, truth = sky(imager, np.array([3.0, 3.0]))
    skymap = imager.map_of(before, NSIDE)

    changed = changed_pixels(before, before.background, skymap, DIRECTIONS, truth, LEAST)

    assert changed.size == 0
