"""Two paths, one content."""

import gzip
import os

import pytest

from skyquilt.io.same_content import same_files

CONTENT = b"some counts" * 1000


@pytest.fixture
def original(tmp_path):
    path = tmp_path / "a.fits"
    path.write_bytes(CONTENT)
    return path


def _relative(path, new):
    return os.path.relpath(path)


def _around(path, new):
    return str(path.parent / "x" / ".." / path.name)


def _symlink(path, new):
    new.symlink_to(path)
    return str(new)


def _folder_link(path, new):
    new.symlink_to(path.parent, target_is_directory=True)
    return str(new / path.name)


def _hard_link(path, new):
    os.link(path, new)
    return str(new)


def _copy(path, new):
    new.write_bytes(path.read_bytes())
    return str(new)


def _packed(path, new):
    new.write_bytes(gzip.compress(path.read_bytes()))
    return str(new)


@pytest.mark.parametrize(
    "again", [str, _relative, _around, _symlink, _folder_link, _hard_link, _copy, _packed]
)
def test_one_content_is_found_by_any_path(original, tmp_path, again):
    (tmp_path / "x").mkdir()
    other = again(original) if again is str else again(original, tmp_path / "b")

    assert same_files([str(original), other]) == [(str(original), other)]


@pytest.mark.parametrize(
    "content", [CONTENT[:-1] + b"x", CONTENT + b"x", b"", b"\x1f\x8b", b"\x1f"]
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_other_content_is_another_file(original, tmp_path, content, pack):
    other = tmp_path / "b"
    other.write_bytes(pack(content))

    assert same_files([str(original), str(other)]) == []


def test_file_that_is_not_there_is_the_same_as_none(original, tmp_path):
    assert same_files([str(tmp_path / "b"), str(tmp_path / "b")]) == []


def test_files_cut_short_are_left_to_their_reader(tmp_path):
    paths = [tmp_path / name for name in ("a.gz", "b.gz")]
    for number, path in enumerate(paths):
        packed = gzip.compress(CONTENT + bytes([number]))
        path.write_bytes(packed[:20] + packed[-8:])

    assert same_files(map(str, paths)) == []
