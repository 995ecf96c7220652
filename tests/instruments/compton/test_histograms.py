import h5py
import numpy as np
import pytest

from skyquilt.errors import InputError
from skyquilt.instruments.compton.histograms import read_counts

START = 1.8e9
COUNTS = np.arange(1.0, 109.0).reshape(3, 3, 12)


@pytest.fixture
def write(local):
    """Write `h.h5` and give its path."""

    def write(counts=COUNTS, **options):
        local.write_counts("h.h5", counts, **options)
        return local.path("h.h5")

    return write


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("overflow", [{}, dict.fromkeys(("Em", "Phi", "PsiChi"), 7.0)])
def test_read_counts_dense_or_sparse_with_or_without_overflow(write, sparse, overflow):
    binned = read_counts(write(sparse=sparse, overflow=overflow), None)

    np.testing.assert_array_equal(binned.counts, COUNTS)
    assert binned.span is None
    np.testing.assert_array_equal(binned.space.em_edges, [100, 200, 400, 800])
    np.testing.assert_array_equal(binned.space.phi_edges, [0, 60, 120, 180])
    assert (binned.space.nside, binned.space.ordering, binned.space.frame) == (1, "RING", "local")


def test_read_counts_logs_counts_in_overflow_bins(write, caplog):
    caplog.set_level("INFO")
    read_counts(write(overflow={"Em": 1.0}), None)

    assert "72 counts outside the axes (under- or overflow) are not used" in caplog.text


def test_read_counts_sorts_the_axes_by_label(local, write):
    em, phi, psichi = local.cds_axes()
    path = write(COUNTS.transpose(2, 0, 1), axes=[psichi, em, phi])

    np.testing.assert_array_equal(read_counts(path, None).counts, COUNTS)


def test_read_counts_sums_other_axes(local, write, make_axis):
    other = make_axis.plain("Dist", [0.0, 1.0, 2.0], "cm")
    path = write(np.stack([COUNTS, 2 * COUNTS]), axes=[other, *local.cds_axes()])

    np.testing.assert_array_equal(read_counts(path, None).counts, 3 * COUNTS)


def test_read_counts_converts_energies_to_kev(local, write, make_axis):
    em = make_axis.plain("Em", [0.1, 0.2, 0.4, 0.8], "MeV")

    space = read_counts(write(axes=local.cds_axes(Em=em)), None).space

    np.testing.assert_allclose(space.em_edges, [100, 200, 400, 800], rtol=1e-15)


def test_read_counts_from_group_of_another_name_is_refused(write):
    path = write()
    with h5py.File(path, "r+") as file:
        file.move("hist", "counts")

    with pytest.raises(InputError, match=r"h\.h5: cannot be read as a histogram .*'hist'"):
        read_counts(path, None)


@pytest.mark.parametrize(
    ("interval", "factor"), [((0, 10), 1), ((10, 20), 10), ((10, 40), 110), (None, 111)]
)
def test_read_counts_cuts_the_time_axis(write, interval, factor):
    path = write(np.stack([COUNTS, 10 * COUNTS, 100 * COUNTS]), time=[0, 10, 20, 40])
    interval = interval and (START + interval[0], START + interval[1])

    binned = read_counts(path, interval)

    np.testing.assert_array_equal(binned.counts, factor * COUNTS)
    assert binned.span == (interval or (START, START + 40))


@pytest.mark.parametrize("interval", [None, (START, START + 20)])
def test_read_counts_leaves_out_what_is_outside_the_time_axis(write, interval):
    path = write(np.stack([COUNTS, COUNTS]), time=[0, 10, 20], overflow={"Time": 1000.0})

    np.testing.assert_array_equal(read_counts(path, interval).counts, 2 * COUNTS)


@pytest.mark.parametrize("key", ["data.interval", "data.background.interval"])
def test_read_counts_between_time_edges_names_the_key(write, key):
    path = write(np.stack([COUNTS, COUNTS]), time=[0, 10, 20])

    with pytest.raises(InputError, match=rf"is no edge .*: change `{key}`, or"):
        read_counts(path, (START, START + 12), key)


def test_read_counts_between_time_edges_names_the_nearest(write):
    path = write(np.stack([COUNTS, COUNTS]), time=[0, 10, 20])

    with pytest.raises(
        InputError,
        match=r"1800000012\.000000 s is no edge .* nearest edges are 1800000010\.0+ and 18000000",
    ):
        read_counts(path, (START, START + 12))


def test_read_counts_without_time_axis_ignores_the_interval(write):
    binned = read_counts(write(), (START, START + 10))

    np.testing.assert_array_equal(binned.counts, COUNTS)
    assert binned.span is None


def test_read_counts_without_an_axis_names_it(local, write):
    path = write(COUNTS[0], axes=local.cds_axes()[1:])

    with pytest.raises(InputError, match=r"axes are Phi, PsiChi; Em missing"):
        read_counts(path, None)


def test_read_counts_of_a_rate_is_refused(write):
    with pytest.raises(InputError, match=r"unit of the contents is '1 / s'; counts have none"):
        read_counts(write(unit="1 / s"), None)


@pytest.mark.parametrize("unit", ["", "ct"])
def test_read_counts_without_unit_or_in_ct_is_read(write, unit):
    np.testing.assert_array_equal(read_counts(write(unit=unit), None).counts, COUNTS)


@pytest.mark.parametrize(
    ("unit", "message"),
    [(None, "axis Em has no unit; it must be in keV"), ("s", "axis Em is in s; it must be conv")],
)
def test_read_counts_with_wrong_axis_unit_says_what_is_needed(
    local, write, make_axis, unit, message
):
    em = make_axis.plain("Em", [100.0, 200, 400, 800], unit)

    with pytest.raises(InputError, match=message):
        read_counts(write(axes=local.cds_axes(Em=em)), None)


def test_read_counts_with_plain_psichi_is_refused(local, write, make_axis):
    psichi = make_axis.plain("PsiChi", np.arange(13.0), None)

    with pytest.raises(InputError, match=r"axis PsiChi is no HEALPix axis"):
        read_counts(write(axes=local.cds_axes(PsiChi=psichi)), None)


def test_read_counts_of_a_part_of_the_sphere_is_refused(local, write, make_axis):
    psichi = make_axis.healpix("PsiChi", "local", nside=2)
    psichi = psichi._replace(edges=np.arange(13))

    with pytest.raises(InputError, match=r"axis PsiChi has 12 of 48 pixels"):
        read_counts(write(axes=local.cds_axes(PsiChi=psichi)), None)


def test_read_counts_in_icrs_is_refused(local, write, make_axis):
    axes = local.cds_axes(PsiChi=make_axis.healpix("PsiChi", "icrs"))

    with pytest.raises(InputError, match=r"axis PsiChi is in frame 'icrs'; allowed are"):
        read_counts(write(axes=axes), None)


@pytest.mark.parametrize(("frame", "found"), [("galactic", "galactic"), (None, None)])
def test_read_counts_tells_the_frame(local, write, make_axis, frame, found):
    axes = local.cds_axes(PsiChi=make_axis.healpix("PsiChi", frame, scheme="nested"))

    space = read_counts(write(axes=axes), None).space

    assert (space.frame, space.ordering) == (found, "NESTED")


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
@pytest.mark.parametrize("sparse", [False, True])
def test_read_counts_with_bad_values_names_the_first(write, value, sparse):
    counts = COUNTS.copy()
    counts[1, 2, 3] = counts[2, 0, 0] = value

    with pytest.raises(InputError, match=r"2 bins are negative .* PsiChi\) = \(1, 2, 3\) with"):
        read_counts(write(counts, sparse=sparse), None)


@pytest.mark.parametrize("sparse", [False, True])
def test_read_counts_with_a_negative_entry_that_another_time_outweighs_is_refused(write, sparse):
    counts = np.stack([COUNTS + 5, COUNTS])
    counts[1, 1, 2, 3] = -2.0

    with pytest.raises(InputError, match=r"1 bins are negative .* \(1, 2, 3\) with -2\.0"):
        read_counts(write(counts, sparse=sparse, time=[0, 10, 20]), None)


def test_read_folder_says_that_it_is_one(tmp_path):
    with pytest.raises(InputError, match="a folder; name a histogram"):
        read_counts(str(tmp_path), None)


def test_read_file_of_someone_else_says_so(write, monkeypatch):
    path = write()
    monkeypatch.setattr("os.access", lambda path, mode: False)

    with pytest.raises(InputError, match=r"h\.h5: no permission to read it"):
        read_counts(path, None)


def test_read_missing_file_names_it(tmp_path):
    with pytest.raises(InputError, match=r"no\.h5: no such file"):
        read_counts(str(tmp_path / "no.h5"), None)


@pytest.mark.parametrize("fraction", [0, 0.3, 0.9])
def test_read_truncated_file_is_refused(write, truncate, fraction):
    path = write()
    truncate(path, fraction)

    with pytest.raises(InputError, match=r"h\.h5: cannot be read as a histogram"):
        read_counts(path, None)


@pytest.mark.parametrize("name", ["hist/contents", "hist/axes", "hist/axes/1"])
def test_read_file_without_a_dataset_is_refused(write, name):
    path = write()
    with h5py.File(path, "r+") as file:
        del file[name]

    with pytest.raises(InputError, match=r"h\.h5: "):
        read_counts(path, None)


@pytest.mark.parametrize("name", ["coords", "data", "shape"])
def test_read_sparse_file_without_a_dataset_is_refused(write, name):
    path = write(sparse=True)
    with h5py.File(path, "r+") as file:
        del file[f"hist/contents/{name}"]

    with pytest.raises(InputError, match=r"h\.h5: cannot be read as a histogram"):
        read_counts(path, None)


def test_read_contents_that_do_not_fit_the_axes_is_refused(local, write):
    path = write(COUNTS[:, :, :7])

    with pytest.raises(InputError, match=r"h\.h5: cannot be read as a histogram"):
        read_counts(path, None)


def test_read_sparse_contents_that_say_dense_is_refused(write):
    path = write(sparse=True)
    with h5py.File(path, "r+") as file:
        del file["hist"].attrs["format"]  # missing means dense

    with pytest.raises(InputError, match=r"h\.h5: cannot be read as a histogram"):
        read_counts(path, None)


def test_read_dense_contents_that_say_sparse_is_refused(write):
    path = write()
    with h5py.File(path, "r+") as file:
        file["hist"].attrs["format"] = "coo"

    with pytest.raises(InputError, match=r"h\.h5: cannot be read as a histogram"):
        read_counts(path, None)


def test_read_two_axes_of_one_name_is_refused(local, write):
    axes = local.cds_axes()
    path = write(np.stack([COUNTS] * 3), axes=[axes[0], *axes])

    with pytest.raises(InputError, match=r"h\.h5: labels of the axes are \['Em', 'Em', "):
        read_counts(path, None)


def test_read_file_with_a_dataset_in_place_of_the_group_is_refused(tmp_path):
    with h5py.File(tmp_path / "h.h5", "w") as file:
        file["hist"] = COUNTS

    with pytest.raises(InputError, match=r"h\.h5: cannot be read as a histogram"):
        read_counts(str(tmp_path / "h.h5"), None)
