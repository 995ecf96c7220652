"""The toy telescope and the experiments of the benchmarks."""

import importlib.util
import sys
from pathlib import Path

import pytest

_TOY = Path(__file__).parents[2] / "benchmarks" / "toy.py"


@pytest.fixture(scope="session")
def toy():
    """Module `benchmarks/toy.py`, from which `benchmarks/coverage.py` makes its tables."""
    spec = importlib.util.spec_from_file_location("toy", _TOY)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
