"""Columns of a FITS table, read front to back so that a gzipped file is inflated once, in pieces.

astropy inflates a whole gzipped file before it gives the first row. Here it interprets the
headers and the rows of one block at a time; only the reading is ours.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.compton.event_files.columns import Columns, find_column
from skyquilt.instruments.compton.stream import (
    damage,
    open_inflated,
    read_columns,
    read_table_header,
)

# TFORM of numeric columns: integers of 1 to 8 bytes, single and double precision.
_NUMERIC = re.compile(r"\d*[BIJKED]")
_REST_BYTES = 1 << 20


@contextmanager
def open_fits_columns(path: Path, units: Mapping[str, str], block_bytes: int) -> Iterator[Columns]:
    """Open columns of the table in the first extension; see `open_columns`."""
    with open_inflated(str(path)) as (file, _):
        header = read_table_header(file, str(path), "events")
        with damage(str(path)):
            stored = _check_columns(path, header, units)
        rows = max(block_bytes // max(header["NAXIS1"], 1), 1)
        yield Columns(header["NAXIS2"], _blocks(path, file, header, stored, rows), Counter())


def _check_columns(path: Path, header, units: Mapping[str, str]) -> dict[str, str]:
    """Stored names of the columns, after a look at their formats and units."""
    columns = read_columns(header, str(path))
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
        with damage(str(path)):
            content = file.read(n_block * header["NAXIS1"])
        n_read = len(content) // max(header["NAXIS1"], 1)
        if n_read < n_block:
            raise InputError(
                f"{path}: cut short: {start + n_read} of {n_rows} rows are there. Copy it again."
            )
        with damage(str(path)):
            block = _interpret(header, content, n_block, stored)
        yield block
    _read_to_end(path, file)


def _read_to_end(path: Path, file: IO[bytes]) -> None:
    """Read what is left: gzip compares its checksum only at the end of the file."""
    with damage(str(path)):
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
