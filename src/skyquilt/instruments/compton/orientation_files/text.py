"""Orientation as text (`.ori`), one record per time stamp."""

import logging
from collections.abc import Iterator
from typing import IO

import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.compton.orientation_files.records import (
    N_FULL,
    widen,
)

logger = logging.getLogger(__name__)

_BLOCK = 1 << 24  # bytes of text parsed at a time
_MAX_HEADER = 1 << 12  # bytes of a first line
_N_FIELDS = (5, 8, N_FULL)
_NAMES = (
    *("time", "x lat", "x lon", "z lat", "z lon"),
    *("altitude", "Earth lat", "Earth lon", "livetime"),
)
_MEGALIB = b"Type OrientationsGalactic"
# First line of the third data challenge; the last name is of the livetime.
_COSIPY = "geo time lat_x lon_x lat_z lon_z altitude earth_lat earth_lon"
_LIVETIME = ("", " saa", " livetime")


def _describe(header: bytes) -> str:
    """What a first line is that should be another."""
    if not header:
        return "the file is empty"
    if not header.isascii():
        return "the file is no text"
    return f"the first line is {header[:40].decode().strip()!r}"


def _check_header(header: bytes, path: str) -> None:
    names = " ".join(header.decode("latin-1").lower().split())
    if header.startswith(_MEGALIB) or names in [_COSIPY + name for name in _LIVETIME]:
        return
    raise InputError(
        f"{path}: {_describe(header)}; an orientation file begins with 'Type "
        "OrientationsGalactic' (text of MEGAlib) or is a FITS table of cosipy, gzipped or not."
    )


def read_text(file: IO[bytes], path: str) -> Iterator[np.ndarray]:
    """Records of an open text file in arrays of shape (n, 9), block by block.

    Raises
    ------
    InputError
        If the file has another first line, a line that is no record, or a last one that is cut.
    """
    _check_header(file.readline(_MAX_HEADER), path)
    rest, ended, n_fields = b"", False, None
    while not ended and (block := file.read(_BLOCK)):
        text = rest + block
        cut = text.rfind(b"\n") + 1
        text, rest = text[:cut], text[cut:]
        text, ended = _before_end(text)
        records = _parse(text, path, n_fields)
        n_fields = records.shape[1] if len(records) else n_fields
        yield widen(records)
    if not ended and rest.strip() != b"EN":
        yield widen(_last_record(rest, path, n_fields))


def _last_record(rest: bytes, path: str, n_fields: int | None) -> np.ndarray:
    """What follows the last end of a line in a file without the line `EN`."""
    if rest.strip() and not (n_fields and _is_record(rest, n_fields)):
        raise InputError(
            f"{path}: no line 'EN' at the end, and the last line, {rest.decode(errors='replace')!r}"
            ", is no whole record; the file is truncated: copy it again."
        )
    logger.warning(
        "%s: no line 'EN' at the end; its last line is whole, and taken for the last of the file",
        path,
    )
    return _parse(rest, path, n_fields)


def _before_end(text: bytes) -> tuple[bytes, bool]:
    """Text up to the line `EN`, and whether there is one."""
    end = text.find(b"\nEN")
    if text.startswith(b"EN"):
        return b"", True
    return (text, False) if end < 0 else (text[: end + 1], True)


def _parse(text: bytes, path: str, n_fields: int | None) -> np.ndarray:
    """Numbers of the records in `text`, shape (n, n_fields); the first line tells how many."""
    if b"#" in text:
        text = b"\n".join(line for line in text.splitlines() if not line.startswith(b"#")) + b"\n"
    n_fields = n_fields or _count_fields(text)
    words = text.split()
    n_records, rest = divmod(len(words), n_fields + 1)
    if rest or words[:: n_fields + 1].count(b"OG") != n_records:
        raise InputError(f"{path}: {_first_bad_line(text, n_fields)}")
    del words[:: n_fields + 1]
    try:
        records = np.array(words, dtype=np.float64).reshape(n_records, n_fields)
    except ValueError as error:
        raise InputError(f"{path}: {_first_bad_line(text, n_fields)}") from error
    if not np.all(np.isfinite(records)):
        bad = records[np.argmax(~np.isfinite(records).all(axis=1))]
        raise InputError(f"{path}: a record has a value that is not finite: {bad.tolist()}.")
    return records


def _count_fields(text: bytes) -> int:
    """Numbers of the first record, or those of a whole one where it is none."""
    first = next((line for line in text.splitlines() if line.strip()), b"")
    n_fields = len(first.split()) - 1
    return n_fields if n_fields in _N_FIELDS else N_FULL


def _first_bad_line(text: bytes, n_fields: int) -> str:
    """Description of the first line that is no record of so many numbers."""
    bad = next((line for line in text.splitlines() if not _is_record(line, n_fields)), b"")
    more = "; 8 without livetimes, 5 without the Earth" if n_fields == N_FULL else ""
    return (
        f"line {bad.decode(errors='replace')!r} is no record 'OG' with {n_fields} numbers "
        f"({', '.join(_NAMES[:n_fields])}{more})."
    )


def _is_record(line: bytes, n_fields: int) -> bool:
    fields = line.split()
    try:
        [float(field) for field in fields[1:]]
    except ValueError:
        return False
    return not fields or (fields[0] == b"OG" and len(fields) == n_fields + 1)
