"""A small telescope and a short observation."""

import pytest

from skyquilt.config.simulation import Simulation
from skyquilt.instruments.compton.simulator import simulate
from skyquilt.instruments.compton.simulator.instrument import make_instrument
from skyquilt.instruments.compton.simulator.orbit import Orbit, fly

START = 1835478000.0


@pytest.fixture(scope="session")
def settings():
    """One hour, with a burst of 10 s and a steady source."""
    return {
        "seed": 7,
        "start": START,
        "duration": "1 h",
        "resolution": {
            "nside_local": 2,
            "nside_sky": 2,
            "nside_psichi": 2,
            "n_phi": 6,
            "energy_edges": ["100 keV", "300 keV", "1 MeV"],
        },
        "orbit": {"zenith_ra": 330.0},
        "sources": {
            "grb": {
                "position": {"lon": 93, "lat": -53, "frame": "galactic"},
                "spectrum": _power_law("1 cm-2 s-1 keV-1", -2.2),
                "interval": [START + 12, START + 22],
            },
            "crab": {
                "position": {"lon": 184.5551, "lat": -5.7877, "frame": "galactic"},
                "spectrum": _power_law("0.1 cm-2 s-1 keV-1", -2),
                "events": {"formats": ["fits.gz", "hdf5"]},
            },
        },
    }


@pytest.fixture(scope="session")
def simulation(settings):
    return Simulation.model_validate(settings)


@pytest.fixture(scope="session")
def instrument(simulation):
    return make_instrument(simulation.resolution)


@pytest.fixture(scope="session")
def orientation(simulation):
    return fly(simulation)


@pytest.fixture(scope="session")
def orbit(simulation):
    return Orbit(simulation.orbit, simulation.start)


@pytest.fixture(scope="session")
def simulated(simulation, tmp_path_factory):
    """Folder of the simulated files."""
    folder = tmp_path_factory.mktemp("simulated")
    simulate(simulation, folder)
    return folder


def _power_law(norm, index):
    return {"model": "power_law", "norm": norm, "pivot": "100 keV", "index": index}
