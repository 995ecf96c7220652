"""Heaps of texts in HDF5 files, looked at before the library reads them.

Texts of attributes lie in blocks that begin with ``GCOL``. Where a damaged block says that its free
space has no size, the HDF5 library (2.0 and before) goes round in a circle for ever.

References
----------
HDF5 File Format Specification 3.0, III.E: global heap.
"""

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

_SIGNATURE = b"GCOL\x01\0\0\0"  # version 1, and three bytes that are 0
_HEADER = 16  # bytes: of a heap, and of an object in it
_MARGIN = 32 << 20
"""Bytes looked through at the beginning and at the end of a file: what is between are values."""


def torn_heap(path: Path) -> int | None:
    """Offset of a heap that the HDF5 library could not leave; None if all are whole.

    Parameters
    ----------
    path : Path
        A file with at least one byte.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for offset in _heaps(content):
            if _is_torn(content, offset):
                return offset
    return None


def _heaps(content: mmap.mmap) -> Iterator[int]:
    size = len(content)
    for start, stop in ((0, min(size, _MARGIN)), (max(size - _MARGIN, _MARGIN), size)):
        offset = content.find(_SIGNATURE, start, stop)
        while offset >= 0:
            yield offset
            offset = content.find(_SIGNATURE, offset + 1, stop)


def _is_torn(content: mmap.mmap, offset: int) -> bool:
    """Whether the objects of a heap do not lead to its end."""
    if offset + _HEADER > len(content):
        return False
    end = offset + struct.unpack_from("<Q", content, offset + 8)[0]
    if end > len(content):  # no heap, or one that the library refuses
        return False
    at = offset + _HEADER
    while at + _HEADER <= end:
        index, size = struct.unpack_from("<H6xQ", content, at)
        if index == 0:  # the rest of the heap is free
            return size < _HEADER
        at += _HEADER + (size + 7) // 8 * 8
    return at > end
