"""One checksum over all of a skyquilt file but values that have a checksum of their own.

The seal is the dataset `seal` of the root: SHA-256 of the whole file, without its own digits and
without the values of the datasets that have the attribute `sha256`. So no name, attribute, type or
link can change, vanish or be added unnoticed, and no table of many GB is read for it.
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import h5py
import numpy as np

from skyquilt.io.hdf5_file import datasets_of

SEAL = "seal"
"""Dataset of the root that holds the seal, as text."""

_CHECKSUM = b"sha256"
_LENGTH = 64
_BLOCK = 1 << 22


def make_room(file: h5py.File) -> list[tuple[int, int]]:
    """Make a seal that is not set yet, last of all in a file; what `seal_file` leaves out."""
    file[SEAL] = np.bytes_(b"0" * _LENGTH)
    file.flush()
    return _spans(file)


def seal_file(path: Path, spans: list[tuple[int, int]]) -> None:
    """Set the seal of a file that is closed."""
    digest = _digest(path, spans)
    with path.open("r+b") as raw:
        raw.seek(spans[-1][0])
        raw.write(digest.encode())


def is_sealed(file: h5py.File, path: Path) -> bool:
    """Whether a file has the seal of what is in it."""
    if not isinstance(file.get(SEAL), h5py.Dataset):
        return False
    seal = file[SEAL][()]
    return isinstance(seal, bytes) and seal == _digest(path, _spans(file)).encode()


def _spans(file: h5py.File) -> list[tuple[int, int]]:
    """Start and end of the values with a checksum, and of the seal, which is the last."""
    own = [one for one in datasets_of(file) if h5py.h5a.exists(one, _CHECKSUM)]
    stored = [(one.get_offset(), one.get_storage_size()) for one in (*own, file[SEAL].id)]
    return [(start, start + size) for start, size in stored if start is not None]


def _digest(path: Path, spans: list[tuple[int, int]]) -> str:
    digest = sha256()
    with path.open("rb") as raw:
        here = 0
        for start, stop in [*sorted(spans), (path.stat().st_size, 0)]:
            for block in _blocks(raw, here, start):
                digest.update(block)
            here = max(here, stop)
    return digest.hexdigest()


def _blocks(raw, start: int, stop: int) -> Iterator[bytes]:
    raw.seek(start)
    while start < stop and (block := raw.read(min(_BLOCK, stop - start))):
        start += len(block)
        yield block
