"""Jobs in SLURM's queue."""

import pytest

from skyquilt.errors import RunError
from skyquilt.runs.jobs import Job, list_jobs, parse_jobs

QUEUE = """\
11|RUNNING|n1|/home/me/run|rule_fit_chunk_wildcards_burst_000_003
12|PENDING||/home/me/run|group_maps
13|RUNNING|n2|/home/me/other|rule_fit_chunk_wildcards_burst_001_003
14|RUNNING|n2|/home/me/run|(null)
15|RUNNING|n2|/home/me/run|rule_odd|name
"""


def test_jobs_are_those_of_the_plugin_in_the_working_directory():
    assert parse_jobs(QUEUE, "/home/me/run") == [
        Job("11", "RUNNING", "n1", "rule_fit_chunk_wildcards_burst_000_003"),
        Job("12", "PENDING", "", "group_maps"),
        Job("15", "RUNNING", "n2", "rule_odd|name"),
    ]


@pytest.fixture
def squeue(tmp_path, monkeypatch):
    """Write a program `squeue` that stands first on PATH."""

    def write(script):
        program = tmp_path / "squeue"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    return write


def test_list_jobs_asks_squeue(squeue, tmp_path):
    squeue(f"echo '11|RUNNING|n1|{tmp_path.resolve()}|rule_simulate'")
    assert list_jobs(tmp_path) == [Job("11", "RUNNING", "n1", "rule_simulate")]


def test_list_jobs_when_slurm_does_not_answer_matters_only_if_it_has_to(squeue):
    squeue("echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1")
    assert list_jobs() == []
    with pytest.raises(RunError, match="squeue does not answer: slurm_load_jobs error: Unable"):
        list_jobs(is_needed=True)


def test_list_jobs_without_slurm(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert list_jobs() == []
    with pytest.raises(RunError, match="squeue"):
        list_jobs(is_needed=True)
