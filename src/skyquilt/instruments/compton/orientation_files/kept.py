"""Numbers of an orientation's text, kept in the cache: then some are read without the others."""

import io
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from skyquilt.errors import OutputError
from skyquilt.instruments.compton.orientation_files.records import N_FULL, Stored
from skyquilt.io.digest import TICK_S, stat_key
from skyquilt.io.products import new_product

LEAST_BYTES = 1 << 20
"""Smaller files are read anew each time, in 40 ms."""

_HEADER_BYTES = 128


def kept_path(path: Path, cache: Path) -> Path | None:
    """Where the numbers of a file are kept; None if they are not worth it, or it still changes."""
    stat = path.stat()
    if stat.st_size < LEAST_BYTES or time.time() - stat.st_ctime <= TICK_S:
        return None
    return cache / "orientations" / f"{stat_key(path)}.npy"


def open_kept(kept: Path) -> Stored | None:
    """The numbers, mapped; None if they are not there, or not whole."""
    try:
        records = np.load(kept, mmap_mode="r")
    except (OSError, ValueError):
        return None
    if records.ndim != 2 or records.shape[1] != N_FULL or records.dtype != np.float64:
        return None
    has_livetime = len(records) > 0 and not np.isnan(records[0, 8])

    def times(rows: slice) -> tuple[np.ndarray, np.ndarray | None]:
        return np.array(records[rows, 0]), np.array(records[rows, 8]) if has_livetime else None

    return Stored(records[:, 0], 1.0, times, lambda rows: np.array(records[rows, 1:8]))


def keep(kept: Path, blocks: Iterator[np.ndarray]) -> None:
    """Keep all records, some at a time; where the cache cannot be written, they are not kept.

    Parameters
    ----------
    kept : Path
        File to write.
    blocks : iterator of ndarray of float64, shape (n, 9)
        The records in order.
    """
    with suppress(OutputError), new_product(kept) as partial, partial.open("wb") as file:
        file.seek(_HEADER_BYTES)
        n_records = 0
        for block in blocks:
            file.write(np.ascontiguousarray(block).data)
            n_records += len(block)
        file.seek(0)
        file.write(_header(n_records))


def _header(n_records: int) -> bytes:
    """Header of an array file, as NumPy writes it."""
    header = io.BytesIO()
    shape = {"descr": "<f8", "fortran_order": False, "shape": (n_records, N_FULL)}
    np.lib.format.write_array_header_1_0(header, shape)
    return header.getvalue()
