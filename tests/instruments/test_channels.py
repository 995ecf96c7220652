import numpy as np
import pytest

from skyquilt.config.energy import EnergySelection
from skyquilt.errors import InputError
from skyquilt.instruments.channels import select_channels

EDGES = np.array([100.0, 158.489, 251.189, 398.107])


@pytest.mark.parametrize(
    ("selection", "channels"),
    [
        ({}, (0, 3)),
        ({"channels": (1, 2)}, (1, 2)),
        ({"channels": (0, 3)}, (0, 3)),
        ({"range": ("158.489 keV", "0.251189 MeV")}, (1, 2)),
        ({"range": ("100 keV", "398.107171 keV")}, (0, 3)),
    ],
)
def test_select_channels_by_number_or_energy(selection, channels):
    assert select_channels(EDGES, EnergySelection(**selection), "a.h5") == channels


@pytest.mark.parametrize("channels", [(0, 4), (3, 5), (7, 8)])
def test_select_channels_that_do_not_exist_says_which_do(channels):
    with pytest.raises(InputError, match=r"a\.h5: energy channels .* channels 0 to 2"):
        select_channels(EDGES, EnergySelection(channels=channels), "a.h5")


def test_select_channels_between_edges_is_not_rounded():
    selection = EnergySelection(range=("158.489 keV", "250 keV"))

    with pytest.raises(
        InputError, match=r"250 keV is no edge of the measured energies; edges are 100, 158\.489,"
    ):
        select_channels(EDGES, selection, "a.h5")


@pytest.mark.parametrize("energies", [("251.189 keV", "158.489 keV"), ("100 keV", "100 keV")])
def test_select_channels_of_empty_range_is_refused(energies):
    with pytest.raises(InputError, match="are empty or do not exist"):
        select_channels(EDGES, EnergySelection(range=energies), "a.h5")
