import struct

import h5py
import numpy as np
import pytest

from skyquilt.io import hdf5_heap
from skyquilt.io.hdf5_file import open_to_read
from skyquilt.io.hdf5_heap import torn_heap


@pytest.fixture
def path(tmp_path):
    """File whose attributes are texts of variable length."""
    path = tmp_path / "file.h5"
    with h5py.File(path, "w") as file:
        for number in range(300):
            file.create_group(str(number)).attrs["text"] = "x" * (number % 40)
    return path


def heap_of(path):
    """Place of the last heap, and of the header of its free space."""
    content = path.read_bytes()
    place = content.rindex(b"GCOL")
    at = place + 16
    while struct.unpack_from("<H", content, at)[0]:
        at += 16 + (struct.unpack_from("<Q", content, at + 8)[0] + 7) // 8 * 8
    return place, at


def write(path, at, content):
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


def test_whole_file_has_no_torn_heap(path):
    assert torn_heap(path) is None
    with open_to_read(path) as file:
        assert file["39"].attrs["text"] == "x" * 39


@pytest.mark.parametrize("size", [0, 1, 15])
def test_free_space_without_size_is_refused_before_the_library_reads_it(path, size):
    place, at = heap_of(path)
    write(path, at + 8, struct.pack("<Q", size))

    assert torn_heap(path) == place
    with pytest.raises(OSError, match=f"the heap of texts at byte {place} is damaged"):
        open_to_read(path)


@pytest.mark.parametrize("size", [1 << 20, 2**64 - 1, 2**64 - 16])
def test_text_longer_than_its_heap_is_refused(path, size):
    place, _ = heap_of(path)
    write(path, place + 16 + 8, struct.pack("<Q", size))

    assert torn_heap(path) == place


def test_values_that_look_like_a_heap_are_none(tmp_path):
    path = tmp_path / "values.bin"
    path.write_bytes(b"GCOL\1\0\0\0" + struct.pack("<Q", 1 << 40) + bytes(100) + b"GCOL\1\0\0\0")

    assert torn_heap(path) is None


def test_heaps_at_both_ends_of_a_long_file_are_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(hdf5_heap, "_MARGIN", 10_000)
    path = tmp_path / "long.h5"
    with h5py.File(path, "w") as file:
        file.attrs["first"] = "text"
        file["values"] = np.zeros(100_000)
    with h5py.File(path, "r+") as file:
        for number in range(200):
            file["values"].attrs[f"last{number}"] = "y" * 40
    assert torn_heap(path) is None
    place, at = heap_of(path)
    assert place > path.stat().st_size - 10_000
    write(path, at + 8, bytes(8))

    assert torn_heap(path) == place
