import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyquilt.errors import InputError
from skyquilt.instruments.compton.orientation import cut_attitude
from skyquilt.instruments.compton.orientation_files import read_orientation, text
from skyquilt.sky.frames import lonlat_to_vec

START = 1.8e9
HEADER = "Type OrientationsGalactic"


def record(time, z_lon=0.0, livetime=1.0, x_lat=0.0):
    return f"OG {START + time:.6f} {x_lat} {z_lon + 90} 0 {z_lon} 550 10 20 {livetime}"


@pytest.fixture
def write(tmp_path):
    """Write lines as `o.ori` and give its path."""

    def write(lines, end="\nEN\n"):
        path = tmp_path / "o.ori"
        path.write_text("\n".join([HEADER, *lines]) + end)
        return path

    return write


def test_read_orientation_takes_latitude_before_longitude(write):
    orientation = read_orientation(
        write(["OG 100 10 120 0 30 550 5 6 0.5 ", "OG 101 10 120 0 30 551 5 6 0"])
    )

    np.testing.assert_array_equal(orientation.time, [100, 101])
    np.testing.assert_allclose(orientation.x[0], lonlat_to_vec(120.0, 10.0))
    np.testing.assert_allclose(orientation.z[0], lonlat_to_vec(30.0, 0.0))
    np.testing.assert_allclose(orientation.zenith[0], lonlat_to_vec(6.0, 5.0))
    np.testing.assert_array_equal(orientation.altitude, [550, 551])
    np.testing.assert_array_equal(orientation.livetime, [0.5, 0])


def test_read_orientation_of_cosi(cosi_data):
    orientation = read_orientation(cosi_data / "20280301_2s.ori")

    np.testing.assert_array_equal(orientation.time, 1835487300 + np.arange(3))
    np.testing.assert_array_equal(orientation.livetime, [1, 1, 0])
    assert not orientation.has_earth()


def test_read_orientation_of_cosi_with_earth_knows_the_altitude(cosi_data):
    assert read_orientation(cosi_data / "polarization_ori.ori").has_earth()


@pytest.mark.parametrize(
    "end", ["\nEN\n", "\nEN", "\n\nEN\n\n", "\nEN\nanything after\n", "\r\nEN\r\n"]
)
def test_read_orientation_knows_the_end(write, end):
    assert read_orientation(write([record(0), record(1)], end)).time.size == 2


def test_read_orientation_with_tabs(write):
    lines = [record(0).replace(" ", "\t"), record(1)]

    assert read_orientation(write(lines)).time.size == 2


@pytest.mark.parametrize("block", [1, 7, 60, 100, 1000])
def test_read_orientation_does_not_depend_on_the_block_size(write, monkeypatch, block):
    path = write([record(time, z_lon=time) for time in range(9)])
    whole = read_orientation(path)
    monkeypatch.setattr(text, "_BLOCK", block)

    blocks = read_orientation(path)

    for name in ("time", "x", "z", "zenith", "altitude", "livetime"):
        np.testing.assert_array_equal(getattr(blocks, name), getattr(whole, name))


@given(
    st.sampled_from([1, 100, 200, 350, 1 << 24]),
    st.floats(0, 60),
    st.floats(0, 60),
    st.sampled_from(["livetime", "elapsed"]),
)
def test_read_orientation_for_an_interval_gives_the_same_attitude(
    tmp_path_factory, block, start, stop, weights
):
    path = tmp_path_factory.mktemp("orientation") / "o.ori"
    livetimes = [5, 5, 0, 0, 5, 5, 0, 5, 5, 0, 5, 5, 0]
    lines = [record(5 * i, z_lon=7 * i, livetime=live) for i, live in enumerate(livetimes)]
    path.write_text("\n".join([HEADER, *lines, "EN"]))
    interval = (START + min(start, stop), START + max(start, stop))
    whole = read_orientation(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "_BLOCK", block)
        part = read_orientation(path, interval)

    np.testing.assert_array_equal(part.time, whole.time)
    np.testing.assert_array_equal(part.livetime, whole.livetime)
    try:
        wanted = cut_attitude(whole, *interval, weights)
    except InputError:
        return
    for found, value in zip(
        _arrays(cut_attitude(part, *interval, weights)), _arrays(wanted), strict=True
    ):
        np.testing.assert_array_equal(found, value)


def _arrays(attitude):
    return attitude.rotation, attitude.weight, attitude.zenith, attitude.horizon_cos


def test_read_orientation_of_old_files_with_five_numbers_knows_the_axes_only(write):
    orientation = read_orientation(write(["OG 100 10 120 0 30", "OG 101 10 120 0 30"]))

    np.testing.assert_allclose(orientation.x[0], lonlat_to_vec(120.0, 10.0))
    np.testing.assert_allclose(orientation.z[0], lonlat_to_vec(30.0, 0.0))
    assert orientation.livetime is None
    assert not orientation.has_earth()


def test_read_orientation_with_eight_numbers_knows_the_earth_but_no_livetimes(write):
    lines = ["OG 100 10 120 0 30 550 5 6", "OG 103 10 120 0 30 551 5 6"]

    orientation = read_orientation(write(lines))

    np.testing.assert_array_equal(orientation.altitude, [550, 551])
    np.testing.assert_allclose(orientation.zenith[0], lonlat_to_vec(6.0, 5.0))
    assert orientation.livetime is None
    assert orientation.livetime_between(100, 102) == 2
    with pytest.raises(InputError, match=r"no livetimes .* set `data\.time_weights: elapsed`"):
        cut_attitude(orientation, 100, 102, "livetime")
    np.testing.assert_array_equal(cut_attitude(orientation, 100, 102, "elapsed").weight, [2])


@pytest.mark.parametrize("n", [5, 6, 7, 8, 9, 10])
@pytest.mark.parametrize("other", [5, 8, 9])
def test_read_orientation_with_records_of_unequal_length_is_refused(write, n, other):
    lines = [
        " ".join(["OG", str(100 + i), *["0", "90", "0", "0", "550", "0", "0", "1", "1"]])
        for i in range(2)
    ]
    lines = [" ".join(line.split()[: k + 1]) for line, k in zip(lines, (n, other), strict=True)]
    if n == other:
        return

    with pytest.raises(InputError, match=r"o\.ori: line .* is no record 'OG' with [589] numbers"):
        read_orientation(write(lines))


def test_read_orientation_with_the_header_of_the_third_data_challenge(write, tmp_path):
    path = write([record(0), record(1)], end="\n")
    names = "Geo time lat_x lon_x lat_z lon_z altitude Earth_lat Earth_lon SAA"
    other = tmp_path / "dc3.ori"
    other.write_text(path.read_text().replace(HEADER, names))

    np.testing.assert_array_equal(read_orientation(other).x, read_orientation(path).x)


def test_read_orientation_with_columns_in_another_order_is_refused(write, tmp_path):
    path = write([record(0), record(1)])
    path.write_text(path.read_text().replace(HEADER, "Geo time lon_x lat_x lat_z lon_z altitude"))

    with pytest.raises(InputError, match=r"the first line is 'Geo time lon_x lat_x"):
        read_orientation(path)


def test_read_orientation_skips_comments(write):
    lines = ["# made by hand", record(0), "# OG", record(1)]

    assert read_orientation(write(lines)).time.size == 2


def test_read_gzipped_orientation_gives_the_same(write, tmp_path):
    path = write([record(time, z_lon=time) for time in range(9)])
    packed = tmp_path / "o.ori.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))

    for name in ("time", "x", "z", "zenith", "altitude", "livetime"):
        found, wanted = (getattr(read_orientation(one), name) for one in (packed, path))
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("fraction", [0.2, 0.5, 0.9, 0.99])
def test_read_gzipped_orientation_that_is_cut_short_is_refused(write, fraction):
    path = write([record(time, z_lon=time) for time in range(99)])
    content = gzip.compress(path.read_bytes())
    path.write_bytes(content[: int(fraction * len(content))])

    with pytest.raises(InputError, match="damaged or cut short"):
        read_orientation(path)


def test_read_orientation_with_a_latitude_beyond_the_pole_is_refused(write):
    lines = ["OG 100 0 90 120 0 550 0 0 1", "OG 101 0 90 120 0 550 0 0 1"]

    with pytest.raises(InputError, match=r"record 0 has a latitude beyond 90 deg"):
        read_orientation(write(lines))


def test_read_orientation_with_livetimes_longer_than_intervals_warns(write, caplog):
    read_orientation(write([record(0, livetime=15), record(1), record(2, livetime=0)]))

    assert (
        "1 livetimes are longer than their intervals; the first is 15 s in the 1 s" in caplog.text
    )


@pytest.mark.parametrize(
    "line", ["OG 101 0 90 zero 0 550 0 0 1", "XX 101 0 90 0 0 550 0 0 1", "OG 101 0 90 0 0 550 0"]
)
def test_read_orientation_shows_a_bad_line(write, line):
    with pytest.raises(InputError, match=f"o.ori: line '{line}' is no record"):
        read_orientation(write([record(0), line, record(2)]))


@pytest.mark.parametrize(
    ("stamps", "message"),
    [
        ([0, 2, 1], r"record 2 has 1800000001\.000000 after 1800000002\.000000 s \(1 such"),
        ([0, 1, 1, 2], r"record 2 has 1800000001\.000000 after 1800000001\.000000 s"),
    ],
)
def test_read_orientation_with_unsorted_or_repeated_stamps_is_refused(write, stamps, message):
    with pytest.raises(InputError, match=rf"o\.ori: time stamps must increase; {message}"):
        read_orientation(write([record(stamp) for stamp in stamps]))


@pytest.mark.parametrize("block", [1, 50, 1 << 24])
@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\r\n"])
def test_read_orientation_without_end_line_is_read_with_a_warning(
    write, end, block, caplog, monkeypatch
):
    whole = read_orientation(write([record(0), record(1)]))
    monkeypatch.setattr(text, "_BLOCK", block)

    orientation = read_orientation(write([record(0), record(1)], end))

    np.testing.assert_array_equal(orientation.time, whole.time)
    np.testing.assert_array_equal(orientation.x, whole.x)
    assert "no line 'EN' at the end" in caplog.text


@pytest.mark.parametrize("last", ["E", "OG", "OG 1800000002.0 0.0 90", record(2)[:-4]])
@pytest.mark.parametrize("end", ["", "\n"])
def test_read_orientation_that_ends_within_a_record_is_refused(write, last, end):
    with pytest.raises(InputError, match=r"o\.ori: (no line 'EN' .* truncated|line .* no record)"):
        read_orientation(write([record(0), record(1), last], end))


@pytest.mark.parametrize("fraction", [0.3, 0.6, 0.9])
def test_read_truncated_orientation_is_refused(local, truncate, fraction):
    truncate(local.path("orientation.ori"), fraction)

    with pytest.raises(InputError, match="truncated"):
        read_orientation(local.path("orientation.ori"))


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", "the file is empty"),
        ("\n", "the first line is ''"),
        ("Type OrientationsEquatorial\n", "the first line is 'Type OrientationsEquatorial'"),
        ("\x89HDF\n", "the file is no text"),
    ],
)
def test_read_orientation_of_another_kind_is_refused(tmp_path, header, found):
    (tmp_path / "o.ori").write_text(header)

    with pytest.raises(InputError, match=rf"o\.ori: {found}; an orientation file begins"):
        read_orientation(tmp_path / "o.ori")


@pytest.mark.parametrize("n", [0, 1])
def test_read_orientation_with_fewer_than_two_records_is_refused(write, n):
    with pytest.raises(InputError, match=rf"o\.ori: {n} records; at least 2"):
        read_orientation(write([record(0)] * n))


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_read_orientation_with_values_that_are_not_finite_is_refused(write, value):
    with pytest.raises(InputError, match=r"o\.ori: a record has a value that is not finite"):
        read_orientation(write([record(0), record(1, livetime=value)]))


def test_read_orientation_with_negative_livetime_is_refused(write):
    with pytest.raises(InputError, match=r"record 1 has livetime -1\.0 s; it must be >= 0"):
        read_orientation(write([record(0), record(1, livetime=-1)]))


def test_read_orientation_with_skew_axes_is_refused(write):
    lines = [record(0), "OG 1800000001 0 80 0 0 550 0 0 1"]

    with pytest.raises(InputError, match=r"record 1 .*80\.000 deg apart, not 90"):
        read_orientation(write(lines))


def test_read_missing_orientation_names_it(tmp_path):
    with pytest.raises(InputError, match=r"no\.ori: cannot be read: No such file"):
        read_orientation(tmp_path / "no.ori")


def test_read_folder_as_orientation_names_it(tmp_path):
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_orientation(Path(tmp_path))
