import pytest
from pydantic import ValidationError

from skyquilt.config.simulation import Simulation, simulation_files

START = 1835478000.0
SPECTRUM = {"model": "power_law", "norm": "1 cm-2 s-1 keV-1", "pivot": "100 keV", "index": -2}
CRAB = {"position": {"lon": 184.6, "lat": -5.8, "frame": "galactic"}, "spectrum": SPECTRUM}
BURST = CRAB | {"interval": [START + 10, START + 50]}


def make(**changes):
    return Simulation.model_validate({"sources": {"crab": CRAB}} | changes)


def test_simulation_with_one_source_has_defaults():
    simulation = make()
    assert simulation.span == (START, START + 5 * 86400)
    assert list(simulation.steady) == ["crab"]
    assert not simulation.bursts


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"resolution": {"nside_local": 3}}, "powers of two"),
        ({"resolution": {"energy_edges": ["2 MeV", "100 keV"]}}, "ascend"),
        ({"resolution": {"energy_edges": ["0 keV", "100 keV"]}}, "above 0 keV"),
        ({"resolution": {"energy_edges": ["1 s", "100 keV"]}}, "convertible to keV"),
        ({"resolution": {"n_phi": 0}}, "greater than 0"),
        ({"orbit": {"step": "0 s"}}, "not above zero"),
        ({"orbit": {"rocking": 80}}, "less than or equal to 60"),
        ({"duration": "-1 d"}, "not above zero"),
        ({"background": {"rate": "25 s"}}, "convertible to s-1"),
        ({"background": {"events": {"formats": ["root"]}}}, "'fits.gz' or 'hdf5'"),
        ({"sources": {}}, "at least 1"),
        ({"sources": {"response_x": CRAB}}, "choose another name"),
        ({"sources": {"a/b": CRAB}}, "match pattern"),
        ({"sources": {"grb": BURST | {"interval": [0, 9]}}}, "not within the observation"),
        (
            {"sources": {"crab": CRAB | {"events": {"interval": [0, 9]}}}},
            "of crab: interval",
        ),
        ({"background": {"events": {"interval": [0, 9]}}}, "events of background: interval"),
        ({"seed": -1}, "greater than or equal to 0"),
        ({"colour": "blue"}, "Extra inputs"),
    ],
)
def test_simulation_with_a_wrong_value_says_what_is_allowed(changes, message):
    with pytest.raises(ValidationError, match=message):
        make(**changes)


def test_simulation_files_of_steady_source_leave_out_the_local_frame():
    names = [str(path) for path in simulation_files(make()).values()]
    assert names == [
        "orientation.ori",
        "response_galactic.h5",
        "background_galactic.h5",
        "background_galactic_model.h5",
        "crab.h5",
    ]


def test_simulation_files_of_burst_and_events_name_all():
    events = {"events": {"formats": ["fits.gz", "hdf5"]}}
    files = simulation_files(make(sources={"grb": BURST | events}, background=events))
    assert [str(path) for path in files.values()] == [
        "orientation.ori",
        "response.h5",
        "background.h5",
        "grb.h5",
        "background_events.fits.gz",
        "background_events.hdf5",
        "grb_events.fits.gz",
        "grb_events.hdf5",
    ]
