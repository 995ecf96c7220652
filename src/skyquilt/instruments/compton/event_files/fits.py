"""Columns of a FITS table, read front to back so that a gzipped file is inflated once, in pieces.

astropy inflates a whole gzipped file before it gives the first row. Here it interprets the
headers and the rows of one block at a time; only the reading is ours.
"""

import gzip
import os
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.compton.event_files.columns import Columns, find_column
from skyquilt.io.fits_headers import check_header
from skyquilt.io.reading import describe

# TFORM of numeric columns: integers of 1 to 8 bytes, single and double precision.
_NUMERIC = re.compile(r"\d*[BIJKED]")
_REST_BYTES = 1 << 20


@contextmanager
def open_fits_columns(path: Path, units: Mapping[str, str], block_bytes: int) -> Iterator[Columns]:
    """Open columns of the table in the first extension; see `open_columns`."""
    with _open_plain_or_gzip(path) as file:
        with _damage(path):
            header = _table_header(path, file)
            stored = _check_columns(path, header, units)
        rows = max(block_bytes // max(header["NAXIS1"], 1), 1)
        yield Columns(header["NAXIS2"], _blocks(path, file, header, stored, rows), Counter())


def _open_plain_or_gzip(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        is_gzip = file.read(2) == b"\x1f\x8b"
    return gzip.open(path) if is_gzip else path.open("rb")


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Turn what astropy and gzip say of a damaged file into one error."""
    from astropy.utils.exceptions import AstropyWarning

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)  # of cards that nobody needs
            yield
    except InputError:
        raise
    except Exception as error:  # of many kinds
        raise InputError(
            f"{path}: damaged or cut short: {describe(error)}. Copy the file again."
        ) from error


def _table_header(path: Path, file: IO[bytes]):
    """Header of the first extension; the file then stands at its first row."""
    from astropy.io import fits

    primary = fits.Header.fromfile(file)
    check_header(primary, 0)
    file.seek(primary.data_size_padded, os.SEEK_CUR)
    try:
        header = fits.Header.fromfile(file)
    except EOFError as error:
        raise InputError(f"{path}: has no table: no extension after the first header.") from error
    if header["XTENSION"] != "BINTABLE":
        raise InputError(
            f"{path}: the first extension is of type {header['XTENSION']!r}; events must be a "
            "table there (BINTABLE)."
        )
    check_header(header, 1)
    return header


def _check_columns(path: Path, header, units: Mapping[str, str]) -> dict[str, str]:
    """Stored names of the columns, after a look at their formats and units."""
    from astropy.io import fits

    columns = fits.BinTableHDU.fromstring(header.tostring().encode()).columns
    stored = {name: find_column(path, name, columns.names) for name in units}
    for name, unit in units.items():
        column = columns[stored[name]]
        if not _NUMERIC.fullmatch(column.format):
            raise InputError(f"{path}: column {name!r} is not numeric: format {column.format!r}.")
        if column.unit and not _is_same_unit(column.unit, unit):
            raise InputError(f"{path}: column {name!r} is in {column.unit!r}; expected {unit!r}.")
    return stored


def _is_same_unit(text: str, unit: str) -> bool:
    from astropy.units import Unit

    return Unit(text, parse_strict="silent") == Unit(unit)


def _blocks(
    path: Path, file: IO[bytes], header, stored: Mapping[str, str], size: int
) -> Iterator[dict[str, np.ndarray]]:
    n_rows = header["NAXIS2"]
    for start in range(0, n_rows, size):
        n_block = min(size, n_rows - start)
        with _damage(path):
            content = file.read(n_block * header["NAXIS1"])
        n_read = len(content) // max(header["NAXIS1"], 1)
        if n_read < n_block:
            raise InputError(
                f"{path}: cut short: {start + n_read} of {n_rows} rows are there. Copy it again."
            )
        with _damage(path):
            block = _interpret(header, content, n_block, stored)
        yield block
    _read_to_end(path, file)


def _read_to_end(path: Path, file: IO[bytes]) -> None:
    """Read what is left: gzip compares its checksum only at the end of the file."""
    with _damage(path):
        while file.read(_REST_BYTES):
            pass


def _interpret(
    header, content: bytes, n_rows: int, stored: Mapping[str, str]
) -> dict[str, np.ndarray]:
    """Columns of some rows, as astropy reads a table that has only these."""
    from astropy.io import fits

    header = header.copy()
    header["NAXIS2"] = n_rows
    header["PCOUNT"] = 0
    table = fits.BinTableHDU.fromstring(header.tostring().encode() + content).data
    return {name: np.array(table[column], dtype=float) for name, column in stored.items()}
