"""Several MPI ranks on one node: time, memory, and the rows that each of them touches."""

import json
import subprocess
import sys
import tempfile
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from dc2 import burst_problem, sky_problem, wide_problem
from measuring import MPIEXEC, Figure, below, speedup

from skyquilt.fit.file import read_plan, write_plan
from skyquilt.fit.plan import Plan, make_plan
from skyquilt.io.provenance import Provenance
from skyquilt.problem import FitProblem
from skyquilt.problem.file import read_problem, write_problem
from skyquilt.sky.healpix import nest_to_vec

N_JOBS = 5
FAULT_BYTES = 2**16
"""Linux maps so much of a file that is in memory around each page that is touched."""
JOB = Path(__file__).parent / "rank_job.py"


class Job(NamedTuple):
    """What `rank_job.py` prints.

    Attributes
    ----------
    times : list of float
        Wall time of each fit [s].
    pss, mapped : list of int
        Proportional memory of each rank, and its part of the mapped problem [byte].
    """

    times: list[float]
    pss: list[int]
    mapped: list[int]


class Files(NamedTuple):
    """A problem and a plan on disk."""

    problem: Path
    plan: Path


def write_files(folder: Path, problem: FitProblem, nside: int, chunks: int = 1) -> Files:
    """Write a problem and the plan of a full-sky map."""
    files = Files(folder / "problem.h5", folder / "plan.json")
    write_problem(files.problem, problem, Provenance("prepare", {}, ()))
    ranges = np.array([[0, 12 * nside**2]])
    plan = make_plan(
        read_problem(files.problem),
        nside=nside,
        ordering="nested",
        frame="galactic",
        ranges=ranges,
        chunks=chunks,
    )
    write_plan(files.plan, plan, Provenance("plan", {}, ()))
    return files


def run_job(files: Files, n_ranks: int, index: int = 0, n_runs: int = 1) -> Job:
    """Fit a chunk by several ranks."""
    command = [MPIEXEC, "-n", str(n_ranks), sys.executable, str(JOB), *map(str, files)]
    done = subprocess.run(
        [*command, str(index), str(n_runs)], check=True, capture_output=True, text=True
    )
    return Job(**json.loads(done.stdout.splitlines()[-1]))


def time_two_ranks() -> list[Figure]:
    """Wall time of nside 64 by one and by two ranks, start-up left out."""
    with tempfile.TemporaryDirectory() as folder:
        one, two = rank_times(Path(folder), burst_problem(), (1, 2))
    return speedup("rank", one, two)


def rank_times(folder: Path, problem: FitProblem, ranks: tuple[int, ...]) -> list[list[float]]:
    """Wall times of nside 64 by so many ranks, jobs in turns, the first fit of each left out."""
    files = write_files(folder, problem, 64)
    jobs = [[run_job(files, n, n_runs=4).times[1:] for n in ranks] for _ in range(N_JOBS)]
    return [[*chain(*times)] for times in zip(*jobs, strict=True)]


def peakmem_ranks() -> list[Figure]:
    """Proportional memory (Pss) of all ranks, which share a table of 85 MB."""
    with tempfile.TemporaryDirectory() as folder:
        files = write_files(Path(folder), wide_problem(), 8)
        totals = {n: sum(run_job(files, n).pss) / 1e6 for n in (1, 2, 4)}
    growth = (totals[4] - totals[1]) / 3
    lines = [
        Figure(f"Pss of {n} ranks, table of 85 MB", f"{mb:.0f} MB") for n, mb in totals.items()
    ]
    return [*lines, below("growth of Pss per rank", growth, 60, "{:.0f} MB")]


def peakmem_galactic_rows() -> list[Figure]:
    """Rows of a galactic table (3072 of 27,648 bins) that a rank touches, against its chunk's."""
    with tempfile.TemporaryDirectory() as folder:
        files = write_files(Path(folder), sky_problem(), 16, chunks=12)
        problem, plan = read_problem(files.problem), read_plan(files.plan)
        chunks = [
            (rows_of(problem, plan, index), run_job(files, 1, index).mapped[0])
            for index in (0, 5, 10)
        ]
    row_bytes = 4 * problem.expectation.n_hit
    needed, touched = max(chunks, key=lambda chunk: chunk[1])
    n_runs = 1 + np.count_nonzero(np.diff(needed) > 1)
    limit = (needed.size * row_bytes + n_runs * 2 * FAULT_BYTES) / row_bytes
    return [
        Figure("galactic table, whole", f"{3072 * row_bytes / 1e6:.0f} MB, 3072 rows"),
        Figure("rows that the pixels of a chunk need, 12 chunks", f"{needed.size}"),
        below("rows that its rank holds", touched / row_bytes, limit, "{:.1f}")._replace(
            target=f"the chunk's, whole pages: ≤ {limit:.0f}"
        ),
    ]


def rows_of(problem: FitProblem, plan: Plan, index: int) -> np.ndarray:
    """Rows that have weight for the pixels of a chunk, ascending."""
    directions = nest_to_vec(plan.nside, plan.chunk_ipix(index))
    return np.unique(problem.expectation.weights(directions)[0].row)
