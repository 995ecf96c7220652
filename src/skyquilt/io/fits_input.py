"""Open FITS files of others for reading; what is wrong with one becomes one message."""

import gzip
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from skyquilt.io.fits_headers import check_headers
from skyquilt.io.reading import reading

if TYPE_CHECKING:
    from astropy.io.fits import HDUList

_GZIP = b"\x1f\x8b"  # first bytes of what gzip wrote
_CUT_SHORT = ".*(truncated|Error validating header).*"  # in warnings of astropy


@contextmanager
def open_fits(path: str) -> "Iterator[HDUList]":
    """Open a FITS file for reading; one packed by gzip is unpacked once, in memory.

    Raises
    ------
    InputError
        If it is missing, no FITS file, damaged or cut short, also if that shows later in the
        block.
    """
    from astropy.io import fits
    from astropy.utils.exceptions import AstropyWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        warnings.filterwarnings("error", message=_CUT_SHORT)
        with reading(path, "FITS, or cut short"):
            content = BytesIO(_unpacked(path))
            check_headers(content)
            with fits.open(content) as file:
                yield file


def _unpacked(path: str) -> bytes:
    content = Path(path).read_bytes()
    return gzip.decompress(content) if content.startswith(_GZIP) else content
