import numpy as np
import pytest
from scipy.optimize import brentq
from surfaces import LightCurve, PoissonFluxes, PoissonLines

from skyquilt.inference.climb import Status, climb
from skyquilt.inference.profile import Range, interval, profile
from skyquilt.inference.surface import Derivatives

ONE = Range(np.array([0.0]), np.array([np.inf]))


def one_bin(counts):
    surface = PoissonFluxes(np.array([counts]), np.array([3.0]), np.array([[1.0]]))
    return surface, climb(surface, np.ones((1, 1)), lower=0.0, tolerance=1e-12)


@pytest.mark.parametrize("fall", [1.0, 2.706, 3.841])
def test_interval_of_one_bin_equals_the_closed_form(fall):
    # 2 [n ln(n / mu) - (n - mu)] = fall
    surface, best = one_bin(25.0)
    found = interval(surface, best, 0, ONE, fall=fall)

    def excess(flux):
        return 2 * (25 * np.log(25 / (3 + flux)) - 22 + flux) - fall

    # ends are found to 1e-4 of an error
    assert found.low == pytest.approx(brentq(excess, 0, 22), abs=1e-3)
    assert found.high == pytest.approx(brentq(excess, 22, 60), abs=1e-3)
    assert (found.is_low_bound, found.is_high_bound) == (False, False)


def test_interval_that_reaches_the_end_of_the_range_says_so():
    surface, best = one_bin(4.0)
    found = interval(surface, best, 0, ONE)
    assert (found.low, found.is_low_bound) == (0.0, True)
    assert found.high > 1.0


def test_interval_of_a_maximum_at_the_bound_has_an_upper_end():
    surface, best = one_bin(1.0)
    assert best.x[0, 0] == 0.0
    found = interval(surface, best, 0, ONE, fall=2.706)
    assert (found.low, found.is_low_bound) == (0.0, True)
    high = brentq(lambda flux: 2 * (flux - np.log1p(flux / 3)) - 2.706, 0.1, 20)
    assert found.high == pytest.approx(high, abs=1e-3)


def line_fit():
    rng = np.random.default_rng(4)
    design = np.column_stack([np.ones(20), np.linspace(0, 1, 20)])
    surface = PoissonLines(rng.poisson(np.exp(design @ [1.0, 0.5])).astype(float), design)
    return surface, climb(surface, np.zeros((1, 2)), tolerance=1e-10)


WIDE = Range(np.full(2, -np.inf), np.full(2, np.inf))


def test_profile_refits_the_other_parameters():
    surface, best = line_fit()
    values = best.x[0, 1] + np.linspace(-1, 1, 9)
    found = profile(surface, best, 1, values, WIDE)
    for value, x, height in zip(values, found.x, found.value, strict=True):
        # of ln mu = a + c t the best a is ln(sum d / sum exp(c t))
        a = np.log(surface.counts.sum() / np.exp(value * surface.design[:, 1]).sum())
        expected = surface.value(np.array([[a, value]]), np.zeros(1, dtype=int))[0]
        assert x[1] == value
        assert height == pytest.approx(expected, abs=2e-6)
    assert found.status == [Status.GOOD] * 9


def test_profile_of_one_value_is_that_among_many():
    surface, best = line_fit()
    values = best.x[0, 0] + np.linspace(-0.5, 0.5, 5)
    many = profile(surface, best, 0, values, WIDE)
    for number, value in enumerate(values):
        one = profile(surface, best, 0, np.array([value]), WIDE)
        np.testing.assert_allclose(one.x[0], many.x[number], rtol=1e-12)  # rounding of sums


def test_profile_of_an_arrow_equals_that_of_the_full_matrix():
    rng = np.random.default_rng(6)
    energy = np.array([1.0, 3.0, 9.0])
    y = rng.uniform(1, 3, 8)[:, np.newaxis] * energy**-1.5 + rng.normal(0, 0.02, (8, 3))
    ranges = Range(np.full(9, -np.inf), np.full(9, np.inf))
    start = np.concatenate([[-1.0], np.ones(8)])[np.newaxis]
    found = []
    for is_dense in (False, True):
        surface = LightCurve(y, energy, 0.02, is_dense=is_dense)
        best = climb(surface, start, tolerance=1e-10)
        found.append(interval(surface, best, 0, ranges))
        points = profile(surface, best, 0, np.array([-1.52, -1.5, -1.48]), ranges)
        found.append(points.value)
    assert found[0] == pytest.approx(found[2], rel=1e-6)
    np.testing.assert_allclose(found[1], found[3], rtol=1e-6)


def test_interval_without_a_range_that_never_falls_ends_as_nan():
    class Bump:
        def value(self, x, lanes):
            return 0.1 * np.exp(-(x[:, 0] ** 2))

        def derivatives(self, x, lanes):
            value = self.value(x, lanes)
            gradient = -2 * x * value[:, np.newaxis]
            return Derivatives(gradient, np.full((len(x), 1, 1), 0.2))

    best = climb(Bump(), np.zeros((1, 1)))
    found = interval(Bump(), best, 0, Range(np.array([-np.inf]), np.array([np.inf])), fall=4.0)
    assert np.isnan([found.low, found.high]).all()
