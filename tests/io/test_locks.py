"""Locks, also where there are none, and whose files are."""

import errno
import fcntl
import os
import signal
import subprocess
import sys

import pytest

from skyquilt.io import locks
from skyquilt.io.locks import EXCLUSIVE, SHARED, is_alive, is_held, lock, open_lock, owner_text
from skyquilt.io.products import find_leftovers, locked

NO_LOCKS = [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP]

HOLD = """
import sys
from skyquilt.io.products import new_product
with new_product(sys.argv[1]) as partial:
    partial.write_text("half")
    print(partial.parent, flush=True)
    sys.stdin.readline()
"""


def is_leftover(folder):
    return folder in find_leftovers(folder.parent)


@pytest.fixture
def writer(tmp_path):
    """A process that writes a product, and the hidden folder in which it does."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "maps.fits")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:
        yield process, tmp_path / process.stdout.readline().strip()
        process.kill()


@pytest.fixture(params=NO_LOCKS)
def no_locks(request, monkeypatch):
    """A file system without locks."""

    def flock(*_):
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(fcntl, "flock", flock)
    monkeypatch.setattr(locks, "warned", [])


def test_lock_file_that_is_there_is_not_emptied(tmp_path):
    (tmp_path / "any.lock").write_text("content")
    with locked(tmp_path / "any.h5"):
        pass
    assert (tmp_path / "any.lock").read_text() == "content"


def test_lock_file_that_is_a_link_is_refused_and_its_target_kept(tmp_path):
    (tmp_path / "mine").write_text("content")
    (tmp_path / "any.lock").symlink_to(tmp_path / "mine")
    with pytest.raises(OSError, match="symbolic links"):
        open_lock(tmp_path / "any.lock")
    assert (tmp_path / "mine").read_text() == "content"


def test_lock_file_that_is_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "any.lock")
    with pytest.raises(OSError, match="no plain file"):
        open_lock(tmp_path / "any.lock")


def test_lock_excludes_others_and_is_shared_if_so_wanted(tmp_path):
    with open_lock(tmp_path / "lock") as first, open_lock(tmp_path / "lock") as second:
        assert lock(first, SHARED)
        assert lock(second, SHARED, wait=False)
        assert lock(second, EXCLUSIVE, wait=False) is False


def test_without_locks_work_goes_on_with_one_warning(tmp_path, no_locks, caplog):
    with locked(tmp_path / "a.h5"), locked(tmp_path / "b.h5"), locked(tmp_path / "a.h5"):
        pass
    assert len(caplog.records) == 1
    assert "no locks here" in caplog.text


def test_owner_is_alive_until_its_end(writer):
    process, folder = writer
    text = (folder / ".owner").read_text()
    assert text.startswith(f"process {process.pid} on ")
    assert is_alive(text)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert is_alive(text) is False


@pytest.mark.parametrize(
    "change", [("(started at ", "(started at 1"), ("process ", "process 9999")]
)
def test_owner_with_the_number_of_another_process_is_not_alive(change):
    assert is_alive(owner_text())
    assert is_alive(owner_text().replace(*change)) is False


@pytest.mark.parametrize("text", ["", "nonsense"])
def test_owner_that_is_not_told_is_not_known(text):
    assert is_alive(text) is None


def test_owner_elsewhere_is_not_known():
    assert is_alive(owner_text().replace(" on ", " on elsewhere-")) is None


def test_hidden_folder_of_a_live_process_is_no_leftover_with_or_without_locks(writer, request):
    _, folder = writer
    assert not is_leftover(folder)
    request.getfixturevalue("monkeypatch").setattr(fcntl, "flock", lambda *_: None)
    assert not is_leftover(folder)  # locks that are known on one machine only


def test_hidden_folder_of_a_killed_process_is_a_leftover(writer):
    process, folder = writer
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert is_leftover(folder)


def test_hidden_folder_of_a_killed_process_is_a_leftover_without_locks(writer, no_locks):
    process, folder = writer
    assert not is_leftover(folder)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert is_leftover(folder)


def test_hidden_folder_of_another_machine_without_locks_is_left_alone(tmp_path, no_locks):
    folder = tmp_path / ".maps.fits.abcdefgh"
    folder.mkdir()
    (folder / ".owner").write_text(owner_text().replace(" on ", " on elsewhere-"))
    assert is_held(folder / ".owner")
    assert not is_leftover(folder)


def test_hidden_folder_without_owner_is_a_leftover(tmp_path):
    folder = tmp_path / ".maps.fits.abcdefgh"
    folder.mkdir()
    assert is_leftover(folder)
    (folder / "other").touch()
    assert not is_leftover(folder)


def test_hidden_folder_that_is_about_to_get_an_owner_is_a_leftover_when_it_is_old(tmp_path):
    folder = tmp_path / ".maps.fits.abcdefgh-new"
    folder.mkdir()
    assert not is_leftover(folder)
    os.utime(folder, (0, 0))
    assert is_leftover(folder)
