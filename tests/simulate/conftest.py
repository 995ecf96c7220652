"""The toy telescope of the benchmarks as a model of all bins."""

import numpy as np
import pytest

from skyquilt.testing import toy


@pytest.fixture(scope="session")
def telescope():
    return toy.Telescope()


@pytest.fixture(scope="session")
def model(telescope):
    """All bins, with the counts of an observation without a source."""
    return telescope.all_bins(np.random.default_rng(3))
