"""Headers that promise more than a file holds are refused before astropy builds anything."""

import time
from io import BytesIO

import numpy as np
import pytest
from astropy.io import fits

from skyquilt.errors import InputError, ProductError
from skyquilt.instruments.compton.event_files.file import open_columns
from skyquilt.io.fits_headers import check_headers
from skyquilt.io.fits_input import open_fits
from skyquilt.io.fits_table import Column, write_table
from skyquilt.io.inspect import inspect_file
from skyquilt.io.provenance import Provenance
from skyquilt.io.schema import Schema


@pytest.fixture
def content(tmp_path):
    """A FITS file with an image, a table, a table with a heap, and a compressed image."""
    ints = [
        fits.Column("n", "J", array=np.arange(5)),
        fits.Column("x", "2D", array=np.ones((5, 2))),
    ]
    heap = fits.Column("v", "PD()", array=np.array([np.arange(3.0), np.arange(2.0)], dtype=object))
    hdus = [
        fits.PrimaryHDU(np.zeros((3, 4))),
        fits.BinTableHDU.from_columns(
            [*ints, fits.Column("f", "11X", array=np.ones((5, 11), bool))]
        ),
        fits.BinTableHDU.from_columns([heap]),
        fits.CompImageHDU(np.arange(100, dtype=np.int32).reshape(10, 10)),
        fits.ImageHDU(),
    ]
    fits.HDUList(hdus).writeto(tmp_path / "whole.fits")
    return (tmp_path / "whole.fits").read_bytes()


def replaced(content, key, value, hdu):
    """Content with another value of a keyword in the header of an HDU."""
    places = [content.index(b"SIMPLE  =")]
    while (place := content.find(b"XTENSION=", places[-1] + 1)) >= 0:
        places.append(place)
    card = f"{key:8}= {value:>20}".ljust(80).encode()
    start = content.index(f"{key:8}=".encode(), places[hdu])
    return content[:start] + card + content[start + 80 :]


def test_headers_of_a_whole_file_are_read(content):
    headers = check_headers(BytesIO(content))
    assert [header.get("XTENSION", "")[1:9].strip() for header in headers] == [
        *("", "BINTABLE", "BINTABLE", "BINTABLE", "IMAGE")
    ]
    assert headers[1]["TFORM2"].strip("' ") == "2D"


HUGE = [999999999, 1 << 62, (1 << 63) - 1, 10**30, -1, "'x'", 1.5, "T"]


@pytest.mark.parametrize("value", HUGE)
@pytest.mark.parametrize(
    ("key", "hdu"),
    [
        *(("NAXIS", 0), ("NAXIS1", 0), ("BITPIX", 0), ("TFIELDS", 1), ("NAXIS1", 1)),
        *(("NAXIS2", 1), ("PCOUNT", 2), ("GCOUNT", 2), ("ZNAXIS", 3), ("NAXIS", 4)),
    ],
)
def test_size_that_no_file_can_have_is_refused_at_once(tmp_path, content, key, hdu, value):
    path = tmp_path / "input.fits"
    path.write_bytes(replaced(content, key, value, hdu))
    began = time.perf_counter()
    with pytest.raises(InputError, match=rf"input\.fits: .*(HDU {hdu}|cut short)"), open_fits(path):
        pass
    assert time.perf_counter() - began < 3


@pytest.mark.parametrize("form", ["'999999999D'", "'4611686018427387904J'"])
def test_form_of_a_column_that_does_not_fit_its_row_is_refused(tmp_path, content, form):
    path = tmp_path / "input.fits"
    path.write_bytes(replaced(content, "TFORM2", form, 1))
    with pytest.raises(InputError, match=r"input\.fits: .*HDU 1"), open_fits(path):
        pass


@pytest.mark.parametrize("value", [999999999, (1 << 63) - 1, -1])
def test_table_of_events_is_looked_at_in_the_same_way(tmp_path, content, value):
    path = tmp_path / "events.fits"
    path.write_bytes(replaced(content, "TFIELDS", value, 1))
    with (
        pytest.raises(InputError, match=r"events\.fits: .*TFIELDS is"),
        open_columns(path, {"n": ""}),
    ):
        pass


def test_header_without_an_end_is_refused(tmp_path, content):
    path = tmp_path / "input.fits"
    path.write_bytes(content.replace(b"END".ljust(80), b"COMMENT".ljust(80)))
    with pytest.raises(InputError, match=r"no end of its header"), open_fits(path):
        pass


@pytest.mark.parametrize("key", ["CHECKSUM", "DATASUM"])
@pytest.mark.parametrize("hdu", [0, 1, 2])
def test_product_without_one_of_its_checksums_is_not_whole(tmp_path, key, hdu):
    path = tmp_path / "maps.fits"
    columns = {"TS": Column(np.arange(3.0), "", "")}
    schema = Schema("skyquilt/maps", "1.0", "skyquilt merge")
    write_table(path, schema, columns, {}, Provenance("merge").record())
    assert inspect_file(path).schema == "skyquilt/maps 1.0"
    content = bytearray(path.read_bytes())
    headers = [content.index(b"SIMPLE  ="), content.index(b"XTENSION=")]
    headers.append(content.index(b"XTENSION=", headers[1] + 1))
    start = content.index(f"{key:8}=".encode(), headers[hdu])
    content[start : start + 8] = b"COMMENT "
    path.write_bytes(content)
    with pytest.raises(ProductError, match=r"maps\.fits: damaged"):
        inspect_file(path)
