"""Tables of the FITS files of imaging instruments; what is wrong with one becomes one message."""

from typing import TYPE_CHECKING

import numpy as np

from skyquilt.errors import InputError
from skyquilt.io.fits_input import open_fits

if TYPE_CHECKING:
    from astropy.io.fits import BinTableHDU, HDUList

__all__ = ["column_unit", "find_table", "open_fits", "read_column"]


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
