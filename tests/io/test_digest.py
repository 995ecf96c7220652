import hashlib
import os
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from skyquilt.io.digest import (
    array_digest,
    blocks_digest,
    canonical_json,
    file_digest,
    settings_digest,
)


def test_file_digest_equals_sha256sum(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")

    # FIPS 180-2, appendix B.1
    wanted = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_digest(tmp_path / "file") == wanted


@pytest.fixture
def large(tmp_path, monkeypatch):
    """A file that counts as large, written a while ago."""
    monkeypatch.setattr("skyquilt.io.digest.SMALL_BYTES", 0)
    monkeypatch.setattr("skyquilt.io.digest.TICK_S", -1.0)
    (tmp_path / "file").write_bytes(b"abc")
    return tmp_path / "file"


def test_file_digest_with_memo_reads_a_large_file_once(large, tmp_path, monkeypatch):
    first = file_digest(large, tmp_path / "memo")
    monkeypatch.setattr(hashlib, "file_digest", None)

    assert file_digest(large, tmp_path / "memo") == first


def test_file_digest_of_a_small_file_needs_no_memo(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    file_digest(tmp_path / "file", tmp_path / "memo")

    assert not (tmp_path / "memo").exists()


def test_file_digest_of_a_file_that_has_just_changed_is_not_remembered(
    large, tmp_path, monkeypatch
):
    monkeypatch.setattr("skyquilt.io.digest.TICK_S", 60.0)
    file_digest(large, tmp_path / "memo")

    assert not (tmp_path / "memo").exists()


def in_place(path):
    with path.open("r+b") as file:
        file.write(b"abd")


def by_renaming(path):
    other = path.with_name("other")
    other.write_bytes(b"abd")
    other.rename(path)


@pytest.mark.parametrize("is_large", [True, False])
@pytest.mark.parametrize("replace", [in_place, by_renaming])
@pytest.mark.parametrize("shift_s", [-3600, 0, 3600])
def test_file_digest_with_memo_sees_a_replaced_file_whatever_its_time(
    large, tmp_path, monkeypatch, is_large, replace, shift_s
):
    if not is_large:
        monkeypatch.setattr("skyquilt.io.digest.SMALL_BYTES", 1 << 20)
    stat = large.stat()
    first = file_digest(large, tmp_path / "memo")
    time.sleep(0.02)  # a tick of the clock of the file system
    replace(large)
    os.utime(large, ns=(stat.st_atime_ns, stat.st_mtime_ns + shift_s * 10**9))

    assert file_digest(large, tmp_path / "memo") == hashlib.sha256(b"abd").hexdigest() != first


NOTES = {
    "empty": lambda note, _: note.write_bytes(b""),
    "nonsense": lambda note, _: note.write_bytes(b"nonsense"),
    "no text": lambda note, _: note.write_bytes(b"\xff\xfe"),
    "digest of nothing named": lambda note, digest: note.write_text(digest + "\n"),
    "another digest": lambda note, digest: note.write_text(
        note.read_text().replace(digest, digest[::-1])
    ),
    "capitals": lambda note, _: note.write_text(note.read_text().upper()),
    "one digit": lambda note, digest: note.write_text(
        ("1" if digest[0] == "0" else "0") + note.read_text()[1:]
    ),
    "cut short": lambda note, _: note.write_text(note.read_text()[:-3]),
    "twice": lambda note, _: note.write_text(2 * note.read_text()),
    "of another file": lambda note, _: note.write_text(other_note(note)),
    "a folder": lambda note, _: (note.unlink(), note.mkdir()),
}


def other_note(note):
    """Whole note of another file."""
    path = note.parent.parent / "other"
    path.write_bytes(b"another")
    before = set(note.parent.iterdir())
    file_digest(path, note.parent)
    (made,) = set(note.parent.iterdir()) - before
    return made.read_text()


@pytest.mark.parametrize("spoil", NOTES.values(), ids=NOTES.keys())
def test_file_digest_believes_whole_notes_of_this_file_only(large, tmp_path, spoil):
    digest = file_digest(large, tmp_path / "memo")
    (note,) = (tmp_path / "memo").iterdir()
    spoil(note, digest)

    assert file_digest(large, tmp_path / "memo") == digest


def test_file_digest_with_a_memo_that_cannot_be_written_is_not_remembered(large, tmp_path):
    (tmp_path / "memo").write_text("a file where the folder would be")

    assert file_digest(large, tmp_path / "memo") == hashlib.sha256(b"abc").hexdigest()


def test_array_digest_depends_on_type_shape_and_values():
    array = np.arange(6.0)
    others = [array.astype(np.float32), array.reshape(2, 3), array + 1, array.astype(">i8")]

    assert len({array_digest(item) for item in [array, *others]}) == 5


def test_array_digest_does_not_depend_on_byte_order_or_layout():
    array = np.arange(6.0).reshape(2, 3)

    assert array_digest(array.astype(">f8")) == array_digest(array)
    assert array_digest(np.asfortranarray(array)) == array_digest(array)


@given(
    npst.arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(0, 4))),
    st.integers(1, 5),
)
def test_blocks_digest_does_not_depend_on_the_blocks(array, size):
    blocks = [array[start : start + size] for start in range(0, len(array), size)]

    assert blocks_digest(array.dtype, array.shape, blocks) == array_digest(array)


def test_settings_digest_does_not_depend_on_the_order_of_keys():
    assert settings_digest({"a": 1, "b": [2]}) == settings_digest({"b": [2], "a": 1})
    assert settings_digest({"a": 1}) != settings_digest({"a": 2})


def test_canonical_json_has_no_blanks_and_sorted_keys():
    assert canonical_json({"b": (1, 2), "a": None}) == '{"a":null,"b":[1,2]}'
