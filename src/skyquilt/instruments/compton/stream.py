"""Files that may be gzipped, read as what they hold."""

import gzip
import os
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

from skyquilt.errors import InputError, SkyquiltError
from skyquilt.io.fits_headers import check_header
from skyquilt.io.reading import ENDLESS, describe, is_endless

_GZIP = b"\x1f\x8b"


@contextmanager
def open_inflated(path: str) -> Iterator[tuple[IO[bytes], bool]]:
    """Content of a file, inflated where it is gzipped.

    Yields
    ------
    file : binary file
        The content, at its beginning.
    is_plain : bool
        Whether it is the file itself, so that it can be mapped.

    Raises
    ------
    InputError
        If the file cannot be read, or is damaged where it is read within the block.
    """
    if is_endless(path):
        raise InputError(f"{path}: {ENDLESS}.")
    try:
        with open(path, "rb") as stored:
            is_plain = stored.read(2) != _GZIP
            stored.seek(0)
            if is_plain:
                yield stored, True
            else:
                with gzip.open(stored) as inflated:
                    yield cast("IO[bytes]", inflated), False
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: damaged or cut short: {error}. Copy the file again.") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}.") from error


@contextmanager
def damage(path: str) -> Iterator[None]:
    """Turn whatever a library says of a damaged file into one error.

    Raises
    ------
    InputError
        If anything else than an error of skyquilt is raised in the block.
    """
    from astropy.utils.exceptions import AstropyWarning

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)  # of cards that nobody needs
            yield
    except SkyquiltError:
        raise
    except Exception as error:  # astropy meets damage with errors of many kinds
        raise InputError(
            f"{path}: damaged or cut short: {describe(error)}. Copy the file again."
        ) from error


def read_table_header(file: IO[bytes], path: str, what: str):
    """Header of the table in the first extension of a FITS file.

    Parameters
    ----------
    file : binary file
        At its beginning; it then stands at the first row.
    path : str
        Its name.
    what : str
        What the table holds, as "events", for messages.

    Returns
    -------
    astropy.io.fits.Header
        Its keywords NAXIS1, NAXIS2 and TFIELDS are numbers within their limits.

    Raises
    ------
    InputError
        If there is no table, or the header is damaged.
    """
    from astropy.io import fits

    with damage(path):
        primary = fits.Header.fromfile(file)
        check_header(primary, 0)
        file.seek(primary.data_size_padded, os.SEEK_CUR)
        try:
            header = fits.Header.fromfile(file)
        except EOFError as error:
            raise InputError(
                f"{path}: has no table: no extension after the first header."
            ) from error
        if header["XTENSION"] != "BINTABLE":
            raise InputError(
                f"{path}: the first extension is of type {header['XTENSION']!r}; {what} must be a "
                "table there (BINTABLE)."
            )
        check_header(header, 1)
        return header


def read_columns(header, path: str):
    """Columns of a FITS table by its header, as astropy describes them.

    Raises
    ------
    InputError
        If a column has no name, or the header is damaged.
    """
    from astropy.io import fits

    with damage(path):
        columns = fits.BinTableHDU.fromstring(header.tostring().encode()).columns
        if not all(columns.names):
            raise InputError(f"{path}: columns are named {columns.names}; each needs a name.")
        return columns
