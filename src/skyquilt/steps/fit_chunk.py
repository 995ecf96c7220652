"""Step `fit-chunk`: fit the pixels of one chunk."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skyquilt.errors import ConfigError, ProductError
from skyquilt.fit.chunk import fit_chunk
from skyquilt.fit.file import check_plan, read_chunk, read_plan, write_chunk
from skyquilt.fit.plan import Plan
from skyquilt.fit.progress import Progress
from skyquilt.io.answers import read_answers
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.io.staging import staged
from skyquilt.parallel.team import STALL_S, Team
from skyquilt.problem.file import read_problem

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

logger = logging.getLogger(__name__)


def fit_chunk_file(
    problem: str | Path,
    plan: str | Path,
    index: int,
    output: str | Path,
    *,
    comm: "Comm | None" = None,
    threads: int = 1,
    stall_s: float = STALL_S,
    scratch: str | None = None,
) -> None:
    """Fit one chunk and write it; with a communicator, all its ranks share it and rank 0 writes.

    With `scratch`, a folder on the node, the problem is copied there once for all ranks of it.
    """
    clock = start_clock()
    fit_plan = read_plan(plan)
    if not fit_plan.chunks:
        raise ProductError(f"{plan}: no pixels to fit: nothing of the refinement is left.")
    if index not in fit_plan.chunks:
        raise ConfigError(
            f"{plan}: no chunk {index} with pixels to fit; there are {fit_plan.chunks}."
        )
    with staged(problem, scratch) as copy:  # before the team begins to look for silent ranks
        team = Team(comm, stall_s=stall_s, on_progress=Progress(f"chunk {index}"))
        if team.size > 1 and team.rank == 0:
            logger.info("chunk %d: %s", index, describe_ranks(team))
        fit_problem = read_problem(copy)
        check_plan(plan, fit_plan, problem, fit_problem)
        result = fit_chunk(fit_problem, fit_plan, index, team=team, threads=threads)
    if result is not None:
        provenance = Provenance(
            "fit",
            {"chunk": index},
            (str(plan),),
            hosts=tuple(team.hosts),
            clock=clock,
            answers=_answers(plan),
        )
        write_chunk(output, fit_plan, index, result, provenance)


def fit_all_chunks(
    problem: str | Path, plan: str | Path, folder: str | Path, *, threads: int = 1
) -> list[Path]:
    """Fit all chunks of a plan in this process, one after the other; the problem is read once.

    Whole chunks of the same plan that are there are kept.

    Returns
    -------
    list of Path
        The files of the chunks, in `folder`.
    """
    fit_plan, read = read_plan(plan), read_problem(problem)
    check_plan(plan, fit_plan, problem, read)
    progress, n_done, made = Progress("fit"), 0, []
    for index, path in fit_plan.chunk_files(folder).items():
        clock = start_clock()
        made.append(path)
        if is_fitted(path, fit_plan, index):
            n_done += fit_plan.chunk_ipix(index).size
            continue
        team = Team(on_progress=_continued(progress, n_done, fit_plan.n_pixels))
        result = fit_chunk(read, fit_plan, index, team=team, threads=threads)
        assert result is not None  # this process is rank 0
        n_done += result.ipix.size
        provenance = Provenance(
            *("fit", {"chunk": index}, (str(plan),)),
            clock=clock,
            answers=_answers(plan),
        )
        write_chunk(path, fit_plan, index, result, provenance)
    return made


def is_fitted(path: Path, plan: Plan, index: int) -> bool:
    """Whether a file is the whole chunk of a plan."""
    try:
        chunk = read_chunk(path)
    except ProductError:
        return False
    return (chunk.plan_identity, chunk.index) == (plan.identity, index)


def _continued(progress: Progress, n_before: int, n_all: int) -> Callable[[int, int], None]:
    """Progress of a part as that of the whole."""
    return lambda n_done, _: progress(n_before + n_done, n_all)


def describe_ranks(team: Team) -> str:
    """Machine and process of each rank: what a launcher names when a rank is killed."""
    return ", ".join(
        f"rank {rank} on {host} (process {pid})"
        for rank, (host, pid) in enumerate(zip(team.hosts, team.pids, strict=True))
    )


def _answers(plan: str | Path) -> dict[str, Any]:
    """What a chunk answers: that which its plan does, as part of a map or of a refinement."""
    answers = read_answers(plan) or {}
    is_step = answers.get("product") == "steps"
    return answers | {"product": "steps" if is_step else "chunks"}
