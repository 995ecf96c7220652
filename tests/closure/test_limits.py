"""How often errors and upper limits hold the true flux."""

import coverage_table
import numpy as np
import pytest

N_TRIALS = 1000
WILKS = 0.683


@pytest.fixture(
    scope="module",
    params=[(0.0, False), (0.05, False), (0.5, False), (0.1, True)],
    ids=["no source", "faint", "bright", "free background"],
)
def case(toy, request):
    """True flux, and the fractions of trials within the errors and below the limits."""
    flux, is_free = request.param
    telescope = toy.Telescope()
    direction = telescope.random_direction(np.random.default_rng(0))
    return flux, coverage_table.limit_coverage(telescope, direction, flux, N_TRIALS, 2, is_free)


def test_errors_cover_as_often_as_they_say(toy, case):
    flux, covered = case
    tolerance = 3.3 * toy.binomial_error(WILKS, N_TRIALS)
    if flux == 0:  # within them: all under-fluctuations, and of the other half those of TS below 1
        assert covered["errors"] == pytest.approx(0.5 + WILKS / 2, abs=tolerance)
    else:
        assert covered["errors"] == pytest.approx(WILKS, abs=tolerance + 0.01)  # Wilks at TS 3


@pytest.mark.parametrize("level", coverage_table.LIMIT_LEVELS)
def test_limits_cover_at_least_as_often_as_they_say(toy, case, level):
    _, covered = case
    assert covered[f"{level}"] > level - 3.3 * toy.binomial_error(level, N_TRIALS)


def test_limits_are_no_larger_than_they_must(case):
    flux, covered = case
    if flux == 0.5:  # far above zero: the flat prior adds 0.01 at most
        assert covered["0.9"] < 0.9 + 0.01 + 3.3 * np.sqrt(0.09 / N_TRIALS)
