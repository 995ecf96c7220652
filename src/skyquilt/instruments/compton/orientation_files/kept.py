"""Numbers of an orientation's text, kept in the cache: then some are read without the others.

They are stored in blocks, each with its checksum, and only those that an interval needs are read.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skyquilt.instruments.compton.orientation_files.records import (
    Interval,
    Records,
    Stored,
    collect,
    pick,
)
from skyquilt.io.digest import TICK_S, stat_key
from skyquilt.io.hdf5 import get, new_hdf5, open_hdf5, put
from skyquilt.io.provenance import Provenance
from skyquilt.io.schema import Schema

# 1.0  first version
SCHEMA = Schema("skyquilt/orientation", "1.0", "skyquilt prepare")

LEAST_BYTES = 1 << 20
"""Smaller files are read anew each time, in 40 ms."""


def kept_path(path: Path, cache: Path) -> Path | None:
    """Where the numbers of a file are kept; None if they are not worth it, or it still changes."""
    stat = path.stat()
    if stat.st_size < LEAST_BYTES or time.time() - stat.st_ctime <= TICK_S:
        return None
    return cache / "orientations" / f"{stat_key(path)}.h5"


def pick_kept(kept: Path, interval: Interval | None, other: Interval | None) -> Records:
    """Records that the intervals need, of those that are kept.

    Raises
    ------
    ProductError
        If they are not there, or damaged.
    """
    with open_hdf5(kept, SCHEMA) as file:
        first, last = get(file, "time").T
        if len(first) == 0:
            return collect(iter(()), interval)
        low, high = 0, len(first)
        if interval is not None:
            spans = [span for span in (interval, other) if span is not None]
            low = int(np.searchsorted(first, min(span[0] for span in spans), side="right")) - 1
            high = int(np.searchsorted(first, max(span[1] for span in spans))) + 1
        low = max(min(low, len(first) - 2), 0)  # the last block may hold a single record
        names = [str(index) for index in range(low, min(max(high, low + 2), len(first)))]
        records = np.concatenate([get(file["records"], name) for name in names])
    livetime = None if np.isnan(records[0, 8]) else records[:, 8]

    def times(rows: slice) -> tuple[np.ndarray, np.ndarray | None]:
        return records[rows, 0], None if livetime is None else livetime[rows]

    picked = pick(
        Stored(records[:, 0], 1.0, times, lambda rows: records[rows, 1:8]), interval, other
    )
    return picked._replace(covers=(float(first[0]), float(last[-1])))


def keep(kept: Path, blocks: Iterator[np.ndarray]) -> None:
    """Keep all records, some at a time.

    Parameters
    ----------
    kept : Path
        File to write.
    blocks : iterator of ndarray of float64, shape (n, 9)
        The records in order.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    with new_hdf5(kept, SCHEMA, Provenance("prepare")) as file:
        group = file.create_group("records")
        spans = []
        for index, block in enumerate(block for block in blocks if len(block)):
            put(
                *(group, str(index), block, ""),
                "UNIX time [s]; latitude and longitude of x and z [deg]; altitude [km]; latitude "
                "and longitude of the Earth's zenith [deg]; livetime [s]; NaN where there is none",
            )
            spans.append((block[0, 0], block[-1, 0]))
        description = "first and last stamp of each block of records, UNIX"
        put(file, "time", np.array(spans).reshape(-1, 2), "s", description)
