"""Sizes that FITS headers name."""

import time
from io import BytesIO

import numpy as np
import pytest
from astropy.io import fits

from skyquilt.errors import InputError
from skyquilt.io.fits_headers import check_headers
from skyquilt.io.fits_input import open_fits


def content_of(*hdus):
    file = BytesIO()
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(file)
    return file.getvalue()


def table():
    column = fits.Column("A", "D", array=np.arange(5.0))
    text = fits.Column("B", "PD()", array=np.array([np.arange(3.0)] * 5, dtype=object))
    return fits.BinTableHDU.from_columns([column, text], name="T")


@pytest.mark.parametrize(
    "hdus",
    [
        (),
        (table(),),
        (fits.ImageHDU(np.zeros((3, 4, 5))), table()),
        (fits.ImageHDU(),),
        (fits.CompImageHDU(np.arange(10000.0).reshape(100, 100)),),
        (fits.BinTableHDU.from_columns([fits.Column("A", "D")]),),
    ],
    ids=["empty", "table", "image and table", "no image", "compressed image", "no rows"],
)
def test_check_headers_takes_whole_files(hdus):
    content = content_of(*hdus)
    check_headers(BytesIO(content))
    check_headers(BytesIO(content + b"what others append"))


def changed(name, value):
    content = content_of(table())
    place = content.index(f"{name:8}=".encode())
    if name in ("NAXIS", "BITPIX"):
        place = content.index(f"{name:8}=".encode(), place + 1)  # of the table
    card = f"{name:8}= {value:>20}".ljust(80).encode()
    return content[:place] + card + content[place + 80 :]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("TFIELDS", value) for value in ("-1", "1000", "99999999999", "1.5", "'x'", "T", "")),
        *(("NAXIS", value) for value in ("-1", "1000", "2.0", "3")),
        *(("NAXIS2", value) for value in ("-5", "1000000000000000", "9" * 18, "NaN")),
        *(("NAXIS1", value) for value in ("123456789", "-16")),
        *(("PCOUNT", value) for value in ("-1", "1000000000000")),
        *(("GCOUNT", value) for value in ("-1", "1000000")),
        *(("BITPIX", value) for value in ("0", "7", "-63", "T")),
    ],
)
def test_sizes_that_cannot_be_are_refused_at_once(tmp_path, name, value):
    path = tmp_path / "file.fits"
    path.write_bytes(changed(name, value))
    began = time.process_time()

    with (
        pytest.raises(InputError, match=r"file\.fits: cannot be read as FITS"),
        open_fits(str(path)) as file,
    ):
        file[1].data  # noqa: B018 - reads it

    assert time.process_time() - began < 2


def test_every_error_in_the_block_names_the_file(tmp_path):
    path = tmp_path / "file.fits"
    path.write_bytes(changed("TFORM1", "'fish    '"))

    with (
        pytest.raises(InputError, match=r"file\.fits: .*fish.*\(VerifyError\)"),
        open_fits(str(path)) as file,
    ):
        file[1].columns  # noqa: B018 - reads it
