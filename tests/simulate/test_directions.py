"""Random directions."""

from dataclasses import replace

import numpy as np
import pytest

from skyquilt.errors import RunError
from skyquilt.simulate import draw_direction
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.healpix import vec_to_nest


def test_draw_direction_stays_in_the_pixels_and_fills_them(model):
    rng, ipix = np.random.default_rng(7), np.array([3, 4])

    drawn = np.array([draw_direction(model, 1, ipix, "icrs", rng) for _ in range(400)])

    # the pixel of a direction is that of its frame; children of both pixels get a fair fraction
    turned = rotate(rotation(model.frame, "icrs"), drawn)
    assert set(vec_to_nest(1, turned)) == {3, 4}
    fraction = np.bincount(vec_to_nest(2, turned) - 12, minlength=8)
    # 4 standard deviations of 50 +- 6.6
    assert np.all(np.abs(fraction - 50) < 27)


def test_draw_direction_without_exposure_says_so(model):
    dark = replace(model.expectation, totals=np.zeros_like(model.expectation.totals))

    with pytest.raises(RunError, match=r"no direction with exposure .* 48 pixels.*map\.region"):
        draw_direction(
            replace(model, expectation=dark), 2, np.arange(48), "icrs", np.random.default_rng(0)
        )
