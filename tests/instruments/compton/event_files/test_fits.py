import gzip

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from skyquilt.errors import InputError
from skyquilt.instruments.compton.event_files import open_columns


def test_fits_written_by_astropy_table_gives_its_rows(columns, tmp_path, read):
    table = Table(columns)
    table["Energies"].unit = "keV"
    path = tmp_path / "events.fits.gz"
    table.write(path)
    values, _ = read(path)
    np.testing.assert_array_equal(values["TimeTags"], columns["TimeTags"])


def test_fits_with_scaled_integers_gives_physical_values(columns, write_fits, read):
    columns["Energies"] = fits.Column("Energies", "J", array=np.arange(100))
    path = write_fits(columns)
    with fits.open(path, mode="update") as hdus:
        hdus[1].header.update(TSCAL1=0.5, TZERO1=100)
    values, _ = read(path, block_bytes=1000)
    np.testing.assert_array_equal(values["Energies"], 100 + 0.5 * np.arange(100))


def test_fits_with_data_in_first_header_finds_the_table_behind(columns, write_fits, read):
    path = write_fits(columns)
    with fits.open(path) as hdus:
        image = fits.PrimaryHDU(np.ones((50, 50)))
        fits.HDUList([image, hdus[1].copy()]).writeto(path.with_name("image.fits"))
    assert read(path.with_name("image.fits"))[1] == [100]


@pytest.mark.parametrize("gzipped", [False, True])
def test_fits_cut_short_gives_first_blocks_then_says_so(columns, write_fits, gzipped):
    path = write_fits(columns, gzipped=False)
    content = path.read_bytes()[: 2 * 2880 + 40 * 32]  # two headers, then rows
    path.write_bytes(gzip.compress(content) if gzipped else content)
    with open_columns(path, {"Energies": "keV"}, block_bytes=32 * 30) as opened:
        np.testing.assert_array_equal(next(opened.blocks)["Energies"], columns["Energies"][:30])
        with pytest.raises(InputError, match=r"cut short: 40 of 100 rows are there"):
            next(opened.blocks)


def test_fits_with_gzip_cut_short_is_refused(columns, write_fits, read):
    path = write_fits(columns, gzipped=True)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match=r"damaged or cut short: Compressed file ended"):
        read(path)


@pytest.mark.parametrize("place", [30, -1500], ids=["invalid code", "wrong checksum"])
def test_fits_with_damaged_gzip_is_refused(columns, write_fits, read, place):
    path = write_fits(columns, gzipped=True)
    content = bytearray(path.read_bytes())
    content[place : place + 500] = bytes(500)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"damaged or cut short"):
        read(path)


@pytest.mark.parametrize("size", [100, 3000])
def test_fits_cut_within_headers_is_refused(columns, write_fits, read, size):
    path = write_fits(columns)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(InputError, match=r"damaged or cut short: Header"):
        read(path)


def test_fits_without_extension_is_refused(tmp_path, read):
    path = tmp_path / "events.fits"
    fits.PrimaryHDU(np.ones(3)).writeto(path)
    with pytest.raises(InputError, match=r"has no table: no extension"):
        read(path)


def test_fits_with_image_for_table_is_refused(tmp_path, read):
    path = tmp_path / "events.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.ones(3))]).writeto(path)
    with pytest.raises(InputError, match=r"the first extension is of type 'IMAGE'"):
        read(path)


@pytest.mark.parametrize(
    "column",
    [
        fits.Column("Energies", "8A", array=np.full(100, "511")),
        fits.Column("Energies", "L", array=np.ones(100, bool)),
        fits.Column("Energies", "PD()", array=np.full((100, 1), 511.0)),
    ],
    ids=["text", "logical", "variable length"],
)
def test_fits_with_column_that_is_not_numeric_is_refused(columns, write_fits, read, column):
    columns["Energies"] = column
    with pytest.raises(InputError, match=r"column 'Energies' is not numeric: format"):
        read(write_fits(columns))


@pytest.mark.parametrize("unit", ["MeV", "s", "channels"])
def test_fits_with_another_unit_is_refused(columns, write_fits, read, unit):
    path = write_fits(columns, units={"Energies": unit})
    with pytest.raises(InputError, match=rf"column 'Energies' is in '{unit}'; expected 'keV'"):
        read(path)


def test_fits_without_units_is_accepted(columns, write_fits, read):
    assert read(write_fits(columns, units={}))[1] == [100]
