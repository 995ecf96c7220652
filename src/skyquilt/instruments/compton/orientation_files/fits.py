"""Orientation as a FITS table, as `SpacecraftHistory.write_fits` of cosipy writes it.

Of a plain file only the rows that are needed are touched: three months of steps of 1 s are 0.6 GB.
"""

import os
from collections.abc import Iterator, Mapping
from typing import IO, Any

import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.compton.orientation_files.records import (
    N_FULL,
    Interval,
    Records,
    Stored,
    collect,
    pick,
)
from skyquilt.instruments.compton.stream import damage, read_columns, read_table_header

VERSIONS = ("20260130",)
"""Versions of the table that are known (keyword VERSION)."""

# Name, unit, numbers per row, and which of the nine of a text record these are; directions are
# longitude and latitude here.
_COLUMNS = {
    "TimeStamp": ("s", 1, (0,)),
    "XPointings": ("deg", 2, (2, 1)),
    "ZPointings": ("deg", 2, (4, 3)),
    "Altitude": ("km", 1, (5,)),
    "EarthZenith": ("deg", 2, (7, 6)),
    "LiveTime": ("s", 1, (8,)),
}
_BLOCK_ROWS = 1 << 18
# Keywords that would change the meaning of the columns, and the values that do not.
_MEANINGS = {
    "TIMESYS": ("UTC",),
    "TIMEUNIT": ("s",),
    "TIMEZERO": (0,),
    "MJDREF": (40587,),
    "MJDREFI": (40587,),
    "MJDREFF": (0,),
    "COORDSYS": ("GALACTIC", "G"),
}


def read_fits(
    file: IO[bytes],
    path: str,
    interval: Interval | None,
    other: Interval | None,
    *,
    is_plain: bool,
) -> Records:
    """Records of an open FITS file.

    Parameters
    ----------
    file : binary file
        At its beginning.
    path : str
        Its name.
    interval, other : tuple of float or None
        Intervals of the pointings, and of further livetimes [UNIX s].
    is_plain : bool
        Whether `file` is the file of this name itself, so that rows can be mapped.

    Raises
    ------
    InputError
        If there is no such table, a column or a keyword has another meaning, or rows are missing.
    """
    header = read_table_header(file, path, "an orientation")
    with damage(path):
        _check_meaning(header, path)
    row, scales = _row_type(header, path)
    n_rows = int(header["NAXIS2"])
    if is_plain:
        return pick(_stored(_map(file, path, row, n_rows), scales, path), interval, other)
    return collect(_blocks(file, path, row, n_rows, scales), interval)


def _check_meaning(header, path: str) -> None:
    version = header.get("VERSION")
    if version is not None and str(version) not in VERSIONS:
        raise InputError(
            f"{path}: orientation table of version {version}; known is {', '.join(VERSIONS)}: "
            "write it as text (`.ori`), or use a later skyquilt."
        )
    for key, allowed in _MEANINGS.items():
        if key in header and header[key] not in allowed:
            raise InputError(
                f"{path}: keyword {key} is {header[key]!r}; an orientation table has UNIX seconds "
                f"and galactic directions: {key} may be {' or '.join(map(repr, allowed))} or "
                "missing."
            )


def _row_type(header, path: str) -> tuple[np.dtype, dict[str, float]]:
    """Type of a row in the file, and the factors of its columns to s, deg and km."""
    columns = read_columns(header, path)
    with damage(path):
        stored = {name.lower(): columns[name] for name in columns.names}
        kinds = {name: columns.dtype.fields[column.name] for name, column in stored.items()}
        scales, fields = {}, []
        for name, (unit, size, _) in _COLUMNS.items():
            if name.lower() not in stored:
                _refuse_missing(name, columns.names, path)
                continue
            scales[name] = _scale(stored[name.lower()], unit, path)
            kind, offset = kinds[name.lower()][:2]
            fields.append((name, *_numbers(kind, offset, name, size, path)))
        names, formats, offsets = zip(*fields, strict=True)
        layout: Any = {"names": names, "formats": formats, "offsets": offsets}
        return np.dtype(layout | {"itemsize": header["NAXIS1"]}), scales


def _refuse_missing(name: str, there: list[str], path: str) -> None:
    """Refuse a table without a column; one without livetimes is like text without them."""
    if name != "LiveTime":
        raise InputError(
            f"{path}: FITS table without column {name!r}; there are {', '.join(there)}. An "
            f"orientation has {', '.join(_COLUMNS)}, as cosipy's SpacecraftHistory.write_fits "
            "writes them; or write it as text (`.ori`)."
        )


def _numbers(kind: np.dtype, offset: int, name: str, size: int, path: str) -> tuple[np.dtype, int]:
    """Type of the numbers of a column, big-endian, and their offset in a row."""
    base, shape = kind.subdtype or (kind, ())
    n_numbers = int(np.prod(shape))
    if base.kind not in "fiu" or n_numbers != size:
        raise InputError(
            f"{path}: column {name!r} has {n_numbers} values of type {base} per row; {size} "
            "numbers are needed."
        )
    return np.dtype((base.newbyteorder(">"), (size,))), offset


def _scale(column, unit: str, path: str) -> float:
    """Factor from the unit of a column to `unit`; without a unit it is taken to be in it."""
    from astropy.units import Unit

    if (column.bscale or 1) != 1 or (column.bzero or 0) != 0:
        raise InputError(
            f"{path}: column {column.name!r} is scaled (TSCAL {column.bscale}, TZERO "
            f"{column.bzero}); store its numbers as they are."
        )
    if not column.unit:
        return 1.0
    try:
        return float(Unit(column.unit).to(unit))
    except ValueError as error:
        raise InputError(
            f"{path}: column {column.name!r} is in {column.unit!r}; it must be convertible to "
            f"{unit}."
        ) from error


def _map(file: IO[bytes], path: str, row: np.dtype, n_rows: int) -> np.ndarray:
    """The rows, mapped; a file that ends before the last is refused."""
    start, size = file.tell(), os.fstat(file.fileno()).st_size
    if n_rows * row.itemsize > size - start:
        n_there = (size - start) // max(row.itemsize, 1)
        raise InputError(f"{path}: cut short: {n_there} of {n_rows} rows are there; copy it again.")
    if n_rows == 0:
        return np.empty(0, row)
    return np.memmap(file, row, mode="r", offset=start, shape=(n_rows,))


def _stored(table: np.ndarray, scales: Mapping[str, float], path: str) -> Stored:
    """Mapped rows; those that are asked for are checked."""

    def times(rows: slice) -> tuple[np.ndarray, np.ndarray | None]:
        stamps = _column(table[rows], "TimeStamp", scales, path)
        if "LiveTime" not in scales:
            return stamps, None
        return stamps, _column(table[rows], "LiveTime", scales, path)

    return Stored(
        table["TimeStamp"][:, 0],
        scales["TimeStamp"],
        times,
        lambda rows: _interpret(table[rows], scales, path)[:, 1:8],
    )


def _column(rows: np.ndarray, name: str, scales: Mapping[str, float], path: str) -> np.ndarray:
    """Numbers of one column, in s."""
    values = rows[name][:, 0].astype(np.float64) * scales[name]
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values)))
        raise InputError(
            f"{path}: a record has a value that is not finite: {name} is {values[row]}."
        )
    return values


def _blocks(
    file: IO[bytes], path: str, row: np.dtype, n_rows: int, scales: Mapping[str, float]
) -> Iterator[np.ndarray]:
    """All rows of a stream, some at a time."""
    for start in range(0, n_rows, _BLOCK_ROWS):
        n_block = min(_BLOCK_ROWS, n_rows - start)
        content = file.read(n_block * row.itemsize)
        if len(content) < n_block * row.itemsize:
            n_there = start + len(content) // row.itemsize
            raise InputError(
                f"{path}: cut short: {n_there} of {n_rows} rows are there; copy it again."
            )
        yield _interpret(np.frombuffer(content, row), scales, path)
    while file.read(1 << 20):  # gzip compares its checksum at the end only
        pass


def _interpret(rows: np.ndarray, scales: Mapping[str, float], path: str) -> np.ndarray:
    """Rows in the order and units of a text record, shape (n, 9)."""
    records = np.full((len(rows), N_FULL), np.nan)
    for name, scale in scales.items():
        records[:, _COLUMNS[name][2]] = rows[name].astype(np.float64) * scale
    is_finite = np.isfinite(records[:, : None if "LiveTime" in scales else -1]).all(axis=1)
    if not is_finite.all():
        bad = records[np.argmin(is_finite)]
        raise InputError(f"{path}: a record has a value that is not finite: {bad.tolist()}.")
    return records
