"""One copy of a file for all processes of a node."""

import errno
import os
import shutil
import signal
import subprocess
import sys

import pytest

from skyquilt.errors import OutputError
from skyquilt.io.staging import staged

pytestmark = pytest.mark.timeout(30)

# A process that uses a copy until it is told to end; it prints the copy's place and inode.
USER = """
import os, sys
from skyquilt.io.staging import staged
with staged(sys.argv[1], sys.argv[2]) as place:
    print(place, os.stat(place).st_ino, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "problem.h5"
    path.write_bytes(os.urandom(1_000_000))
    return path


@pytest.fixture
def scratch(tmp_path):
    path = tmp_path / "scratch"
    path.mkdir()
    return path


@pytest.fixture
def start(file, scratch):
    """Start users of a copy; they are ended at last."""
    users = []

    def start():
        command = [sys.executable, "-c", USER, str(file), str(scratch)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        users.append(subprocess.Popen(command, text=True, **pipes))
        return users[-1]

    yield start
    for user in users:
        user.kill()
        user.communicate()


def test_without_scratch_the_file_itself_is_used(file):
    with staged(file, None) as place:
        assert place == file


def test_copy_is_the_file_and_goes_at_the_end(file, scratch):
    with staged(file, scratch) as place:
        assert place != file
        assert place.is_relative_to(scratch)
        assert place.read_bytes() == file.read_bytes()
        assert place.parent.stat().st_mode & 0o777 == 0o700
    assert list(scratch.iterdir()) == []


def test_copy_goes_when_its_user_fails(file, scratch):
    with pytest.raises(KeyError), staged(file, scratch):
        raise KeyError
    assert list(scratch.iterdir()) == []


def test_variable_in_scratch_is_that_of_the_node(file, scratch, monkeypatch):
    monkeypatch.setenv("NODE_DISK", str(scratch))
    with staged(file, "NODE_DISK") as place:
        assert place.is_relative_to(scratch)


def test_variable_that_the_node_has_not_is_refused(file, monkeypatch):
    monkeypatch.delenv("NODE_DISK", raising=False)
    message = "--scratch NODE_DISK: .* has no such variable; give the name of one"
    with pytest.raises(OutputError, match=message), staged(file, "NODE_DISK"):
        pass


def test_processes_share_one_copy_and_the_last_removes_it(start, scratch):
    first, second = start(), start()
    places = {user.stdout.readline() for user in (first, second)}
    assert len(places) == 1
    assert len(list(scratch.rglob("*.h5"))) == 1
    first.communicate("\n")
    assert len(list(scratch.rglob("*.h5"))) == 1
    second.communicate("\n")
    assert list(scratch.iterdir()) == []


def test_damaged_copy_is_made_again(start, file, scratch, caplog):
    place = start().stdout.readline().split()[0]
    content = bytearray(file.read_bytes())
    content[1000] ^= 1
    with open(place, "r+b") as copy:
        copy.write(content)
    with staged(file, scratch) as again:
        assert str(again) == place
        assert again.read_bytes() == file.read_bytes()
    assert "damaged; it is copied again" in caplog.text


def test_killed_user_leaves_a_copy_that_the_next_removes(start, file, scratch, tmp_path):
    user = start()
    user.stdout.readline()
    (own,) = scratch.iterdir()
    (copy,) = own.glob("*.h5")
    half = own / f".{copy.name}.abcd1234"
    half.mkdir()
    user.send_signal(signal.SIGKILL)
    user.wait()
    assert copy.is_file()
    other = tmp_path / "other.h5"
    shutil.copy(file, other)
    with staged(other, scratch) as place:
        assert sorted(own.glob("*.h5")) == [place]
        assert not half.exists()
    assert list(scratch.iterdir()) == []


def test_changed_file_gets_a_copy_of_its_own(start, file, scratch):
    start().stdout.readline()
    file.write_bytes(os.urandom(1000))
    with staged(file, scratch) as place:
        assert place.read_bytes() == file.read_bytes()


def test_full_disk_means_the_file_itself_and_a_warning(file, scratch, monkeypatch, caplog):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shutil, "copyfile", full)
    with staged(file, scratch) as place:
        assert place == file
    assert "No space left on device" in caplog.text
    assert list(scratch.iterdir()) == []


def test_copy_that_is_not_read_back_means_the_file_itself(file, scratch, monkeypatch, caplog):
    monkeypatch.setattr(shutil, "copyfile", lambda _, target: target.write_bytes(b"other"))
    with staged(file, scratch) as place:
        assert place == file
    assert "is not read back as it was written" in caplog.text
    assert list(scratch.iterdir()) == []


def test_missing_scratch_is_refused(file, scratch):
    with (
        pytest.raises(OutputError, match="give a scratch folder that every node has"),
        staged(file, scratch / "none"),
    ):
        pass


def test_folder_of_someone_else_is_refused(file, scratch, tmp_path):
    (scratch / f"skyquilt-{os.geteuid()}").symlink_to(tmp_path)
    with pytest.raises(OutputError, match="belongs to someone else"), staged(file, scratch):
        pass
