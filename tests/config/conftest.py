import copy

import pytest

_ANALYSIS = {
    "data": {
        "frame": "local",
        "counts": [{"path": "counts.h5"}],
        "background": {"path": "background.h5"},
        "response": "response.h5",
        "orientation": "orientation.ori",
    },
    "spectrum": {
        "model": "power_law",
        "norm": "1 cm-2 s-1 keV-1",
        "pivot": "100 keV",
        "index": -2,
    },
}


@pytest.fixture
def settings():
    """Smallest configuration: one analysis `a` in the local frame."""
    return {"analyses": {"a": copy.deepcopy(_ANALYSIS)}}
