"""The reader of histograms against the library that defines the layout, histpy."""

import h5py
import numpy as np
import pytest
import scoords  # noqa: F401  (registers the frame 'spacecraftframe' with astropy)
import sparse
from astropy import units as u
from astropy.time import Time
from histpy import Axes, Axis, HealpixAxis, Histogram, TimeAxis

from skyquilt.instruments.compton.axes import axis_edges, healpix_space, read_axes
from skyquilt.instruments.compton.contents import project

ONTO = ["Em", "Phi", "PsiChi"]
N_BINS = (3, 2, 4, 12, 2)


def axes():
    return Axes(
        [
            Axis([0, 1, 2, 5] * u.s, label="Time"),
            Axis([100, 200, 400] * u.keV, label="Em", scale="log"),
            Axis([0, 45, 90, 135, 180] * u.deg, label="Phi"),
            HealpixAxis(nside=1, coordsys="spacecraftframe", label="PsiChi"),
            Axis([0, 1, 2] * u.cm, label="Dist"),
        ]
    )


def contents(with_flow, seed=5):
    shape = tuple(n + 2 * flow for n, flow in zip(N_BINS, with_flow, strict=True))
    return np.random.default_rng(seed).poisson(0.3, shape).astype(float)


def write(tmp_path, stored, kind):
    values = {"dense": np.asarray, "coo": sparse.COO, "gcxs": sparse.GCXS}[kind](stored)
    histogram = Histogram(axes(), contents=values)
    histogram.write(tmp_path / "h.h5")
    return histogram


@pytest.fixture(scope="module", autouse=True)
def _compiled(tmp_path_factory):
    """What `sparse` compiles when it is first used is in no test's time."""
    folder = tmp_path_factory.mktemp("compiled")
    dense(write(folder, contents((True,) * 5), "coo").project(ONTO).contents)


def dense(values):
    return values.todense() if isinstance(values, sparse.SparseArray) else values


def read(tmp_path, cuts):
    with h5py.File(tmp_path / "h.h5") as file:
        return project(file["hist"], read_axes(file["hist/axes"]), ONTO, cuts)


FLOWS = [
    (False,) * 5,
    (True,) * 5,
    (False, True, False, True, False),
    (True, False, True, False, True),
]


@pytest.mark.parametrize("kind", ["dense", "coo"])
@pytest.mark.parametrize("with_flow", FLOWS)
def test_project_without_a_cut_equals_that_of_histpy(tmp_path, kind, with_flow):
    expected = write(tmp_path, contents(with_flow), kind).project(ONTO)

    inside, lost = read(tmp_path, {})

    np.testing.assert_array_equal(inside, dense(expected.contents))
    assert lost == expected.full_contents.sum() - inside.sum()


@pytest.mark.parametrize("kind", ["dense", "coo"])
@pytest.mark.parametrize("with_flow", FLOWS)
@pytest.mark.parametrize("cut", [slice(0, 3), slice(1, 2), slice(1, 3)])
def test_project_with_a_cut_equals_the_sum_of_its_bins(tmp_path, kind, with_flow, cut):
    stored = contents(with_flow)
    write(tmp_path, stored, kind)
    regular = [slice(flow, flow + n) for flow, n in zip(with_flow, N_BINS, strict=True)]
    expected = stored[:, *regular[1:4]][regular[0]][cut].sum(axis=(0, 4))

    inside, _ = read(tmp_path, {"Time": cut})

    np.testing.assert_array_equal(inside, expected)


def test_project_reads_the_format_of_old_files(tmp_path):
    stored = contents((False,) * 5)
    write(tmp_path, stored, "coo")
    old = sparse.GCXS(stored)
    with h5py.File(tmp_path / "h.h5", "r+") as file:
        del file["hist/contents"]
        group = file.create_group("hist/contents")
        file["hist"].attrs["format"] = "gcxs"
        for name in ("data", "indices", "indptr", "fill_value"):
            group[name] = getattr(old, name)
        group["shape"] = np.array(old.shape)
        group["compressed_axes"] = np.array(old.compressed_axes)

    inside, lost = read(tmp_path, {})

    np.testing.assert_array_equal(inside, stored.sum(axis=(0, 4)))
    assert lost == 0


def test_project_of_many_sparse_entries_reads_them_in_blocks(tmp_path, monkeypatch):
    stored = contents((False,) * 5)
    write(tmp_path, stored, "coo")
    monkeypatch.setattr("skyquilt.instruments.compton.contents._BLOCK", 7)

    np.testing.assert_array_equal(read(tmp_path, {})[0], stored.sum(axis=(0, 4)))


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda hist: hist.attrs.__setitem__("format", "csr"), "format 'csr'; allowed are dense"),
        (lambda hist: hist["contents/shape"].__setitem__(1, 3), "axis Em has 2 bins, but 3 are"),
        (
            lambda hist: hist["contents/coords"].__setitem__((3, 0), 12),
            r"outside the stored shape \[3, 2, 4, 12, 2\]",
        ),
        (lambda hist: hist["contents/fill_value"].__setitem__((), 1), "are 1.0 elsewhere, not 0"),
    ],
)
def test_project_of_contents_it_cannot_read_raises(tmp_path, break_it, message):
    write(tmp_path, contents((False,) * 5), "coo")
    with h5py.File(tmp_path / "h.h5", "r+") as file:
        break_it(file["hist"])

    with pytest.raises(ValueError, match=message):
        read(tmp_path, {})


def test_read_axes_equals_those_of_histpy(tmp_path):
    write(tmp_path, contents((False,) * 5), "dense")
    with h5py.File(tmp_path / "h.h5") as file:
        found = read_axes(file["hist/axes"])

    assert list(found) == ["Time", "Em", "Phi", "PsiChi", "Dist"]
    np.testing.assert_array_equal(axis_edges(found["Em"], "h.h5"), [100, 200, 400])
    assert healpix_space(found["PsiChi"], "h.h5") == (1, "RING", "local")


def test_axis_edges_of_a_time_axis_are_unix_seconds(tmp_path):
    stamps = Time([1835478000.0, 1835478010.0, 1835478050.0], format="unix")
    Histogram(Axes([TimeAxis(stamps, label="Time")]), contents=np.ones(2)).write(tmp_path / "h.h5")
    with h5py.File(tmp_path / "h.h5") as file:
        edges = axis_edges(read_axes(file["hist/axes"])["Time"], "h.h5")

    # a Julian date in two parts keeps 1e-7 s
    np.testing.assert_allclose(edges, stamps.unix, rtol=0, atol=1e-6)
