import numpy as np
import pytest
from scipy.optimize import minimize
from surfaces import LightCurve, PoissonFluxes, PoissonLines, Rosenbrock, Scaled

from skyquilt.inference.climb import Status, climb
from skyquilt.inference.surface import Derivatives

RNG = np.random.default_rng(5)
DESIGN = np.column_stack([np.ones(12), np.linspace(-1, 1, 12), np.linspace(-1, 1, 12) ** 2])


def draw_lines(n):
    truth = np.array([3.0, 0.5, -0.7])
    return PoissonLines(RNG.poisson(np.exp(DESIGN @ truth), size=(n, 12)).astype(float), DESIGN)


def test_climb_reaches_the_maximum_of_another_optimiser():
    surface = draw_lines(1)
    end = climb(surface, np.zeros((1, 3)))
    other = minimize(
        lambda x: -surface.value(x[np.newaxis], np.zeros(1, dtype=int))[0],
        *(np.zeros(3),),
        jac=lambda x: -surface.derivatives(x[np.newaxis], np.zeros(1, dtype=int)).gradient[0],
        tol=1e-12,
    )
    assert end.status == [Status.GOOD]
    # a promised rise of 1e-6 is 0.0014 standard errors, which are about 0.1
    np.testing.assert_allclose(end.x[0], other.x, atol=2e-4)
    assert end.value[0] == pytest.approx(-other.fun, abs=1e-6)


def test_climbs_side_by_side_end_where_each_ends_alone():
    surface = draw_lines(7)
    together = climb(surface, np.zeros((7, 3)))
    for lane in range(7):
        alone = climb(PoissonLines(surface.counts[lane], DESIGN), np.zeros((1, 3)))
        np.testing.assert_allclose(together.x[lane], alone.x[0], rtol=1e-12)
        assert together.n_iter[lane] == alone.n_iter[0]


@pytest.mark.parametrize("seed", range(20))
def test_fluxes_of_zero_or_more_equal_those_of_bounded_minimisation(seed):
    rng = np.random.default_rng(seed)
    unit_counts = rng.uniform(0, 1, (4, 30))
    background = rng.uniform(0.5, 2, 30)
    truth = np.array([0.0, 0.0, 2.0, 5.0])
    counts = rng.poisson(background + truth @ unit_counts).astype(float)
    surface = PoissonFluxes(counts, background, unit_counts)
    end = climb(surface, np.ones((1, 4)), lower=0.0)
    one = np.zeros(1, dtype=int)
    other = minimize(
        lambda x: -surface.value(x[np.newaxis], one)[0],
        *(np.ones(4),),
        jac=lambda x: -surface.derivatives(x[np.newaxis], one).gradient[0],
        bounds=[(0, None)] * 4,
        method="L-BFGS-B",
        options={"ftol": 1e-15, "gtol": 1e-8},
    )
    assert end.value[0] >= -other.fun - 1e-6
    is_bound = bool(np.any(end.x[0] == 0))
    assert end.status == [Status.AT_BOUND if is_bound else Status.GOOD]
    np.testing.assert_array_equal(end.is_bound[0], end.x[0] == 0)


def test_curved_ridge_is_climbed_to_its_top():
    end = climb(Rosenbrock(), np.array([[-1.2, 1.0]]), tolerance=1e-12)
    assert end.status == [Status.GOOD]
    np.testing.assert_allclose(end.x[0], [1, 1], atol=1e-5)


def test_units_of_the_parameters_do_not_matter():
    surface, unit = draw_lines(1), np.array([1e-12, 1.0, 1e15])
    end = climb(surface, np.zeros((1, 3)))
    other = climb(Scaled(surface, unit), np.zeros((1, 3)))
    np.testing.assert_allclose(other.x / unit, end.x, rtol=1e-9)
    assert other.n_iter[0] == end.n_iter[0]


def test_arrow_and_full_matrix_end_at_the_same_place():
    rng = np.random.default_rng(3)
    energy, flux = np.array([1.0, 2.0, 4.0, 8.0]), rng.uniform(1, 5, 30)
    y = flux[:, np.newaxis] * energy**-2.0 + rng.normal(0, 0.05, (30, 4))
    start = np.concatenate([[-1.0], np.ones(30)])[np.newaxis]
    arrow = climb(LightCurve(y, energy, 0.05), start)
    dense = climb(LightCurve(y, energy, 0.05, is_dense=True), start)
    assert arrow.status == [Status.GOOD]
    np.testing.assert_allclose(arrow.x, dense.x, rtol=1e-9)
    # the errors of 30 fluxes and an index, at 0.05
    np.testing.assert_allclose(arrow.x[0, 1:], flux, atol=0.25)


def test_fixed_parameters_stay():
    end = climb(draw_lines(1), np.array([[0.0, 0.3, 0.0]]), is_free=np.array([True, False, True]))
    assert end.x[0, 1] == 0.3
    assert end.status == [Status.GOOD]


def test_no_step_is_longer_than_allowed():
    surface = draw_lines(1)
    places = []
    value = surface.value
    surface.value = lambda x, lanes: places.append(x.copy()) or value(x, lanes)
    climb(surface, np.zeros((1, 3)), max_step=0.1)
    assert np.max(np.abs(np.diff(np.concatenate(places), axis=0))) <= 0.2 + 1e-12  # up, and back


def test_parameters_that_are_not_possible_are_left_again():
    surface = draw_lines(1)
    value = surface.value
    surface.value = lambda x, lanes: np.where(x[:, 0] > 2.0, np.nan, value(x, lanes))
    end = climb(surface, np.zeros((1, 3)))
    assert end.x[0, 0] <= 2.0
    assert end.value[0] > value(np.zeros((1, 3)), np.zeros(1, dtype=int))[0]
    assert end.status == [Status.NOT_CONVERGED]


def test_limit_of_steps_is_not_a_success():
    end = climb(Rosenbrock(), np.array([[-1.2, 1.0]]), max_iter=3)
    assert end.status == [Status.NOT_CONVERGED]
    assert end.n_iter[0] == 3


def test_end_is_no_lower_than_the_start():
    start = np.array([[1.0, 1.0]])
    end = climb(Rosenbrock(), start)
    assert end.value[0] == 0.0
    assert end.n_iter[0] == 0


class Rough:
    """A parabola with steps of 0.003, whose slope is a difference that does not see them."""

    def value(self, x, lanes):
        return -0.5 * np.sum(x**2, axis=1) + 0.003 * (np.floor(x[:, 0] / 0.004) % 2)

    def derivatives(self, x, lanes):
        return Derivatives(-x, np.tile(1.2 * np.eye(x.shape[1]), (len(x), 1, 1)))


def test_climb_of_a_rough_surface_ends_where_its_slope_does():
    end = climb(Rough(), np.array([[3.0, -2.0]]))
    assert end.status == [Status.GOOD]
    # a promised increase of 1e-6 is 0.0014 standard errors, which are 1
    np.testing.assert_allclose(end.x, 0.0, atol=2e-3)


def test_parameter_that_nothing_depends_on_stays_at_its_start():
    design = np.column_stack([DESIGN, np.zeros(12)])
    surface = PoissonLines(RNG.poisson(20, 12).astype(float), design)
    end = climb(surface, np.array([[0.0, 0.0, 0.0, 0.7]]))
    assert end.x[0, 3] == 0.7
    assert end.status == [Status.GOOD]


def test_start_outside_its_range_is_an_error_that_names_the_parameter():
    with pytest.raises(ValueError, match="parameter 1 is outside its range, 0 to 1"):
        climb(Rosenbrock(), np.array([[0.5, 2.0]]), lower=0.0, upper=1.0)


def test_start_that_is_not_finite_is_an_error():
    surface = draw_lines(1)
    surface.value = lambda x, lanes: np.full(len(x), np.nan)
    with pytest.raises(ValueError, match="not finite"):
        climb(surface, np.zeros((1, 3)))


def test_parameters_that_are_held_stay_and_the_others_arrive():
    """Each climb has a wall of its own, which ranges cannot say."""
    wall = np.array([0.5, 1.5])

    class Parabola:
        def value(self, x, lanes):
            return -0.5 * np.sum((x - [2.0, 1.0]) ** 2, axis=1)

        def derivatives(self, x, lanes):
            return Derivatives([2.0, 1.0] - x, np.tile(np.eye(2), (len(x), 1, 1)))

    def within(here, there, lanes):
        crosses = there[:, 0] > wall[lanes]
        return np.where(crosses[:, np.newaxis] & [True, False], here, there)

    end = climb(Parabola(), np.array([[0.0, 0.5], [-1.0, 3.0]]), within=within, max_step=0.25)

    assert np.all((end.x[:, 0] <= wall) & (end.x[:, 0] > wall - 0.26))  # one step at most
    np.testing.assert_allclose(end.x[:, 1], 1.0, atol=2e-3)  # of the tolerance
    assert end.status == [Status.AT_BOUND, Status.AT_BOUND]
    assert end.is_bound.tolist() == [[True, False], [True, False]]
