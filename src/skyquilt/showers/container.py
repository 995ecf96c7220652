"""Objects of an eventio file, whole ones only: the container of sim_telarray.

eventio itself takes the end of a compressed stream that was cut for the end of the file. Here the
stream is unpacked by us, so that a cut file is known as such, and each object comes with all of its
bytes.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from skyquilt.errors import InputError, RunError

_MARKER = b"\x37\x8a\x1f\xd4"
_MARKER_OF_BIG_ENDIAN = _MARKER[::-1]
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_GIT_LFS = b"version https://git-lfs"
_HEADER_SIZE, _EXTENSION_SIZE, _EXTENSION_UNIT = 12, 4, 1 << 30
_PIECE = 1 << 16  # packed bytes that are read at a time: what they unpack to is in memory


@dataclass
class Loss:
    """What is missing at the end of a file.

    Attributes
    ----------
    n_byte : int
        Bytes of the object that was cut, as far as they are there; they are left out.
    position : int
        Where the whole objects end, in the unpacked stream.
    """

    n_byte: int
    position: int


class _Stream:
    """Bytes of a file, unpacked.

    Attributes
    ----------
    position : int
        Bytes that were read.
    is_whole : bool
        Whether the compressed stream has its end; True of a file that is not compressed.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file = path, file
        start = file.read(4)
        file.seek(0)
        self._new = _unpackers(start)
        self._unpacker = self._new()
        self._ready, self._used = b"", 0  # bytes that are unpacked, and those of them that are read
        self.position = 0
        self.is_whole = True

    def read(self, n_byte: int) -> bytes:
        """Next bytes; fewer at the end."""
        pieces, missing = [], n_byte
        while missing > 0:
            if self._used == len(self._ready):
                self._ready, self._used = self._next(), 0
                if not self._ready:
                    break
            piece = self._ready[self._used : self._used + missing]
            pieces.append(piece)
            self._used += len(piece)
            missing -= len(piece)
        self.position += n_byte - missing
        return b"".join(pieces)

    def _next(self) -> bytes:
        """Next unpacked bytes, of any number; none at the end."""
        while packed := self._file.read(_PIECE):
            if self._unpacker is None:
                return packed
            if data := self._unpack(packed):
                return data
        self.is_whole = self._unpacker is None or self._unpacker.eof
        return b""

    def _unpack(self, packed: bytes) -> bytes:
        data = b""
        while packed:
            if self._unpacker.eof:  # another stream follows in the same file
                self._unpacker = self._new()
            try:
                data += self._unpacker.decompress(packed)
            except Exception as error:  # zlib's and zstandard's have no other base in common
                raise InputError(
                    f"{self._path}: damaged near byte {self.position + len(data)} of what it "
                    f"unpacks to ({error}); copy the file again."
                ) from error
            packed = self._unpacker.unused_data
        return data


def _unpackers(start: bytes) -> Any:
    """What makes a new unpacker of the kind of stream that begins so; of None, if it is none."""
    if start.startswith(_GZIP):
        return lambda: zlib.decompressobj(31)
    if start == _ZSTD:
        import zstandard

        return lambda: zstandard.ZstdDecompressor().decompressobj()
    return lambda: None


def check_eventio() -> None:
    """Look for what reads raw files, before anything is written.

    Raises
    ------
    RunError
        If it is not installed.
    """
    try:
        import eventio  # noqa: F401
    except ImportError as error:
        raise RunError(
            f"raw files of telescopes are read with eventio, which is not there ({error}): "
            "`pip install 'skyquilt[showers]'`."
        ) from error


def read_objects(path: str | Path, loss: list[Loss] | None = None) -> Iterator[Any]:
    """Top-level objects of a file, one after the other.

    Parameters
    ----------
    path : str or Path
        The file; gzip, zstd, or not compressed.
    loss : list of Loss, optional
        Where it goes if the file was cut: whole objects come before. Without it that is an error.

    Yields
    ------
    eventio.base.EventIOObject
        An object that holds its bytes.

    Raises
    ------
    InputError
        If the file is no such file, damaged, or cut.
    """
    check_eventio()
    path = Path(path)
    try:
        file = path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; name a file that can be read.") from error
    with file:
        stream = _Stream(path, file)
        while (made := _next_object(path, stream)) is not None:
            if isinstance(made, Loss):
                _tell(path, made, loss)
                return
            yield made
        if not stream.is_whole:
            _tell(path, Loss(0, stream.position), loss)


def _tell(path: Path, found: Loss, loss: list[Loss] | None) -> None:
    if loss is None:
        raise InputError(
            f"{path}: cut after byte {found.position} of what it unpacks to, with {found.n_byte} "
            "bytes of an object that is not whole; copy the file again, or take what is whole with "
            "`truncated: keep`."
        )
    loss.append(found)


def _next_object(path: Path, stream: _Stream) -> Any:
    """Next object; None at the end, a Loss where the file was cut."""
    from eventio.base import KNOWN_OBJECTS, EventIOObject
    from eventio.header import parse_header_bytes

    begin = stream.position
    marker = stream.read(len(_MARKER))
    if not marker:
        return None
    _check_marker(path, begin, marker)
    head = stream.read(_HEADER_SIZE)
    if len(marker) + len(head) < len(_MARKER) + _HEADER_SIZE:
        return Loss(stream.position - begin, begin)
    header = parse_header_bytes(head, toplevel=True)
    if header.extended:
        extension = stream.read(_EXTENSION_SIZE)
        header.content_size += (int.from_bytes(extension, "little") & 0xFFF) * _EXTENSION_UNIT
    content = stream.read(header.content_size)
    if len(content) < header.content_size:
        return Loss(stream.position - begin, begin)
    header.content_address = 0
    return KNOWN_OBJECTS.get(header.type, EventIOObject)(header, BytesIO(content))


def _check_marker(path: Path, begin: int, marker: bytes) -> None:
    if marker == _MARKER or _MARKER.startswith(marker):
        return
    if begin:
        raise InputError(
            f"{path}: damaged: no object begins at byte {begin} of what it unpacks to; copy the "
            "file again."
        )
    if marker == _MARKER_OF_BIG_ENDIAN:
        raise InputError(f"{path}: written with big-endian numbers, which are not read here.")
    what = "a Git LFS pointer, not the file itself" if _GIT_LFS.startswith(marker) else "no file"
    raise InputError(
        f"{path}: {what} of sim_telarray: raw runs are eventio files, as they are or packed with "
        "gzip or zstd."
    )
