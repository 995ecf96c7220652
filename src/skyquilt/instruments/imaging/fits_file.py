"""Open FITS files of imaging instruments; what is wrong with one becomes one message."""

import gzip
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from skyquilt.errors import InputError

if TYPE_CHECKING:
    from astropy.io.fits import BinTableHDU, HDUList

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


def find_table(file: "HDUList", path: str, *names: str) -> "BinTableHDU":
    """First table of a file that has one of these names.

    Raises
    ------
    InputError
        If there is none.
    """
    for name in names:
        if name in file:
            return file[name]
    there = ", ".join(hdu.name or "unnamed" for hdu in file)
    raise InputError(f"{path}: no table {' or '.join(names)}; there are: {there}.")


def read_column(table: "BinTableHDU", path: str, name: str) -> np.ndarray:
    """One numeric column as float64.

    Raises
    ------
    InputError
        If there is no such column, or no numbers are in it.
    """
    stored = {column.upper(): column for column in table.columns.names}
    if name.upper() not in stored:
        raise InputError(
            f"{path}: table {table.name} has no column {name}; there are: "
            f"{', '.join(table.columns.names)}."
        )
    try:
        return np.asarray(table.data[stored[name.upper()]], dtype=np.float64)
    except ValueError as error:
        raise InputError(f"{path}: column {name} holds no numbers.") from error


def column_unit(table: "BinTableHDU", name: str) -> str | None:
    """Unit of a column as the header has it; None where it does not say."""
    units = {column.name.upper(): column.unit for column in table.columns}
    return units.get(name.upper()) or None
