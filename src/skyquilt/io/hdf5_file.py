"""Open HDF5 files: what is read lies in the file itself, and a full disk ends in one error.

An HDF5 file can show data of other files as its own: external links, virtual datasets, external
storage. The digest of the file says nothing of those, so it is refused. And what lies behind the
end that the file itself states is not of it.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import h5py

from skyquilt.errors import InputError, SkyquiltError
from skyquilt.io.hdf5_heap import torn_heap
from skyquilt.io.locks import is_lack_of_locks, warn_once
from skyquilt.io.reading import ENDLESS, is_endless

_ADVICE = "copy its data into one file (`h5repack` of the HDF5 tools does), and name that"
_HELD_BYTES = 1 << 20  # more at a time are values, which nobody reads any more
_ALIGNED_FROM = 256  # bytes of a dataset that is large enough to be loaded by kernels


def open_to_read(path: str | Path, error: type[SkyquiltError] = InputError) -> h5py.File:
    """Open an HDF5 file of which all data lie in it.

    Parameters
    ----------
    path : str or Path
        The file.
    error : type
        What to raise if it shows data of other files, or is longer than it says.

    Raises
    ------
    OSError
        If it is not there, cannot be read, or is no whole HDF5 file.
    """
    file = open_header(path)
    try:
        _check_heaps(Path(path))
        reason = _what_lies_outside(file) or _what_lies_behind(file, Path(path))
    except (OSError, RuntimeError, KeyError, ValueError) as damage:
        file.close()
        raise OSError(str(damage)) from damage
    if reason:
        file.close()
        raise error(f"{path}: {reason}.")
    return file


@contextmanager
def new_file(path: str | Path, **options: Any) -> Iterator[h5py.File]:
    """Create an HDF5 file, and close it at the end of the block whatever happens.

    Raises
    ------
    OSError
        If not all could be written; at the latest at the end of the block.
    """
    with open(path, "w+b", buffering=0) as raw:
        disk = _Disk(raw)
        # Kernels load numbers where they lie in the file: at multiples of their size.
        with h5py.File(
            *(disk, "w"), alignment_threshold=_ALIGNED_FROM, alignment_interval=8, **options
        ) as file:
            number = _number(file)
            _disks[number] = disk
            try:
                yield file
                file.flush()
            finally:
                del _disks[number]
        disk.check()


def check_written(group: h5py.Group) -> None:
    """Raise what went wrong while the file of a group was written, so that no more is made.

    Raises
    ------
    OSError
        If something did.
    """
    disk = _disks.get(_number(group))
    if disk is not None:
        disk.check()


class _Disk:
    """File on a disk that may be full, which HDF5 must not know.

    HDF5 answers an error of the disk with tracebacks, and with a crash at the end of the process.
    So the first error is kept, and from then on all seems to be well: what HDF5 may want to read
    again, of its own bookkeeping, is held in memory.
    """

    def __init__(self, raw: io.FileIO):
        self._raw, self._offset, self._end = raw, 0, 0
        self._error: BaseException | None = None
        self._held: dict[int, bytes] = {}

    def check(self) -> None:
        """Raise the first error."""
        if self._error is not None:
            raise self._error

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to an offset: from the start, or from the end."""
        self._offset = self._end + offset if whence == os.SEEK_END else offset
        return self._offset

    def tell(self) -> int:
        """Offset of the next reading or writing."""
        return self._offset

    def write(self, block: memoryview) -> int:
        """Write a block, or keep the error and perhaps the block."""
        start, size = self._offset, len(block)
        try:
            self.check()
            n_done = 0
            while n_done < size:
                n_done += os.pwrite(self._raw.fileno(), block[n_done:], start + n_done)
        except BaseException as error:  # an interruption, too, would be an error inside HDF5
            self._error = error
            if size <= _HELD_BYTES:
                self._held[start] = bytes(block)
        self._offset += size
        self._end = max(self._end, self._offset)
        return size

    def read(self, size: int) -> bytes:
        """Read as many bytes, zeros behind the end."""
        start, self._offset = self._offset, self._offset + size
        found = self._held.get(start) or os.pread(self._raw.fileno(), size, start)
        return found[:size].ljust(size, b"\0")

    def truncate(self, size: int) -> int:
        """Cut to a size."""
        self._end = size
        try:
            os.ftruncate(self._raw.fileno(), size)
        except OSError as error:
            self._error = self._error or error
        return size

    def flush(self) -> None:
        """Nothing waits here."""


_disks: dict[int, _Disk] = {}  # of the files that are being written, by HDF5's number of them


def _number(group: h5py.Group) -> int:
    return h5py.h5o.get_info(group.id).fileno


def open_header(path: str | Path) -> h5py.File:
    """Open a file of which only attributes are read, without a lock where there is none."""
    if is_endless(path):
        raise OSError(ENDLESS)
    try:
        return h5py.File(path, "r")
    except OSError as error:
        if not is_lack_of_locks(error):
            raise
        warn_once(f"{path}: no locks here; HDF5 files are opened without")
        return h5py.File(path, "r", locking=False)


def _check_heaps(path: Path) -> None:
    stat = path.stat()
    offset = _torn_heap(path, stat.st_size, stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns)
    if offset is not None:
        raise OSError(f"the heap of texts at byte {offset} is damaged")


@lru_cache(maxsize=64)
def _torn_heap(path: Path, *_state: int) -> int | None:
    """`torn_heap` of a file in one state: large ones are opened several times."""
    return torn_heap(path)


def datasets_of(file: h5py.File) -> Iterator[h5py.h5d.DatasetID]:
    """All datasets of a file."""
    found: list[bytes] = []

    def note(name: bytes, info: Any) -> None:
        if info.type == h5py.h5o.TYPE_DATASET:
            found.append(name)

    h5py.h5o.visit(file.id, note, info=True)
    for name in found:
        yield h5py.h5d.open(file.id, name)


def _what_lies_outside(file: h5py.File) -> str:
    """What in a file shows data of another one; "" if nothing does."""

    def name_link(name: bytes, info: Any) -> str | None:
        if info.type in (h5py.h5l.TYPE_HARD, h5py.h5l.TYPE_SOFT):
            return None
        return f"/{name.decode(errors='replace')} is a link to another file; {_ADVICE}"

    linked = file.id.links.visit(name_link, info=True)
    if linked:
        return linked
    for dataset in datasets_of(file):
        layout = dataset.get_create_plist()
        if layout.get_layout() == h5py.h5d.VIRTUAL or layout.get_external_count():
            name = h5py.h5i.get_name(dataset).decode(errors="replace")
            return f"{name} keeps its values in other files; {_ADVICE}"
    return ""


def _what_lies_behind(file: h5py.File, path: Path) -> str:
    """By how much a file is longer than it says; "" if it is not."""
    start = file.userblock_size
    with path.open("rb") as raw:
        raw.seek(start)
        head = raw.read(128)
    version = head[8]
    width, begin = (head[13], 24 + 4 * version) if version < 2 else (head[9], 12)
    end = int.from_bytes(head[begin + 2 * width : begin + 3 * width], "little")
    n_behind = path.stat().st_size - end
    if n_behind <= 0:
        return ""
    return f"{n_behind} bytes lie behind the end of the HDF5 file; copy or download it again"
