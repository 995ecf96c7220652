"""The toy telescope of the benchmarks as a model of all bins."""

import numpy as np
import pytest

from skyquilt.calibration.sky import make_grid
from skyquilt.sky.regions import full_sky
from skyquilt.testing import toy


@pytest.fixture(scope="session")
def telescope():
    return toy.Telescope()


@pytest.fixture(scope="session")
def model(telescope):
    """All bins, with the counts of an observation without a source."""
    return telescope.all_bins(np.random.default_rng(3))


@pytest.fixture(scope="session")
def grid(model):
    return make_grid(model, 2, "icrs", full_sky(2))


@pytest.fixture
def silent():
    """Progress that nobody watches."""
    return lambda n_done, n_all: None
