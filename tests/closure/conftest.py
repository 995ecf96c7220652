"""The toy telescope and the experiments of the benchmarks."""

import pytest

from skyquilt.testing import toy as toy_module


@pytest.fixture(scope="session")
def toy():
    """Module `skyquilt.testing.toy`, from which `benchmarks/coverage_table.py` makes its tables."""
    return toy_module
