"""Shared memory that killed ranks have left."""

import logging
import os

import pytest

from skyquilt.parallel import segments
from skyquilt.parallel.segments import remove_dead_segments


@pytest.fixture
def left(tmp_path, monkeypatch):
    """Files as MPI leaves them, an hour ago."""
    monkeypatch.setattr(segments, "_NEW_S", -1.0)
    names = ["mpich_shm_a", "vader_segment.n1.0.1.2", "sm_segment.n1.1000.1.0", "other"]
    for name in names:
        (tmp_path / name).write_bytes(b"x" * 100)
    return tmp_path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_own_files_that_no_process_uses_are_removed_and_nothing_else(left, caplog):
    caplog.set_level(logging.INFO)
    remove_dead_segments(left)
    assert names(left) == ["other"]
    assert "removed 3 files of ranks that were killed" in caplog.text


def test_new_files_and_those_in_use_stay(left, monkeypatch):
    used = str(left / "mpich_shm_a")
    monkeypatch.setattr(segments, "mapped_files", lambda: iter([used]))
    remove_dead_segments(left)
    assert names(left) == ["mpich_shm_a", "other"]
    monkeypatch.setattr(segments, "mapped_files", lambda: iter([]))
    monkeypatch.setattr(segments, "_NEW_S", 60.0)
    remove_dead_segments(left)
    assert names(left) == ["mpich_shm_a", "other"]


def test_files_of_others_stay_and_are_told_whose_they_are(left, monkeypatch, caplog):
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000)
    monkeypatch.setattr(segments, "owners_of_processes", set)
    before = names(left)
    remove_dead_segments(left)
    assert names(left) == before
    assert "3 files of killed ranks of user" in caplog.text


def test_memory_that_this_process_has_mapped_is_known():
    import mmap

    path = segments.FOLDER / f"skyquilt-test-{os.getpid()}"
    try:
        with path.open("w+b") as file:
            file.truncate(4096)
            with mmap.mmap(file.fileno(), 4096):
                assert str(path) in set(segments.mapped_files())
    finally:
        path.unlink()
