"""Content identities: SHA-256 of files, arrays and settings."""

import hashlib
import json
import os
import re
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from skyquilt.errors import OutputError
from skyquilt.io.products import write_text

SMALL_BYTES = 1 << 23
"""Smaller files are read anew each time: 8 MB take 13 ms, less than a step needs to start."""

TICK_S = 2.0
"""A file that changes twice within a tick of its clock may keep its times [s]."""

_BLOCK = 1 << 22
_DIGEST = re.compile(r"[0-9a-f]{64}")


def file_digest(path: str | Path, memo: Path | None = None) -> str:
    """SHA-256 of a file's content, as `sha256sum` prints it.

    Parameters
    ----------
    path : str or Path
        File to read.
    memo : Path, optional
        Folder that remembers digests of large files by what `stat_key` names, so that a response
        of many GB is read once. What cannot be remembered there is not: a shared folder may be
        one's own to read only.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    path = Path(path)
    key = "" if memo is None or path.stat().st_size < SMALL_BYTES else stat_key(path)
    note = None if memo is None or not key else memo / f"{key}.sha256"
    if note is not None and (known := _read_note(note, key)) is not None:
        return known
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if note and key == stat_key(path) and time.time() - path.stat().st_ctime > TICK_S:
        with suppress(OutputError):
            write_text(note, _note(digest, key))
    return digest


def stat_key(path: Path) -> str:
    """Name under which a file's digest or copy is kept: its place, size, inode and times.

    The time of change of the inode is one of them: nobody can set it back, as `rsync -t` and `cp
    -p` do with that of the content.
    """
    stat = path.stat()
    times = f"{stat.st_mtime_ns} {stat.st_ctime_ns}"
    key = f"{path.resolve()} {stat.st_size} {times} {stat.st_ino}"
    return hashlib.sha256(os.fsencode(key)).hexdigest()[:32]


def _note(digest: str, key: str) -> str:
    """Note of a digest: it says of what it is, and has a checksum of its own."""
    return f"{digest} {key} {hashlib.sha256(f'{digest} {key}'.encode()).hexdigest()[:16]}\n"


def _read_note(path: Path, key: str) -> str | None:
    """Digest that was noted; None if there is no whole note for this very file."""
    try:
        text = path.read_bytes().decode(errors="replace")
    except OSError:
        return None
    digest = text.partition(" ")[0]
    return digest if _DIGEST.fullmatch(digest) and text == _note(digest, key) else None


def array_digest(array: np.ndarray) -> str:
    """SHA-256 of an array's dtype, shape and values (little endian, C order)."""
    return blocks_digest(array.dtype, array.shape, [array])


def blocks_digest(dtype: DTypeLike, shape: tuple[int, ...], blocks: Iterable[np.ndarray]) -> str:
    """Digest that `array_digest` gives for the `blocks` stacked along the first axis."""
    digest = hashlib.sha256(f"{np.dtype(dtype).newbyteorder('<').str} {tuple(shape)}".encode())
    for block in blocks:
        block = np.ascontiguousarray(block, dtype=np.dtype(dtype).newbyteorder("<"))
        flat = block.reshape(-1).view(np.uint8)
        for start in range(0, flat.size, _BLOCK):
            digest.update(flat[start : start + _BLOCK].data)
    return digest.hexdigest()


def settings_digest(settings: Any) -> str:
    """SHA-256 of settings as JSON with sorted keys."""
    return hashlib.sha256(canonical_json(settings).encode()).hexdigest()


def canonical_json(settings: Any) -> str:
    """JSON with sorted keys and no blanks: equal settings give equal text."""
    return json.dumps(settings, sort_keys=True, separators=(",", ":"))
