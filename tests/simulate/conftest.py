"""The toy telescope of the benchmarks as a model of all bins."""

from dataclasses import replace

import numpy as np
import pytest

from skyquilt.testing import toy


@pytest.fixture(scope="session")
def telescope():
    return toy.Telescope()


@pytest.fixture(scope="session")
def model(telescope):
    """All bins, with the counts of an observation without a source."""
    counts = np.random.default_rng(3).poisson(telescope.background)
    problem = telescope.problem(counts, np.ones(counts.size, dtype=bool))
    return replace(problem, background_total=telescope.background.sum())
