"""Whether two files have the same content, by whatever path they are named."""

import hashlib
import os
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path
from typing import BinaryIO

_BLOCK = 1 << 22
_GZIP, _GZIP_SIZE = b"\x1f\x8b", 18  # first bytes, and the least size, of what gzip wrote


def same_files(paths: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of paths that lead to the same content.

    A link leads to the file it names, a copy has the content of its original, and a file packed by
    gzip that of what was packed. Files that are not there are the same as none.

    Parameters
    ----------
    paths : iterable of str
        The paths; only files of the same size are read.

    Returns
    -------
    list of tuple of str
        The pairs, in the order of the paths.
    """
    there = [path for path in paths if Path(path).is_file()]
    digests: dict[str, str] = {}
    return [(one, other) for one, other in combinations(there, 2) if _is_same(one, other, digests)]


def _is_same(one: str, other: str, digests: dict[str, str]) -> bool:
    if os.path.samefile(one, other):
        return True
    if _size(one) != _size(other):
        return False
    for path in (one, other):
        if path not in digests:
            digests[path] = _digest(path)
    return digests[one] == digests[other]


def _size(path: str) -> int:
    """Size of the content, modulo 2^32, as gzip keeps it at the end of a file."""
    with open(path, "rb") as file:
        if not _is_packed(file):
            return os.path.getsize(path) % (1 << 32)
        file.seek(-4, os.SEEK_END)
        return int.from_bytes(file.read(), "little")


def _digest(path: str) -> str:
    import gzip
    import zlib

    digest = hashlib.sha256()
    with open(path, "rb") as file:
        content = gzip.GzipFile(fileobj=file) if _is_packed(file) else file
        try:
            while block := content.read(_BLOCK):
                digest.update(block)
        except (OSError, EOFError, zlib.error):  # damaged: its reader says so
            return f"{path} is damaged"
    return digest.hexdigest()


def _is_packed(file: BinaryIO) -> bool:
    is_packed = file.read(len(_GZIP)) == _GZIP and file.seek(0, os.SEEK_END) >= _GZIP_SIZE
    file.seek(0)
    return is_packed
