import numpy as np
import pytest
from surfaces import PoissonFluxes, PoissonLines

from skyquilt.inference.climb import Status, climb
from skyquilt.inference.covariance import covariance, observed_curvature
from skyquilt.inference.surface import Derivatives


def test_observed_curvature_equals_the_closed_form():
    # ln L = d ln(b + f e) - f e: the second derivative is -d e^2 / (b + f e)^2
    surface = PoissonFluxes(np.array([20.0]), np.array([5.0]), np.array([[2.0]]))
    end = climb(surface, np.ones((1, 1)), tolerance=1e-12)
    found = observed_curvature(surface, end.x[0], np.array([0.5 * np.sqrt(20)]))
    # differences over a twentieth of an error leave a part of 1e-3 at 20 counts
    assert found[0, 0] == pytest.approx(20 * 4 / 400, rel=2e-3)


def test_observed_curvature_at_a_bound_is_taken_to_one_side():
    surface = PoissonFluxes(np.array([2.0]), np.array([5.0]), np.array([[2.0]]))
    found = observed_curvature(surface, np.zeros(1), np.array([1e-3]), lower=0.0)
    assert found[0, 0] == pytest.approx(2 * 4 / 25, rel=1e-3)


def test_observed_curvature_away_from_the_top_is_that_of_the_place():
    # of mu = exp(x) the observed curvature is mu, and not the counts
    surface = PoissonLines(np.array([30.0, 10.0]), np.array([[1.0], [1.0]]))
    x = np.array([np.log(20.0) + 0.3])
    found = observed_curvature(surface, x, np.array([0.1]))
    assert found[0, 0] == pytest.approx(40 * np.exp(0.3), rel=1e-3)


def test_errors_equal_the_inverse_of_a_correlated_matrix():
    matrix = np.array([[4.0, 1.0, 0.3], [1.0, 2.0, -0.5], [0.3, -0.5, 1.0]])
    found = covariance(matrix, np.ones(3, dtype=bool))
    np.testing.assert_allclose(found.matrix, np.linalg.inv(matrix), rtol=1e-12)
    assert found.status is Status.GOOD
    assert found.weak.shape == (0, 3)


def test_parameter_at_a_bound_has_no_error_and_does_not_widen_the_others():
    matrix = np.array([[4.0, 1.9], [1.9, 1.0]])
    found = covariance(matrix, np.array([True, False]))
    assert found.errors[0] == 0.5
    assert np.isnan(found.errors[1])


@pytest.mark.parametrize("scale", [1.0, 1e-12, 1e9])
def test_two_parameters_that_enter_as_a_product_are_both_named(scale):
    # ln L depends on a + b (of logarithms) and on c
    rows = np.array([[1.0, 1.0 / scale, 0.0], [0.0, 0.0, 1.0]])
    found = covariance(rows.T @ rows, np.ones(3, dtype=bool))
    assert found.status is Status.DEGENERATE
    np.testing.assert_allclose(found.weak, [[1.0, -scale, 0.0]], rtol=1e-6, atol=1e-9)
    assert np.isnan(found.errors[:2]).all()
    assert found.errors[2] == pytest.approx(1.0)


def test_parameter_that_nothing_depends_on_is_no_effect():
    found = covariance(np.diag([1.0, 0.0]), np.ones(2, dtype=bool))
    assert found.status is Status.NO_EFFECT
    np.testing.assert_array_equal(found.weak, [[0.0, 1.0]])
    assert found.errors[0] == 1.0
    assert np.isnan(found.errors[1])


def test_errors_cover_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(11)
    design = np.column_stack([np.ones(40), np.linspace(-1, 1, 40)])
    truth = np.array([2.0, 0.4])
    n = 400
    counts = rng.poisson(np.exp(design @ truth), size=(n, 40)).astype(float)
    ends = climb(PoissonLines(counts, design), np.tile([1.0, 0.0], (n, 1)))
    pulls = np.empty((n, 2))
    for lane in range(n):
        surface = PoissonLines(counts[lane], design)
        size = 1 / np.sqrt(np.diag(ends.derivatives.curvature[lane]))
        found = covariance(observed_curvature(surface, ends.x[lane], size), np.ones(2, dtype=bool))
        pulls[lane] = (ends.x[lane] - truth) / found.errors
    # binomial error of 68 % in 400 is 2.3 %; three of them
    covered = np.mean(np.abs(pulls) < 1, axis=0)
    np.testing.assert_allclose(covered, 0.683, atol=0.07)


def test_groups_that_are_moved_together_have_the_same_curvature():
    """Two shared numbers, three groups of two: a quartic in which groups meet shared ones only."""
    rng = np.random.default_rng(3)
    slopes = rng.normal(size=(3, 4))

    class Quartic:
        def value(self, x, lanes):
            return np.zeros(len(x))

        def derivatives(self, x, lanes):
            gradient = np.zeros(x.shape)
            for group in range(3):
                own = slice(2 + 2 * group, 4 + 2 * group)
                z = x[:, :2] @ slopes[group, :2] + x[:, own] @ slopes[group, 2:]
                fall = -(z**3) - z
                gradient[:, :2] += fall[:, np.newaxis] * slopes[group, :2]
                gradient[:, own] += fall[:, np.newaxis] * slopes[group, 2:]
            return Derivatives(gradient, np.zeros((*x.shape, x.shape[1])))

    x, size = rng.normal(size=8), rng.uniform(0.1, 0.3, 8)
    upper = np.full(8, np.inf)
    upper[5] = x[5]
    alone = observed_curvature(Quartic(), x, size, upper=upper)
    together = observed_curvature(Quartic(), x, size, upper=upper, groups=(2, 2))
    scale = np.abs(alone).max()
    np.testing.assert_allclose(together, alone, atol=3e-2 * scale)  # one end is at a bound
    free = np.delete(np.arange(8), 5)
    np.testing.assert_allclose(
        together[np.ix_(free, free)], alone[np.ix_(free, free)], atol=1e-4 * scale
    )
