from dataclasses import replace

import numpy as np
import pytest

from skyquilt.errors import InputError
from skyquilt.instruments.compton.dataspace import DataSpace, check_same_space

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
