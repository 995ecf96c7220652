from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

from skyquilt.light_curves.functions import LIGHT_CURVES, mean_over_bins

START, STOP = np.array([-4.0, 0.0, 1.0, 2.5, 40.0]), np.array([0.0, 1.0, 2.5, 40.0, 90.0])
AFTER = START > 0  # a power of time begins at the epoch
CASES = [
    ("constant", (2.0,), 1e-14),
    ("gaussian", (2.0, 1.3, 0.4), 1e-6),
    ("gaussian", (2.0, 1.3, 0.01), 1e-6),
    ("gaussian", (2.0, 1.3, 30.0), 1e-6),
    ("exponential", (2.0, 1.3, 0.02), 1e-6),
    ("exponential", (2.0, 1.3, 20.0), 1e-6),
    ("norris", (2.0, 0.5, 1.0, 3.0), 1e-4),
    ("norris", (2.0, 0.5, 30.0, 2.0), 1e-4),
    ("norris", (2.0, 0.5, 0.01, 3.0), 1e-4),
    ("broken_power_law", (2.0, 5.0, -0.5, -1.5), 1e-6),
]


def bins(kind):
    chosen = AFTER if kind == "broken_power_law" else np.full(START.size, True)
    return START[chosen], STOP[chosen]


@pytest.mark.parametrize(("kind", "parameters", "tolerance"), CASES)
def test_mean_equals_adaptive_quadrature(kind, parameters, tolerance):
    curve, (start, stop) = LIGHT_CURVES[kind], bins(kind)

    def function(time):
        return float(np.squeeze(curve.function(np.array([time]), *parameters)))

    corners = [float(c) for c in curve.corners(*parameters)]
    expected = [
        sum(quad(function, a, b, epsabs=1e-12, epsrel=1e-10)[0] for a, b in pairwise(ends))
        / (high - low)
        for low, high in zip(start, stop, strict=True)
        for ends in [sorted({low, high, *(c for c in corners if low < c < high)})]
    ]
    found = mean_over_bins(curve, start, stop)(*parameters)
    # quadrature of 12 nodes a piece, of the largest bin
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * max(expected))


@pytest.mark.parametrize(("kind", "parameters", "tolerance"), CASES)
def test_slopes_equal_differences(kind, parameters, tolerance):
    mean = mean_over_bins(LIGHT_CURVES[kind], *bins(kind))
    for number, value in enumerate(parameters):

        def moved(by, number=number):
            return mean(*(p + by * (i == number) for i, p in enumerate(parameters)))

        step = 1e-5 * abs(value)
        expected = (moved(step) - moved(-step)) / (2 * step)
        found = np.imag(moved(1e-30j)) / 1e-30
        # differences: truncation 1e-10 of the size, and what the corners leave
        scale = max(np.max(np.abs(expected)), np.max(mean(*parameters)) / abs(value))
        np.testing.assert_allclose(found, expected, atol=1e-6 * scale)


def test_pulse_is_the_value_where_cells_have_a_time_only():
    time = np.array([0.0, 1.0])
    mean = mean_over_bins(LIGHT_CURVES["gaussian"], time, time)
    np.testing.assert_allclose(mean(3.0, 1.0, 1.0), 3 * np.exp([-0.5, 0.0]), rtol=1e-15)
