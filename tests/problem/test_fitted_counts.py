"""Counts per measured energy that a fit expects."""

import numpy as np
import pytest

from skyquilt.problem.bands import Bands, Integrals
from skyquilt.problem.fitted_counts import FITTED, with_fitted_counts
from skyquilt.problem.problem import CountsSpectrum, Description, FitProblem

EDGES = np.array([100.0, 200.0, 400.0, 800.0])
UNKNOWN = np.full(2, np.nan)


class Expects:
    """10 and 4 counts in two bands, everywhere on the sky."""

    def band_totals(self, directions):
        return np.tile([10.0, 4.0], (len(directions), 1))


@pytest.fixture
def make_problem():
    def make(edges=((100.0, 200.0), (400.0, 800.0)), **counts):
        made = {"data": np.ones(3), "background model": np.array([1.0, 2.0, 3.0]), **counts}
        spectrum = CountsSpectrum(EDGES, np.array([True, False, True]), made)
        bands = Bands(
            edges=np.array(edges),
            dataset=("",) * 2,
            integrals=Integrals(UNKNOWN, UNKNOWN, UNKNOWN),
            of_hit=np.zeros(1, np.int64),
            of_total=np.arange(2),
        )
        about = Description("compton", "power law", (100.0, 800.0))
        return FitProblem(
            *(np.ones(1), np.ones(1), Expects(), "icrs", 1.0, about),
            counts_spectra={"": spectrum},
            known_bands=bands,
        )

    return make


def test_source_and_background_add_up_in_the_channels_that_were_fitted(make_problem):
    direction = np.array([0.0, 0.0, 1.0])
    found = with_fitted_counts(make_problem(), direction, 0.5, background_norm=2.0)

    # 2 x 1 + 0.5 x 10 and 2 x 3 + 0.5 x 4; the channel between does not enter
    np.testing.assert_array_equal(found[""].counts[FITTED], [7.0, np.nan, 8.0])
    np.testing.assert_array_equal(found[""].counts["data"], np.ones(3))


def test_bands_that_are_no_channels_add_nothing(make_problem):
    problem = make_problem(edges=((100.0, 400.0), (400.0, 800.0)))
    found = with_fitted_counts(problem, np.array([0.0, 0.0, 1.0]), 0.5)

    assert FITTED not in found[""].counts
