"""Real ranks: the same arrays for any number of them, and an end when one fails."""

import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

MPIEXEC = Path(sys.executable).parent / "mpiexec"
JOB = Path(__file__).parent / "job.py"

pytestmark = [
    pytest.mark.mpi,
    pytest.mark.skipif(not MPIEXEC.exists(), reason="no mpiexec beside this Python"),
]


def start(n_ranks, *arguments, launcher=True):
    command = [str(MPIEXEC), "-n", str(n_ranks)] if launcher else []
    command += [sys.executable, str(JOB), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    path = tmp_path_factory.mktemp("serial") / "chunk.npz"
    done = start(1, path, launcher=False)
    assert done.returncode == 0, done.stderr
    return np.load(path)


@pytest.mark.parametrize("n_ranks", [1, 2, 3, 6])  # the chunk has four pixels
def test_fit_chunk_with_any_number_of_ranks_gives_equal_arrays(tmp_path, serial, n_ranks):
    done = start(n_ranks, tmp_path / "chunk.npz", "--ranks", n_ranks)
    assert done.returncode == 0, done.stderr
    shared = np.load(tmp_path / "chunk.npz")
    assert set(shared) == set(serial)
    assert shared["ipix"].tolist() == [28, 29, 30, 31]
    assert all(shared[name].tobytes() == serial[name].tobytes() for name in serial)


@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize("fault", ["raise", "kill", "stop"])
def test_job_when_one_rank_fails_in_the_middle_ends_within_seconds(tmp_path, fault, rank):
    start_s = time.monotonic()
    faulty = ("--fault", fault, "--faulty-rank", rank)
    done = start(2, tmp_path / "chunk.npz", "--ranks", 2, *faulty)
    assert done.returncode != 0
    assert (
        time.monotonic() - start_s < 45
    )  # start-up of two ranks on a busy machine, 2 s of silence
    output = done.stderr + done.stdout
    said = {
        "raise": f"chunk 7, rank {rank} of 2 on .*: rank told to fail",
        "kill": "KILLED BY SIGNAL: 9|EXIT CODE: 9",  # a killed process says nothing; mpiexec does
        "stop": f"chunk 7, rank {1 - rank} of 2 on .*: rank {rank} of 2 on .* no sign of life",
    }
    assert re.search(said[fault], output), output
    assert not (tmp_path / "chunk.npz").exists()


@pytest.mark.parametrize("rank", [0, 1])
def test_job_when_one_rank_does_not_come_ends_at_the_time_limit(tmp_path, rank):
    done = start(2, tmp_path / "chunk.npz", "--ranks", 2, "--fault", "late", "--faulty-rank", rank)
    assert done.returncode != 0
    assert re.search(r"Timeout \(0:00:05\)!.*in open_comm", done.stderr, re.DOTALL), done.stderr


def test_memory_that_ranks_share_has_no_name_that_a_killed_one_could_leave(tmp_path):
    output = start(2, tmp_path / "chunk.npz", "--ranks", 2).stdout
    names = re.findall(r"/dev/shm/mpich_shm_\w+( \(deleted\))?", output)
    assert len(names) >= 2  # one per rank, as long as MPICH calls them so
    assert all(names), output


def test_job_when_launcher_and_ranks_differ_ends_with_the_reason(tmp_path):
    done = start(1, tmp_path / "chunk.npz", "--ranks", 2, launcher=False)
    assert done.returncode != 0
    assert "1 MPI ranks, expected 2" in done.stderr
    assert not (tmp_path / "chunk.npz").exists()
