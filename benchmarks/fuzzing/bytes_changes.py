"""Changes of bytes, whatever they mean: what disks, networks and editors do to files."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fuzzing.change import Change, of_bytes


def byte_changes(size: int, n_changes: int, rng: np.random.Generator) -> Iterator[Change]:
    """Changes at random places of a file of `size` bytes."""
    yield of_bytes("bytes: empty", lambda content: b"")
    yield of_bytes("bytes: one byte", lambda content: content[:1])
    yield of_bytes("bytes: all zero", lambda content: bytes(len(content)))
    yield of_bytes("bytes: cut at the last byte", lambda content: content[:-1])
    yield of_bytes("bytes: random ones at the end", lambda content: content + bytes(range(256)))
    yield of_bytes("bytes: the file twice", lambda content: content * 2)
    yield Change("bytes: a folder of this name", _to_folder)
    for number in range(n_changes):
        kind = _KINDS[number % len(_KINDS)]
        # the first bytes say what the rest is: every other change is there
        low = number // len(_KINDS) % 2 == 0
        place = int(rng.integers(min(size, 4096) if low else size))
        length = int(2 ** rng.integers(0, 10))
        noise = rng.bytes(length)
        yield of_bytes(
            f"bytes: {kind.__name__[1:]} {length} at {place}",
            lambda content, kind=kind, place=place, noise=noise: kind(content, place, noise),
        )


def _to_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _flip(content: bytes, place: int, noise: bytes) -> bytes:
    bit = 1 << noise[0] % 8
    return content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]


def _invert(content: bytes, place: int, noise: bytes) -> bytes:
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


def _cut(content: bytes, place: int, noise: bytes) -> bytes:
    return content[:place]


def _insert(content: bytes, place: int, noise: bytes) -> bytes:
    return content[:place] + noise + content[place:]


def _zero(content: bytes, place: int, noise: bytes) -> bytes:
    stop = min(place + len(noise), len(content))
    return content[:place] + bytes(stop - place) + content[stop:]


def _delete(content: bytes, place: int, noise: bytes) -> bytes:
    return content[:place] + content[place + len(noise) :]


def _overwrite(content: bytes, place: int, noise: bytes) -> bytes:
    stop = min(place + len(noise), len(content))
    return content[:place] + noise[: stop - place] + content[stop:]


def _repeat(content: bytes, place: int, noise: bytes) -> bytes:
    return content[: place + len(noise)] + content[place:]


_KINDS = (_flip, _invert, _cut, _insert, _zero, _delete, _overwrite, _repeat)
