"""One run at a time, and what killed ones leave."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading

import pytest

from skyquilt.errors import OutputError, RunError
from skyquilt.io.locks import SHARED, lock, open_lock, owner_text
from skyquilt.runs.guard import (
    LOCK,
    MARK,
    check_no_jobs,
    claim,
    find_leftovers,
    is_claimed,
    remove_leftovers,
)
from skyquilt.runs.jobs import Job

HOLD = """
import sys, time
from skyquilt.runs.guard import claim
lock = claim(sys.argv[1])
print("claimed", flush=True)
time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that has claimed the folder."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "claimed\n"
        yield process
        process.kill()


def test_claim_when_another_process_has_it_names_that_process(holder, tmp_path):
    assert is_claimed(tmp_path)
    with pytest.raises(RunError, match=rf"process {holder.pid} on .* since .*then start again"):
        claim(tmp_path)


def test_claim_ends_with_the_process_whatever_its_end_was(holder, tmp_path):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert not is_claimed(tmp_path)
    with claim(tmp_path):
        assert is_claimed(tmp_path)
    assert not is_claimed(tmp_path)


def test_claim_of_a_folder_that_cannot_be_made_says_what_to_do(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="choose a folder of results that can be written"):
        claim(tmp_path / "file" / "results")


def test_claim_of_one_analysis_is_of_the_whole_tree(holder, tmp_path):
    analysis = tmp_path / "burst"
    analysis.mkdir()
    (analysis / "config.yaml").write_text("")
    assert is_claimed(analysis)
    with pytest.raises(RunError, match=f"process {holder.pid}"):
        claim(analysis)
    assert not (analysis / LOCK).exists()


def test_claim_while_others_look_whether_there_is_one_succeeds(tmp_path):
    claim(tmp_path).close()
    with open_lock(tmp_path / LOCK) as looking:
        assert lock(looking, SHARED)
        threading.Timer(0.1, looking.close).start()
        with claim(tmp_path):
            assert is_claimed(tmp_path)


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_claim_without_locks_is_a_file_that_ends_with_the_process(tmp_path, monkeypatch, number):
    def flock(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    with claim(tmp_path):
        assert is_claimed(tmp_path)
        with pytest.raises(RunError, match=rf"process {os.getpid()} on .*on another machine"):
            claim(tmp_path)
    assert not is_claimed(tmp_path)
    killed = owner_text().replace("(started at ", "(started at 1")
    (tmp_path / MARK).write_text(killed)
    assert not is_claimed(tmp_path)
    claim(tmp_path).close()
    (tmp_path / MARK).write_text(owner_text().replace(" on ", " on elsewhere-"))
    with pytest.raises(RunError, match="on elsewhere-"):
        claim(tmp_path)


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_claim_of_a_lock_that_is_no_plain_file_is_refused(tmp_path, kind):
    mine = tmp_path / "mine"
    mine.write_text("content")
    path = tmp_path / LOCK
    {"link": lambda: path.symlink_to(mine), "pipe": lambda: os.mkfifo(path), "folder": path.mkdir}[
        kind
    ]()
    with pytest.raises(OutputError):
        claim(tmp_path)
    assert mine.read_text() == "content"


def test_folder_without_a_lock_is_not_claimed(tmp_path):
    assert not is_claimed(tmp_path / "nowhere")


def test_jobs_of_an_earlier_run_are_named_with_the_ways_out():
    jobs = [Job(str(number), "RUNNING", "n1", f"rule_{number}") for number in range(7)]
    with pytest.raises(
        RunError, match=r"SLURM jobs.*7 in all: 0 \(rule_0\).*\.\.\..*scancel 0 1 2 3 4 5 6"
    ):
        check_no_jobs("results", jobs)
    check_no_jobs("results", [])


def test_leftovers_of_killed_processes_are_removed_and_nothing_else(tmp_path):
    chunks = tmp_path / "burst" / "chunks"
    half = chunks / ".000-of-003.h5.ab12cd_9"
    half.mkdir(parents=True)
    (half / "000-of-003.h5").write_text("half")
    (chunks / ".001-of-003.h5.ab12cd_9").mkdir()  # killed before it began to write
    for other in (".snakemake", ".git.abcdefgh", ".set-aside"):
        (tmp_path / other).mkdir()
        (tmp_path / other / "file").write_text("")
    (chunks / "000-of-003.h5").write_text("whole")
    assert len(list(find_leftovers(tmp_path))) == 2
    assert remove_leftovers(tmp_path) == 2
    assert [path.name for path in chunks.iterdir()] == ["000-of-003.h5"]
    assert len(list(tmp_path.iterdir())) == 4
