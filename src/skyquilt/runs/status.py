"""How far a run is: chunks done, running, waiting, failed; rate and time left.

Everything is read from files and SLURM's queue, so it can be asked at any time, from anywhere.
"""

from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from skyquilt.runs.jobs import Job
from skyquilt.runs.tree import Folder

WINDOW_S = 3600.0
"""The rate is that of the chunks finished in the hour before the last one."""


class ChunkState(StrEnum):
    """State of a chunk."""

    DONE = "done"
    RUNNING = "running"
    QUEUED = "queued"
    FAILED = "failed"
    WAITING = "waiting"


class AnalysisStatus(NamedTuple):
    """Status of an analysis.

    Attributes
    ----------
    name : str
        Name of the analysis.
    stage : str
        What comes next: the first product that is not there, or "finished".
    chunks : dict of ChunkState to int
        Number of chunks in each state; empty before there is a plan.
    failed : list of str
        Chunks whose last attempt failed, with the last line of its log.
    finished_s : list of float
        When each chunk was finished [UNIX s], ascending.
    """

    name: str
    stage: str
    chunks: dict[ChunkState, int]
    failed: list[str]
    finished_s: list[float]


def read_status(folder: Folder, jobs: list[Job], is_claimed: bool) -> AnalysisStatus:
    """Status of one analysis.

    Parameters
    ----------
    folder : Folder
        Its files.
    jobs : list of Job
        Jobs in the queue.
    is_claimed : bool
        Whether a driver is at work; without one, no chunk that is not in the queue is running.
    """
    name = folder.path.name
    queue = {job.task: job.state for job in jobs}
    chunks = dict.fromkeys(ChunkState, 0) if folder.plan is not None else {}
    failed, finished_s = [], []
    for stem, path in folder.chunks.items():
        index, n_chunks = stem.split("-of-")
        state = queue.get(f"rule_fit_chunk_wildcards_{name}_{index}_{n_chunks}")
        chunk, last_line = _state(path, folder.path / f"logs/fit_chunk/{stem}.log", state)
        if chunk is ChunkState.RUNNING and state is None and not is_claimed:
            chunk = ChunkState.WAITING
        chunks[chunk] += 1
        if chunk is ChunkState.DONE:
            finished_s.append(path.stat().st_mtime)
        elif chunk is ChunkState.FAILED:
            failed.append(f"{stem}: {last_line}")
    return AnalysisStatus(name, _stage(folder), chunks, failed, sorted(finished_s))


def chunks_per_second(finished_s: list[float]) -> float:
    """Rate of the last hour of work, 0 if it cannot be told yet.

    Examples
    --------
    >>> chunks_per_second([100.0, 110.0, 120.0])
    0.1
    """
    recent = [stamp for stamp in sorted(finished_s) if stamp >= max(finished_s) - WINDOW_S]
    if len(recent) < 2 or recent[-1] == recent[0]:
        return 0.0
    return (len(recent) - 1) / (recent[-1] - recent[0])


def _state(path: Path, log: Path, queued: str | None) -> tuple[ChunkState, str]:
    """State of a chunk, and the last line of its log if that tells of a failure."""
    if path.is_file():
        return ChunkState.DONE, ""
    if queued is not None:
        return (ChunkState.QUEUED if queued == "PENDING" else ChunkState.RUNNING), ""
    if not log.is_file():
        return ChunkState.WAITING, ""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    wrong = [line for line in lines if "error" in line.lower()]
    return (ChunkState.FAILED, wrong[-1]) if wrong else (ChunkState.RUNNING, "")


def _stage(folder: Folder) -> str:
    """What comes next: the first product that is not there."""
    chunks = set(folder.chunks.values())
    for path in folder.wanted:
        if not path.is_file():
            return "chunks" if path in chunks else path.relative_to(folder.path).as_posix()
    return "finished"
