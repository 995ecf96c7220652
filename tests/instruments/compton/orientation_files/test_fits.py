import gzip
import time

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import QTable

from skyquilt.errors import InputError
from skyquilt.instruments.compton.orientation import cut_attitude
from skyquilt.instruments.compton.orientation_files import read_orientation

NAMES = ("time", "x", "z", "zenith", "altitude", "livetime")
START = 1.8e9


def records(n, step=1.0):
    """Records as of a text file, shape (n, 9)."""
    i = np.arange(float(n))
    z_lon, livetime = (10 + 0.1 * i) % 360, np.where(i % 7 == 3, 0, step)
    return np.stack(
        [START + step * i, 0 * i, z_lon + 90, 0 * i, z_lon, 550 + i, 5 + 0 * i, i % 360, livetime],
        axis=1,
    )


def write_fits(path, values, meta=None, change=lambda table: None):
    """Columns and keywords as cosipy 0.4 writes them."""
    table = QTable()
    table["TimeStamp"] = values[:, 0] * u.s
    table["XPointings"] = values[:, [2, 1]] * u.deg
    table["ZPointings"] = values[:, [4, 3]] * u.deg
    table["EarthZenith"] = values[:, [7, 6]] * u.deg
    table["Altitude"] = values[:, 5] * u.km
    table["LiveTime"] = values[:, 8] * u.s
    table.meta = {"VERSION": "20260130"} if meta is None else meta
    change(table)
    table.write(path, overwrite=True)
    return path


def write_text(path, values):
    lines = [" ".join(["OG", *map(repr, row)]) for row in values.tolist()]
    path.write_text("\n".join(["Type OrientationsGalactic", *lines, "EN", ""]))
    return path


@pytest.fixture
def table(tmp_path):
    return write_fits(tmp_path / "o.fits", records(40))


def test_fits_gives_what_the_text_gives(table, tmp_path):
    wanted = read_orientation(write_text(tmp_path / "o.ori", records(40)))

    found = read_orientation(table)

    for name in NAMES:
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name), name)


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("other", [None, (3.0, 11.0), (0.0, 39.0)])
@pytest.mark.parametrize("interval", [(5.0, 9.0), (4.5, 6.25), (0.0, 39.0), (0.0, 0.5), (38.5, 39)])
def test_fits_for_an_interval_gives_the_same_attitude(table, interval, other, is_packed):
    whole = read_orientation(table)
    if is_packed:
        table.write_bytes(gzip.compress(table.read_bytes()))
    spans = [None if span is None else tuple(START + x for x in span) for span in (interval, other)]

    part = read_orientation(table, *spans)

    for span in (span for span in spans if span):
        assert part.livetime_between(*span) == whole.livetime_between(*span)
    for found, wanted in zip(
        cut_attitude(part, *spans[0], "elapsed"), cut_attitude(whole, *spans[0], "elapsed"),
        strict=True,
    ):  # fmt: skip
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("interval", [(-5.0, 5.0), (35.0, 45.0), (-9.0, -5.0), (50.0, 60.0)])
def test_fits_that_does_not_cover_the_interval_tells_what_it_covers(table, interval):
    span = tuple(START + x for x in interval)

    with pytest.raises(InputError, match=r"covers 1800000000\.000000 to 1800000039\.000000 s"):
        cut_attitude(read_orientation(table, span), *span, "elapsed")


@pytest.mark.parametrize(
    ("name", "unit"), [("TimeStamp", u.h), ("XPointings", u.rad), ("Altitude", u.m)]
)
def test_units_of_columns_are_read(tmp_path, name, unit):
    wanted = read_orientation(write_fits(tmp_path / "a.fits", records(9)))

    def change(table):
        table[name] = table[name].to(unit)

    found = read_orientation(write_fits(tmp_path / "b.fits", records(9), change=change))

    for attribute in NAMES:
        np.testing.assert_allclose(
            getattr(found, attribute), getattr(wanted, attribute), rtol=1e-12, atol=1e-12
        )


def test_columns_may_come_in_any_order_and_single_precision(tmp_path):
    wanted = read_orientation(write_fits(tmp_path / "a.fits", records(9)))

    def change(table):
        table["Altitude"] = table["Altitude"].astype("f4")
        table["More"] = np.arange(9)
        stamps = table["TimeStamp"]
        table.remove_column("TimeStamp")
        table["timestamp"] = stamps

    found = read_orientation(write_fits(tmp_path / "b.fits", records(9), change=change))

    for name in NAMES:
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))


def test_table_without_livetimes_has_none(tmp_path):
    path = write_fits(tmp_path / "o.fits", records(9), change=lambda t: t.remove_column("LiveTime"))

    assert read_orientation(path).livetime is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.remove_column("XPointings"), "without column 'XPointings'; there are"),
        (lambda t: t.rename_column("TimeStamp", "T"), "FITS table without column 'TimeStamp'"),
        (lambda t: t.replace_column("Altitude", np.full(9, 1) * u.s), "is in 's'; it must be"),
        (lambda t: t.replace_column("Altitude", ["x"] * 9), r"'Altitude' has 1 values of type"),
        (lambda t: t.replace_column("XPointings", np.ones((9, 3))), r"has 3 values .*; 2 numbers"),
        (lambda t: t.replace_column("LiveTime", np.full(9, np.nan)), "that is not finite"),
        (lambda t: t.replace_column("LiveTime", np.full(9, -1.0)), "livetime -1.0 s"),
        (lambda t: t.replace_column("TimeStamp", np.arange(9.0)[::-1]), "stamps must increase"),
        (lambda t: t.replace_column("ZPointings", t["XPointings"]), "0.000 deg apart, not 90"),
    ],
)
def test_a_table_that_is_not_understood_is_refused(tmp_path, change, message):
    path = write_fits(tmp_path / "o.fits", records(9), change=change)

    with pytest.raises(InputError, match=rf"o\.fits: .*{message}"):
        read_orientation(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [("VERSION", "20990101"), ("TIMESYS", "TT"), ("TIMEZERO", 5.0), ("MJDREFI", 51910),
     ("COORDSYS", "ICRS"), ("TIMEUNIT", "d"), ("TSCAL5", 2.0), ("TZERO1", 10.0),
     ("TFIELDS", 10**9), ("TFORM1", "PD(3)")],
)  # fmt: skip
def test_keywords_of_another_meaning_are_refused(table, key, value):
    with fits.open(table) as file:
        header, content = file[1].header.copy(), table.read_bytes()
    start = content.index(b"XTENSION")
    header[key] = value
    text = header.tostring().encode()
    old = len(fits.Header.fromstring(content[start:]).tostring())
    table.write_bytes(content[:start] + text + content[start + old :])

    with pytest.raises(InputError, match=r"o\.fits: "):
        read_orientation(table)


@pytest.mark.parametrize("size", [100, 2880, 5000, 9000, -1])
@pytest.mark.parametrize("is_packed", [False, True])
def test_fits_that_is_cut_short_is_refused(table, size, is_packed):
    content = table.read_bytes()
    content = content[: len(content) - 2880 if size < 0 else size]
    table.write_bytes(gzip.compress(content) if is_packed else content)

    with pytest.raises(InputError, match=r"o\.fits: "):
        read_orientation(table)


@pytest.mark.parametrize("n", [0, 1])
def test_fits_with_fewer_than_two_rows_is_refused(tmp_path, n):
    path = write_fits(tmp_path / "o.fits", records(n))

    with pytest.raises(InputError, match=rf"{n} records; at least 2"):
        read_orientation(path)
    with pytest.raises(InputError, match=rf"{n} records; at least 2"):
        read_orientation(path, (START, START + 1))


def test_only_the_rows_of_the_interval_are_touched(tmp_path):
    """Rows outside may hold anything: three months of 1 s steps are not read for one burst."""
    n = 1_000_000
    path = write_fits(tmp_path / "o.fits", records(10))
    content = path.read_bytes()
    end = content.index(b"--END-ASTROPY-SERIALIZED-COLUMNS--")
    start = -(-end // 2880) * 2880
    with path.open("wb") as file:
        file.write(
            content[:start].replace(b"NAXIS2  =                   10", b"NAXIS2  = %20d" % n)
        )
        rows = np.zeros(n, ">f8, (2,)>f8, (2,)>f8, (2,)>f8, >f8, >f8")
        rows["f0"] = START + np.arange(n)
        rows["f1"], rows["f2"] = [90, 0], [0, 0]
        file.write(rows.tobytes())
    read_orientation(path, (START + 1, START + 2))

    began = time.process_time()
    orientation = read_orientation(path, (START + 500_000, START + 500_040))

    assert time.process_time() - began < 0.1
    assert orientation.time.size < 100
