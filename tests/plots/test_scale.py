from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import Normalize, PowerNorm

from skyquilt.plots.scale import choose_ticks, extension, flux_scale, ts_scale


@pytest.mark.parametrize("high", [20.0, 1e5])
def test_ts_scale_is_linear_in_significance(high):
    norm = ts_scale(np.array([0.0, high, np.nan]))
    assert norm(high / 4) == pytest.approx(0.5)
    assert (norm(0), norm(high)) == (0, 1)


def test_ts_scale_of_nearly_equal_values_spans_them():
    norm = ts_scale(np.array([51.1, 51.3]))
    assert (norm.vmin, norm.vmax) == (51.1, 51.3)


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_ts_scale_of_equal_values_is_usable(value):
    norm = ts_scale(np.full(3, value))
    assert norm.vmin == 0 < norm.vmax


def sky_of_sources(n=80000, brightest=1000.0):
    """Noise, and sources of a few pixels each: 1 in 800 pixels."""
    values = np.linspace(0, 1, n)
    values[:100] = np.geomspace(10, brightest, 100)
    return values


def test_scales_of_many_sources_end_below_the_brightest():
    values = sky_of_sources()

    for norm in (ts_scale(values), flux_scale(values, flux_best=1000.0)):
        assert 10 < norm.vmax < 100
        assert extension(values, norm) == "max"


def test_scales_of_sources_of_one_brightness_reach_them():
    values = sky_of_sources(brightest=30.0)

    assert ts_scale(values).vmax == 30.0
    assert flux_scale(values, flux_best=30.0).vmax == 30.0


def test_flux_scale_ignores_few_extreme_pixels():
    norm = flux_scale(np.append(np.linspace(0, 1, 999), 1e6), flux_best=0.5)
    # 99 % of pixels
    assert norm.vmax == pytest.approx(1, abs=0.02)
    assert norm.vmin == 0


def test_flux_scale_reaches_the_flux_of_the_source():
    assert flux_scale(np.append(np.zeros(999), 2.0), flux_best=2.0).vmax == 2.0


def test_flux_scale_of_negative_fluxes_holds_them():
    assert flux_scale(np.linspace(-1, 1, 1001), flux_best=1.0).vmin == pytest.approx(-0.98)


def test_flux_scale_of_map_without_flux_is_usable():
    norm = flux_scale(np.zeros(3), flux_best=None)
    assert norm.vmin == 0 < norm.vmax


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0, 1], "neither"), ([-1, 1], "min"), ([0, 2], "max"), ([-1, 2], "both")],
)
def test_extension_names_the_ends_with_values_beyond(values, expected):
    assert extension(np.array(values, dtype=float), Normalize(0, 1)) == expected


@pytest.mark.parametrize("high", [0.3, 1, 19, 25, 30, 51, 99, 1e3, 99e3, 1e5, 3e6])
def test_ticks_of_root_scale_are_round_and_apart(high):
    norm = PowerNorm(0.5, vmin=0, vmax=high)
    ticks = choose_ticks(norm)
    assert 3 <= ticks.size <= 7
    assert np.diff(norm(ticks)).min() > 0.15
    assert ticks.max() <= high


def test_ticks_of_linear_scale_lie_on_it():
    ticks = choose_ticks(Normalize(51.09, 51.31))
    assert 3 <= ticks.size <= 7
    assert ticks.min() >= 51.09
    assert ticks.max() <= 51.31


@pytest.mark.parametrize(
    "norm",
    [PowerNorm(0.5, vmin=0, vmax=0.0195), Normalize(0.00125, 0.00185), Normalize(-1.5e-9, 2e-9)],
)
def test_labels_of_ticks_have_room(norm):
    ticks = choose_ticks(norm)

    assert ticks.size >= 2
    # a letter is 0.024 of the colour bar of a map of the sky, 0.03 with some room
    for low, high in pairwise(ticks):
        assert norm(high) - norm(low) > 0.03 * (len(f"{low:g}") + len(f"{high:g}")) / 2
