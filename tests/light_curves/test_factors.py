"""Light curves against sums, and the times drawn from them."""

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError
from scipy.integrate import quad
from scipy.stats import kstest

from skyquilt.config.light_curve import LightCurve
from skyquilt.light_curves.factors import draw_times, integrate_factor

T0 = 1.6e9
CURVES = {
    "table": (
        {"model": "table", "edges": [T0 + 10, T0 + 30, T0 + 60], "factors": [2, 0.5]},
        lambda t: 2.0 * (10 <= t < 30) + 0.5 * (30 <= t < 60),
    ),
    "gaussian": (
        {"model": "gaussian", "t0": T0 + 40, "sigma": 7, "level": 0.1},
        lambda t: 0.1 + np.exp(-((t - 40) ** 2) / 98),
    ),
    "fast rise": (
        {"model": "exponential", "t0": T0 + 20, "decay": 15},
        lambda t: np.exp(-(t - 20) / 15) * (t >= 20),
    ),
    "rise": (
        {"model": "exponential", "t0": T0 + 20, "rise": 3, "decay": 15, "level": 0.2},
        lambda t: 0.2 + np.exp(-(t - 20) / 15 if t >= 20 else (t - 20) / 3),
    ),
    "periodic": (
        {"model": "periodic", "period": 13, "fraction": 0.8, "t0": T0 + 1},
        lambda t: 1 + 0.8 * np.cos(2 * np.pi * (t - 1) / 13),
    ),
}


def read(settings):
    return TypeAdapter(LightCurve).validate_python(settings)


@pytest.mark.parametrize("name", CURVES)
def test_integral_is_that_of_the_factor(name):
    settings, factor = CURVES[name]
    for start, stop in ((0, 100), (15, 25), (22, 23), (70, 100)):
        points = [p for p in (10, 20, 30, 60) if start < p < stop]
        wanted = quad(factor, start, stop, points=points or None, limit=200)[0]
        found = integrate_factor(read(settings), T0 + start, T0 + stop)
        # times of 1.6e9 s are known to 2e-7 s
        assert found == pytest.approx(wanted, rel=1e-6, abs=3e-7)


@pytest.mark.parametrize("name", CURVES)
def test_drawn_times_follow_the_factor(name):
    curve = read(CURVES[name][0])
    n = 4000
    time = draw_times(curve, np.full(n, T0), np.full(n, T0 + 80), np.random.default_rng(1))
    upto = integrate_factor(curve, T0, time) / integrate_factor(curve, T0, T0 + 80)
    assert kstest(upto, "uniform").statistic < 1.63 / np.sqrt(n)
    assert T0 <= time.min() < time.max() <= T0 + 80


def test_far_tail_of_a_gaussian_keeps_its_digits():
    curve = read({"model": "gaussian", "t0": 0, "sigma": 1})
    before, after = integrate_factor(curve, [-11, 10], [-10, 11])
    assert before == after > 0


def test_no_light_curve_is_even():
    assert integrate_factor(None, 3, 7) == 4
    time = draw_times(None, np.zeros(1000), np.full(1000, 5.0), np.random.default_rng(1))
    assert kstest(time / 5, "uniform").statistic < 1.63 / np.sqrt(1000)


TABLE = CURVES["table"][0]
GAUSSIAN = CURVES["gaussian"][0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (TABLE | {"factors": [1, -2]}, "greater than or equal to 0"),
        (TABLE | {"factors": [1, np.nan]}, "finite number"),
        (TABLE | {"factors": [1, np.inf]}, "finite number"),
        (TABLE | {"factors": [0, 0]}, "all are 0"),
        (TABLE | {"factors": [1]}, "1 factors for 3 edges"),
        (TABLE | {"edges": [1, 3, 3]}, "3 s is not after 3 s"),
        (TABLE | {"edges": [1, np.nan, 3]}, "finite number"),
        (GAUSSIAN | {"sigma": 0}, "greater than 0"),
        (GAUSSIAN | {"sigma": np.inf}, "finite number"),
        (GAUSSIAN | {"level": -0.1}, "greater than or equal to 0"),
        (GAUSSIAN | {"t0": np.nan}, "finite number"),
        (CURVES["rise"][0] | {"rise": -1}, "greater than or equal to 0"),
        (CURVES["periodic"][0] | {"fraction": 1.2}, "less than or equal to 1"),
        ({"model": "norris"}, "table"),
    ],
)
def test_impossible_light_curves_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        read(settings)
