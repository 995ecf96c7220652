"""One observation of the toy telescope, as each kind of fit problem."""

from dataclasses import replace

import numpy as np
import pytest

from skyquilt.problem import SkyTable
from skyquilt.testing import toy


@pytest.fixture(scope="session")
def observation():
    """Telescope, and counts of a source in all bins, those without counts too."""
    telescope = toy.Telescope()
    rng = np.random.default_rng(3)
    expected = telescope.background + 0.4 * telescope.expected(telescope.random_direction(rng))
    return telescope, rng.poisson(expected)


@pytest.fixture(scope="session", params=["local", "sky"])
def make_problem(observation, request):
    """Problem of the observation with the bins asked for, by default the hit ones."""
    telescope, counts = observation

    def make(is_kept=None):
        problem = telescope.problem(counts, is_kept)
        return problem if request.param == "local" else _on_sky(problem)

    return make


@pytest.fixture(scope="session")
def problem(make_problem):
    return make_problem()


def _on_sky(problem):
    """The same counts with the rows fixed to the sky for 40 s."""
    table = problem.expectation
    rows, totals = np.float32(40) * table.rows, 40 * table.totals
    return replace(problem, expectation=SkyTable(rows, totals, table.nside, "RING", "bilinear"))
