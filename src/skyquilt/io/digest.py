"""Content identities: SHA-256 of files, arrays and settings."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from skyquilt.io.products import write_text

_BLOCK = 1 << 22


def file_digest(path: str | Path, memo: Path | None = None) -> str:
    """SHA-256 of a file's content, as `sha256sum` prints it.

    Parameters
    ----------
    path : str or Path
        File to read.
    memo : Path, optional
        Folder that remembers digests by the file's place, size and time of last change, so
        that a response of many GB is read once.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    path = Path(path)
    note = None if memo is None else memo / f"{stat_key(path)}.sha256"
    if note is not None and note.is_file():
        return note.read_text(encoding="ascii").strip()
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if note is not None:
        write_text(note, digest + "\n")
    return digest


def stat_key(path: Path) -> str:
    """Name under which a file's digest or copy is kept: its place, size, time and inode."""
    stat = path.stat()
    key = f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns} {stat.st_ino}"
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def array_digest(array: np.ndarray) -> str:
    """SHA-256 of an array's dtype, shape and values (little endian, C order)."""
    return blocks_digest(array.dtype, array.shape, [array])


def blocks_digest(dtype: np.dtype, shape: tuple, blocks: Iterable[np.ndarray]) -> str:
    """Digest that `array_digest` gives for the `blocks` stacked along the first axis."""
    digest = hashlib.sha256(f"{np.dtype(dtype).newbyteorder('<').str} {tuple(shape)}".encode())
    for block in blocks:
        block = np.ascontiguousarray(block, dtype=np.dtype(dtype).newbyteorder("<"))
        flat = block.reshape(-1).view(np.uint8)
        for start in range(0, flat.size, _BLOCK):
            digest.update(flat[start : start + _BLOCK])
    return digest.hexdigest()


def settings_digest(settings: Any) -> str:
    """SHA-256 of settings as JSON with sorted keys."""
    return hashlib.sha256(canonical_json(settings).encode()).hexdigest()


def canonical_json(settings: Any) -> str:
    """JSON with sorted keys and no blanks: equal settings give equal text."""
    return json.dumps(settings, sort_keys=True, separators=(",", ":"))
