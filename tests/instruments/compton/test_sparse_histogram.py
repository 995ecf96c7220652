import h5py
import numpy as np
import pytest
import sparse
from astropy import units as u
from histpy import Axis, HealpixAxis, Histogram

from skyquilt.instruments.compton.sparse_histogram import write_sparse_counts


@pytest.fixture
def histogram():
    contents = np.random.default_rng(3).poisson(0.2, (3, 4, 12)).astype(float)
    axes = [
        Axis([0, 1, 2, 4] * u.s, label="Time"),
        Axis(np.linspace(0, 180, 5) * u.deg, label="Phi"),
        HealpixAxis(nside=1, scheme="ring", coordsys="galactic", label="PsiChi"),
    ]
    return Histogram(axes, contents=sparse.COO.from_numpy(contents))


@pytest.fixture
def path(histogram, tmp_path):
    contents = histogram.contents.todense().ravel()
    cells = np.flatnonzero(contents)
    parts = np.array_split(cells, 4)
    with h5py.File(tmp_path / "ours.h5", "w") as file:
        write_sparse_counts(file, histogram.axes, ((part, contents[part]) for part in parts))
    return tmp_path / "ours.h5"


def test_write_sparse_counts_opens_as_equal_histogram(histogram, path):
    ours = Histogram.open(path)
    assert ours == histogram
    assert ours.axes == histogram.axes


def test_write_sparse_counts_stores_what_histpy_stores(histogram, path, tmp_path):
    histogram.write(tmp_path / "theirs.h5")
    with h5py.File(path) as ours, h5py.File(tmp_path / "theirs.h5") as theirs:
        names = []
        theirs.visit(names.append)
        for name in names:
            assert {k: str(v) for k, v in ours[name].attrs.items()} == {
                k: str(v) for k, v in theirs[name].attrs.items()
            }
            if isinstance(theirs[name], h5py.Dataset):
                np.testing.assert_array_equal(ours[name], theirs[name])
                assert ours[name].dtype == theirs[name].dtype
