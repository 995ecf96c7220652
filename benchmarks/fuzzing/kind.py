"""A kind of file: the good one, the verbs that read it, and what can be changed in it."""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fuzzing.bytes_changes import byte_changes
from fuzzing.change import Change, of_bytes
from fuzzing.fits_changes import fits_changes
from fuzzing.hdf5_changes import hdf5_changes
from fuzzing.text_changes import json_changes, text_changes, yaml_changes


class Kind(NamedTuple):
    """A kind of file.

    Attributes
    ----------
    name : str
        Its name.
    path : str
        The good one, in the folder of materials; a pattern where its name is a digest.
    verbs : tuple of str
        Command lines, one after the other, of which at least one reads it.
    number : callable
        What the verbs made of it, without times and the like; called in the folder.
    is_product : bool
        Whether skyquilt made it, with checksums: then no other number may come out.
    codes : tuple of int
        Exit codes of a refusal.
    answers : tuple of int
        Exit codes of an answer.
    before : tuple of str
        Command lines that make it, where it holds for one folder only.
    """

    name: str
    path: str
    verbs: tuple[str, ...]
    number: Callable[[], Any]
    is_product: bool = False
    codes: tuple[int, ...] = (2,)
    answers: tuple[int, ...] = (0,)
    before: tuple[str, ...] = ()

    def changes(self, folder: Path, n_changes: int, rng: np.random.Generator) -> list[Change]:
        """Changes to try: half of what the file means, half of its bytes."""
        path = next(folder.glob(self.path))
        meant = list(_meant(path, rng))
        chosen = [meant[index] for index in rng.permutation(len(meant))]
        n_meant = min(len(chosen), n_changes - n_changes // 3)
        plain = list(byte_changes(path.stat().st_size, n_changes, rng))
        return chosen[:n_meant] + plain[: n_changes - n_meant]


def _meant(path: Path, rng: np.random.Generator) -> Iterator[Change]:
    """Changes of what a file means."""
    match path.suffix:
        case ".h5" | ".hdf5":
            yield from hdf5_changes(path)
        case ".fits":
            yield from fits_changes(path)
            yield _packed()
        case ".gz":
            yield from _inside_gzip(path, rng)
        case ".json":
            yield from json_changes(path)
        case ".yaml":
            yield from yaml_changes(path)
            yield from text_changes(path, rng)
        case ".png" | ".pdf":
            pass
        case _:
            yield from text_changes(path, rng)


def _packed() -> Change:
    return of_bytes("packed with gzip under the same name", gzip.compress)


def _inside_gzip(path: Path, rng: np.random.Generator) -> Iterator[Change]:
    """Changes of what a packed file holds."""
    plain = path.with_suffix("")
    plain.write_bytes(gzip.decompress(path.read_bytes()))

    def packed(change: Change) -> Change:
        def apply(target: Path) -> None:
            inner = target.with_name(f"unpacked-{plain.name}")
            inner.write_bytes(gzip.decompress(target.read_bytes()))
            change.apply(inner)
            target.unlink()
            target.write_bytes(gzip.compress(inner.read_bytes()))
            inner.unlink()

        return Change(change.name, apply, change.is_equal)

    try:
        yield from map(packed, list(_meant(plain, rng)))
    finally:
        plain.unlink()
