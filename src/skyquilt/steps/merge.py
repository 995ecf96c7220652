"""Step `merge`: chunks into maps of the whole region."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from skyquilt.fit.file import check_plan, read_plan
from skyquilt.fit.progress import Progress
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.maps.file import write_parts
from skyquilt.maps.merge import read_parts, sum_stages
from skyquilt.maps.skymap import SkyMap
from skyquilt.problem.file import check_rows, read_problem, read_record
from skyquilt.problem.templates import photon_fluxes
from skyquilt.runs.answers import answer_of_same


def merge_files(
    problem: str | Path, plan: str | Path, chunks: Sequence[str | Path], output: str | Path
) -> None:
    """Verify the chunks and write the maps, one chunk after the other."""
    clock = start_clock()
    fit_problem, fit_plan = read_problem(problem), read_plan(plan)
    check_plan(plan, fit_plan, problem, fit_problem)
    check_rows(problem)
    stages = []

    def parts() -> Iterator[SkyMap]:
        progress = Progress("merge", unit="chunks")
        for part in read_parts(chunks, fit_plan, photon_fluxes(fit_problem)):
            stages.append(part.stage)
            yield part.skymap
            progress(len(stages), len(chunks))

    def record() -> dict[str, Any]:
        before = read_record(problem)
        provenance = Provenance(
            "merge",
            before["settings"],
            (str(problem), str(plan)),
            earlier=(*before["stages"], sum_stages(stages)),
            clock=clock,
            answers=answer_of_same("maps", plan),
        )
        return provenance.record() | {
            "problem_identity": fit_problem.identity,
            "description": fit_problem.description._asdict(),
        }

    about = (fit_plan.nside, fit_plan.ordering, fit_plan.frame, fit_plan.ranges)
    write_parts(output, *about, parts(), record)
