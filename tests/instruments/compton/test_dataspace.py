from dataclasses import replace

import numpy as np
import pytest

from skyquilt.config.energy import EnergySelection
from skyquilt.errors import InputError
from skyquilt.instruments.compton.dataspace import DataSpace, check_same_space, select_channels

EDGES = np.array([100.0, 158.489, 251.189, 398.107])
SPACE = DataSpace(EDGES, np.array([0.0, 90.0, 180.0]), 2, "RING", "local")


def test_shape_is_em_phi_psichi():
    assert SPACE.shape == (3, 2, 48)


def test_check_same_space_when_equal_passes():
    check_same_space(SPACE, "a.h5", replace(SPACE), "b.h5")


def test_check_same_space_lets_edges_differ_by_rounding():
    exact = 100 * 10 ** (np.arange(4) / 5)  # the edges above are these, to six digits

    check_same_space(SPACE, "a.h5", replace(SPACE, em_edges=exact), "b.h5")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"em_edges": EDGES[:3]}, r"axis Em has 3 bins in the first and 2 in the second"),
        ({"em_edges": EDGES * 1.001}, r"edge 0 of axis Em is 100 keV in the first and 100\.1 keV"),
        ({"phi_edges": np.array([0.0, 60.0, 180.0])}, r"edge 1 of axis Phi is 90 deg .* 60 deg"),
        ({"nside": 4}, r"axis PsiChi has nside 2 in the first and 4 in the second"),
        ({"ordering": "NESTED"}, r"axis PsiChi has ordering RING in the first and NESTED"),
        ({"frame": "galactic"}, r"axis PsiChi has frame local in the first and galactic"),
    ],
)
def test_check_same_space_names_both_files_and_the_axis(change, message):
    with pytest.raises(InputError, match=rf"^a\.h5 and b\.h5: {message}"):
        check_same_space(SPACE, "a.h5", replace(SPACE, **change), "b.h5")


def test_check_same_space_passes_a_file_that_names_no_frame():
    check_same_space(SPACE, "a.h5", replace(SPACE, frame=None), "b.h5")


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

    with pytest.raises(InputError, match=r"250 keV is no edge of Em; edges are 100, 158\.489,"):
        select_channels(EDGES, selection, "a.h5")


@pytest.mark.parametrize("energies", [("251.189 keV", "158.489 keV"), ("100 keV", "100 keV")])
def test_select_channels_of_empty_range_is_refused(energies):
    with pytest.raises(InputError, match="are empty or do not exist"):
        select_channels(EDGES, EnergySelection(range=energies), "a.h5")
