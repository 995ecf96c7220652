"""How far a run is."""

import os

import pytest

from skyquilt.runs.jobs import Job
from skyquilt.runs.status import ChunkState, chunks_per_second, read_status
from skyquilt.runs.tree import open_tree
from skyquilt.steps.status import describe_status

TASK = "rule_fit_chunk_wildcards_burst_{index:03}_003"


@pytest.fixture
def status(results):
    """Status of the first analysis, with jobs in the queue."""

    def read(*jobs, is_claimed=False):
        return read_status(open_tree(results)[0], list(jobs), is_claimed)

    return read


def chunk(results, index):
    return results / f"burst/chunks/00{index}-of-003.h5"


def write_log(results, index, text):
    path = results / f"burst/logs/fit_chunk/00{index}-of-003.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_finished_analysis(status):
    found = status()
    assert (found.name, found.stage) == ("burst", "finished")
    assert found.chunks[ChunkState.DONE] == 3
    assert sum(found.chunks.values()) == 3


def test_chunks_in_the_queue_are_queued_or_running(status, results):
    for index in range(3):
        chunk(results, index).unlink()
    jobs = [
        Job("7", "RUNNING", "n1", TASK.format(index=0)),
        Job("8", "PENDING", "", TASK.format(index=1)),
    ]
    found = status(*jobs)
    expected = {ChunkState.RUNNING: 1, ChunkState.QUEUED: 1, ChunkState.WAITING: 1}
    assert {state: number for state, number in found.chunks.items() if number} == expected
    assert found.stage == "chunks"


def test_chunk_whose_log_ends_with_an_error_has_failed(status, results):
    chunk(results, 1).unlink()
    write_log(results, 1, "12:00:00 skyquilt fit-chunk: begins\nskyquilt fit-chunk: error: full.\n")
    found = status()
    assert found.chunks[ChunkState.FAILED] == 1
    assert found.failed == ["001-of-003: skyquilt fit-chunk: error: full."]
    assert status(Job("7", "RUNNING", "n1", TASK.format(index=1))).failed == []  # tried again


def test_chunk_with_a_log_is_running_only_while_a_run_is_at_work(status, results):
    chunk(results, 1).unlink()
    write_log(results, 1, "12:00:00 skyquilt fit-chunk: chunk 1: 3/16 pixels\n")
    assert status(is_claimed=True).chunks[ChunkState.RUNNING] == 1
    assert status(is_claimed=False).chunks[ChunkState.WAITING] == 1


@pytest.mark.parametrize(
    "name", ["problem.h5", "plan.json", "maps.fits", "refined.fits", "summary.json"]
)
def test_next_is_the_first_product_that_is_not_there(status, results, name):
    (results / "burst" / name).unlink()
    assert status().stage == name


def test_rate_is_that_of_the_last_hour():
    assert chunks_per_second([]) == 0
    assert chunks_per_second([5.0]) == 0
    assert chunks_per_second([5.0, 5.0]) == 0
    assert chunks_per_second([0.0, 90000.0, 90010.0, 90020.0]) == pytest.approx(0.1)


def test_table_has_totals_rate_and_time_left(results, tmp_path):
    for index in range(2):
        os.utime(chunk(results, index), (1000.0 + 60 * index,) * 2)
    os.utime(results / "other/chunks/000-of-001.h5", (1060.0, 1060.0))
    chunk(results, 2).unlink()
    lines = describe_status(results, tmp_path).splitlines()
    assert lines[0].split() == ["analysis", "next", "chunks", *ChunkState]
    assert lines[1].split() == ["burst", "chunks", "3", "2", "0", "0", "0", "1"]
    assert lines[2].split() == ["other", "finished", "1", "1", "0", "0", "0", "0"]
    # two chunks in the minute after the first
    assert lines[3] == "3/4 chunks done, 2 chunks/min, 30 s left"
    assert lines[4] == "no run is at work here; jobs in SLURM's queue: 0"


def test_table_before_there_is_a_plan(results, tmp_path):
    (results / "burst/plan.json").unlink()
    lines = describe_status(results, tmp_path).splitlines()
    assert lines[1].split() == ["burst", "plan.json", "?", "-", "-", "-", "-", "-"]
    assert lines[3] == "1/1 chunks done, analyses not planned yet: 1"
