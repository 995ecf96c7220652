import pytest

from skyquilt.config import parse_config
from skyquilt.errors import ConfigError

SPECTRUM = {"model": "power_law", "norm": "1e-16 cm-2 s-1 keV-1", "pivot": "10 GeV", "index": -2.2}
SOURCE = {"position": {"lon": 40, "lat": 30, "frame": "galactic"}, "spectrum": SPECTRUM}
ANALYSIS = {
    "instrument": "imaging",
    "data": {
        name: {"path": f"{name}.fits"} for name in ("events", "background", "exposure", "psf")
    },
    "spectrum": SPECTRUM,
}


def read(**changes):
    simulation = {"instrument": "imaging", "background": {"all": {"spectrum": SPECTRUM}}} | changes
    return parse_config({"simulation": simulation, "analyses": {"a": ANALYSIS}}).simulation


def test_livetime_is_that_of_all_epochs():
    epochs = [{"start": 0, "stop": 100, "live_fraction": 0.5}, {"start": 100, "stop": 110}]
    assert read(epochs=epochs).livetime == pytest.approx(60)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"instrument": "optical"}, "compton or imaging"),
        ({"epochs": [{"start": 5, "stop": 5}]}, "not after start"),
        ({"epochs": [{"start": 5, "stop": 9}, {"start": 8, "stop": 10}]}, "without overlap"),
        ({"energy_edges": ["1 GeV", "1 GeV"]}, "ascend"),
        ({"area": {"value": "0 cm2"}}, "above zero"),
        ({"area": {"value": "1 s"}}, "cm2"),
        ({"point_spread": {"sigma": 0}}, "must be above 0"),
        ({"sources": {"all": SOURCE}}, "names of both"),
        ({"background": {}}, "background"),
        ({"orbit": {}}, "orbit"),
    ],
)
def test_simulations_that_are_not_possible(changes, message):
    with pytest.raises(ConfigError, match=message):
        read(**changes)
