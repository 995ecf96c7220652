"""Sparse maps of GADF: tables of pixel, channel and value, of those values that are not 0."""

import re
from typing import TYPE_CHECKING

import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.imaging.fits_file import read_column

if TYPE_CHECKING:
    from astropy.io.fits import BinTableHDU, ImageHDU

_SHAPE = re.compile(r"\((\d+),\s*(\d+)(?:,\s*(\d+))?\)")
_MOST = 10**9  # pixels


def is_sparse(hdu: "BinTableHDU") -> bool:
    """Whether an extension is a sparse map in a projection."""
    return "WCSSHAPE" in hdu.header and not hdu.is_image


def read_numbers(table: "BinTableHDU", path: str, name: str) -> np.ndarray:
    """A column of whole numbers.

    Raises
    ------
    InputError
        If there is no such column, or other numbers are in it.
    """
    values = read_column(table, path, name).ravel()
    if not np.all(np.isfinite(values)) or np.any(values != np.round(values)):
        raise InputError(f"{path}: column {name} must hold whole numbers.")
    return values.astype(np.int64)


def fill_sparse(table: "BinTableHDU", path: str, n_pixel: int, n: int) -> np.ndarray:
    """Values of all pixels, shape (n_pixel, n), from a sparse table.

    Raises
    ------
    InputError
        If a pixel or channel does not exist, or one of them is there twice.
    """
    pixel = read_numbers(table, path, "PIX")
    channel = np.zeros_like(pixel)
    if "CHANNEL" in table.columns.names:
        channel = read_numbers(table, path, "CHANNEL")
    for name, number, size in (("PIX", pixel, n_pixel), ("CHANNEL", channel, n)):
        if number.size and not 0 <= number.min() <= number.max() < size:
            raise InputError(
                f"{path}: {name} is {number.min()} to {number.max()}; allowed is 0 to {size - 1}."
            )
    if len(np.unique(pixel * n + channel)) != len(pixel):
        raise InputError(f"{path}: some pixels are there more than once.")
    values = np.zeros((n_pixel, n))
    values[pixel, channel] = read_column(table, path, "VALUE").ravel()
    return values


def to_image(table: "BinTableHDU", path: str) -> "ImageHDU":
    """A sparse map in a projection as an image with the same header.

    Raises
    ------
    InputError
        If the header does not say its shape, or the table does not fit it.
    """
    from astropy.io import fits

    shape = _SHAPE.fullmatch(str(table.header.get("WCSSHAPE", "")).strip())
    sizes = [int(size) for size in shape.groups() if size is not None] if shape else []
    if not sizes or not 0 < np.prod(sizes) < _MOST:
        raise InputError(
            f"{path}: a sparse map whose WCSSHAPE is {table.header.get('WCSSHAPE')!r}; needed are "
            "columns, rows and energies: write it with all pixels."
        )
    n_columns, n_rows, n = (*sizes, 1)[:3]
    values = fill_sparse(table, path, n_rows * n_columns, n)
    header = fits.Header(
        [card for card in table.header.cards if not card.keyword.startswith(("T", "NAXIS"))]
    )
    return fits.ImageHDU(values.T.reshape(n, n_rows, n_columns), header, table.name)
