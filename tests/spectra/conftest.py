import pytest
from pydantic import TypeAdapter

from skyquilt.config.spectrum import GaussianLine, Spectrum


@pytest.fixture(scope="session")
def make_spectrum():
    """Section `spectrum` from the model's name and its parameters, norm 1 at 1 keV if unsaid."""
    parse = TypeAdapter(Spectrum).validate_python
    norm = "1 cm-2 s-1 keV-1"

    def make(model, **parameters):
        return parse({"model": model, "norm": norm, **parameters})

    return make


@pytest.fixture(scope="session")
def make_line():
    """A line from its flux, energy and sigma."""
    return GaussianLine
