"""Jobs in SLURM's queue that belong to a run: those that the plugin of Snakemake has submitted.

The plugin names rule and wildcards in the comment of each job, as
`rule_fit_chunk_wildcards_burst_000_003`.
"""

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

from skyquilt.errors import RunError

_FIELDS = "%i|%T|%N|%Z|%k"
_LIMIT_S = 60.0


class Job(NamedTuple):
    """A job that waits or runs.

    Attributes
    ----------
    id : str
        Number of the job.
    state : str
        As SLURM calls it: PENDING, RUNNING, ...
    nodes : str
        Where it runs.
    task : str
        Rule and wildcards.
    """

    id: str
    state: str
    nodes: str
    task: str


def list_jobs(workdir: str | Path = ".", *, is_needed: bool = False) -> list[Job]:
    """Jobs that were submitted from a working directory.

    Parameters
    ----------
    workdir : str or Path
        Where the run was started.
    is_needed : bool
        Whether SLURM has to answer; otherwise there are no jobs where it does not.

    Raises
    ------
    RunError
        If it has to and does not.
    """
    command = ["squeue", "--noheader", f"--user={os.geteuid()}", f"--format={_FIELDS}"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_LIMIT_S, check=False
        )
        problem = done.stderr if done.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as error:
        problem = str(error)
    if not problem:
        return parse_jobs(done.stdout, str(Path(workdir).resolve()))
    if is_needed:
        raise RunError(f"squeue does not answer: {' '.join(problem.split())}.")
    return []


def parse_jobs(text: str, workdir: str) -> list[Job]:
    """Jobs of a working directory in squeue's output."""
    rows = [line.split("|", 4) for line in text.splitlines() if line.count("|") >= 4]
    return [
        Job(number, state, nodes, comment)
        for number, state, nodes, folder, comment in rows
        if folder == workdir and comment.startswith(("rule_", "group_"))
    ]
