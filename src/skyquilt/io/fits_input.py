"""Open FITS files of others for reading; what is wrong with one becomes one message."""

import gzip
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from skyquilt.errors import InputError

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
        try:
            with fits.open(BytesIO(_unpacked(path))) as file:
                yield file
        except FileNotFoundError as error:
            raise InputError(f"{path}: no such file.") from error
        except (OSError, EOFError, AstropyWarning, TypeError, zlib.error) as error:
            reason = str(error).strip().splitlines()[0]
            raise InputError(f"{path}: cannot be read as FITS, or cut short: {reason}") from error


def _unpacked(path: str) -> bytes:
    content = Path(path).read_bytes()
    return gzip.decompress(content) if content.startswith(_GZIP) else content
