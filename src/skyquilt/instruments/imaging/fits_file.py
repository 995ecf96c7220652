"""Tables of the FITS files of imaging instruments; what is wrong with one becomes one message."""

from typing import TYPE_CHECKING, Any

import numpy as np

from skyquilt.errors import InputError
from skyquilt.io.fits_input import open_fits

if TYPE_CHECKING:
    from astropy.io.fits import BinTableHDU, HDUList

_UNSEEN = -1.6375e30  # what HEALPix programs write for a value that is missing

__all__ = ["column_unit", "column_values", "find_image", "find_table", "open_fits", "read_column"]


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


def find_image(file: "HDUList", path: str) -> Any:
    """The image of a file: its first extension, or the only other one, compressed or not.

    Raises
    ------
    InputError
        If there is none, or there are several behind a first extension without data.
    """
    images = [hdu for hdu in file if hdu.is_image and hdu.header["NAXIS"] > 0]
    if images and (images[0] is file[0] or len(images) == 1):
        return images[0]
    there = ", ".join(hdu.name or "unnamed" for hdu in images or file)
    if images:
        raise InputError(f"{path}: {len(images)} images, {there}; one is needed.")
    raise InputError(f"{path}: no image and no table with PIXTYPE HEALPIX; there are: {there}.")


def read_column(table: "BinTableHDU", path: str, name: str) -> np.ndarray:
    """One numeric column as float64; NaN where it holds its TNULL.

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
        return column_values(table, stored[name.upper()])
    except (ValueError, TypeError) as error:
        raise InputError(f"{path}: column {name} holds no numbers.") from error


def column_values(table: "BinTableHDU", name: str) -> np.ndarray:
    """Values of a column as float64; NaN where it holds its TNULL, or UNSEEN.

    Raises
    ------
    ValueError, TypeError
        If no numbers are in it.
    """
    column, stored = table.columns[name], table.data[name]
    if np.iscomplexobj(stored):
        raise TypeError("complex numbers")
    values = np.array(stored, dtype=np.float64)
    if column.null not in (None, ""):  # TNULL is a value as it is stored
        scale, zero = (1.0 if column.bscale in (None, "") else column.bscale), column.bzero or 0
        values[values == float(column.null) * scale + zero] = np.nan
    values[np.isclose(values, _UNSEEN, rtol=1e-5, atol=0)] = np.nan
    return values


def column_unit(table: "BinTableHDU", name: str) -> str | None:
    """Unit of a column as the header has it; None where it does not say."""
    units = {column.name.upper(): column.unit for column in table.columns}
    return units.get(name.upper()) or None
