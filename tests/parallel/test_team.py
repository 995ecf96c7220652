"""The team, with threads as ranks; tests/mpi starts real ones."""

import os
import time

import numpy as np
import pytest

from skyquilt.errors import RunError
from skyquilt.host import host_name
from skyquilt.parallel.team import Team
from skyquilt.testing.ranks import run_ranks


@pytest.fixture(autouse=True)
def often(monkeypatch):
    """Signs of life often enough for a test."""
    monkeypatch.setattr("skyquilt.parallel.team._BEAT_S", 0.02)
    monkeypatch.setattr("skyquilt.parallel.team._POLL_S", 0.005)


def test_team_of_one_gives_arrays_and_progress_back():
    calls = []
    team = Team(on_progress=lambda *call: calls.append(call))
    team.report(3, 8)
    assert calls == [(3, 8)]
    assert [a.tolist() for a in team.gather((np.arange(2), np.arange(3)))] == [[0, 1], [0, 1, 2]]
    assert (team.hosts, team.pids) == ([host_name()], [os.getpid()])


@pytest.mark.parametrize("size", [2, 3, 7])
def test_gather_joins_in_the_order_of_ranks_on_rank_0(size):
    def work(comm):
        team = Team(comm)
        time.sleep(0.01 * (size - team.rank))  # the last rank comes first
        return team.gather((np.full(team.rank, team.rank), np.array([0.5 * team.rank])))

    first, *others = run_ranks(size, work)
    assert others == [None] * (size - 1)
    assert first[0].tolist() == [rank for rank in range(size) for _ in range(rank)]
    assert first[1].tolist() == [0.5 * rank for rank in range(size)]
    assert first[0].dtype == int


def test_progress_is_that_of_all_ranks_and_told_on_rank_0_only():
    calls = []

    def work(comm):
        team = Team(comm, on_progress=lambda *call: calls.append((comm.rank, *call)))
        for n_done in range(1, 11):
            team.report(n_done, 10)
            time.sleep(0.01)
        if team.rank == 0:
            time.sleep(0.2)  # until the others' last words have come
            team.report(10, 10)
        team.gather((np.zeros(1),))

    run_ranks(3, work)
    assert {rank for rank, *_ in calls} == {0}
    assert calls[-1] == (0, 30, 30)


@pytest.mark.parametrize("stalled", [0, 1, 2])
def test_silent_rank_is_named_by_those_who_wait_for_it(stalled):
    def work(comm):
        team = Team(comm, stall_s=0.3)
        if team.rank == stalled:
            time.sleep(1.0)
            return ""
        try:
            team.gather((np.zeros(1),))
        except RunError as error:
            return str(error)
        return "went on"

    messages = run_ranks(3, work)
    waiting = messages[0] if stalled else messages[1]
    assert waiting.startswith(f"rank {stalled} of 3 on {host_name()} (process {os.getpid()}) has")
    assert "no sign of life for 0.3 s" in waiting


def test_rank_that_reports_may_take_longer_than_the_limit():
    def work(comm):
        team = Team(comm, stall_s=0.3)
        for n_done in range(10 if team.rank == 1 else 1):
            time.sleep(0.1)
            team.report(n_done, 10)
        return team.gather((np.array([team.rank]),))

    first, *_ = run_ranks(3, work)
    assert first[0].tolist() == [0, 1, 2]


def test_host_name_is_that_of_slurm_if_there_is_one(monkeypatch):
    monkeypatch.setenv("SLURMD_NODENAME", "n7")
    assert host_name() == "n7"
    monkeypatch.delenv("SLURMD_NODENAME")
    assert host_name() == os.uname().nodename
