"""Step `fit-chunk`: fit the pixels of one chunk."""

from pathlib import Path
from typing import Any

from skyquilt.errors import ConfigError
from skyquilt.fit.chunk import fit_chunk
from skyquilt.fit.file import read_plan, write_chunk
from skyquilt.fit.progress import Progress
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.problem.file import read_problem


def fit_chunk_file(
    problem: str | Path,
    plan: str | Path,
    index: int,
    output: str | Path,
    *,
    comm: Any = None,
    threads: int = 1,
) -> None:
    """Fit one chunk and write it; with a communicator, rank 0 writes."""
    clock = start_clock()
    n_ranks = 1 if comm is None else comm.size
    provenance = Provenance("fit", {"chunk": index}, (str(plan),), n_ranks=n_ranks, clock=clock)
    fit_problem, fit_plan = read_problem(problem), read_plan(plan)
    if index not in fit_plan.chunks:
        raise ConfigError(
            f"{plan}: no chunk {index} with pixels to fit; there are {fit_plan.chunks}."
        )
    progress = Progress(f"chunk {index} of {fit_plan.n_chunks}") if _is_first(comm) else None
    result = fit_chunk(
        fit_problem, fit_plan, index, comm=comm, threads=threads, on_progress=progress
    )
    if result is not None:
        write_chunk(output, fit_plan, index, result, provenance)


def _is_first(comm: Any) -> bool:
    return comm is None or comm.rank == 0
