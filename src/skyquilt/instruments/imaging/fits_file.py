"""Open FITS files of imaging instruments; what is wrong with one becomes one message."""

import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from skyquilt.errors import InputError

if TYPE_CHECKING:
    from astropy.io.fits import BinTableHDU, HDUList


@contextmanager
def open_fits(path: str) -> "Iterator[HDUList]":
    """Open a FITS file, plain or gzipped, for reading.

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
        warnings.filterwarnings("error", message=".*truncated.*")
        try:
            with fits.open(path, memmap=False) as file:
                yield file
        except FileNotFoundError as error:
            raise InputError(f"{path}: no such file.") from error
        except (OSError, EOFError, AstropyWarning, TypeError, zlib.error) as error:
            reason = str(error).strip().splitlines()[0]
            raise InputError(f"{path}: cannot be read as FITS, or cut short: {reason}") from error


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
