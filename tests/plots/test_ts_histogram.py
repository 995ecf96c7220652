import numpy as np
import pytest

from skyquilt.maps.skymap import SkyMap
from skyquilt.plots.ts_histogram import plot_ts_histogram


def steps(figure):
    return {patch.get_label(): patch.get_data() for patch in figure.axes[0].patches}


def test_noise_follows_half_of_chi2():
    rng = np.random.default_rng(3)
    n = 12 * 32**2
    ts = np.where(rng.random(n) < 0.5, 0, rng.chisquare(1, n))
    figure = plot_ts_histogram(SkyMap(32, "icrs", np.arange(n), {"ts": ts}), "noise")
    found, expected = (data.values for data in steps(figure).values())

    assert found.sum() == np.sum(ts > 0)
    # Poisson: the mean of squares of 60 pulls is 1 with an error of 0.18
    assert np.mean((found - expected)[:20] ** 2 / expected[:20]) < 2
    assert f"{np.mean(ts == 0):.0%} are 0" in figure.axes[0].get_title()


def test_pixels_beyond_the_axis_are_told():
    ts = np.array([0.0, 1.0, 50.0, 900.0] * 3)
    figure = plot_ts_histogram(SkyMap(1, "icrs", np.arange(12), {"ts": ts}), "bright")

    assert "last bin: 6 above 36" in figure.axes[0].get_xlabel()
    assert steps(figure)["pixels"].values[-1] == 6


@pytest.mark.parametrize("value", [0.0, 2.0])
def test_map_of_one_value_has_a_histogram(value):
    skymap = SkyMap(1, "icrs", np.arange(12), {"ts": np.full(12, value)})

    assert steps(plot_ts_histogram(skymap, "flat"))["pixels"].values.sum() == 12 * (value > 0)
