"""Step `merge`: chunks into maps of the whole region."""

from collections.abc import Sequence
from pathlib import Path

from skyquilt.errors import ProductError
from skyquilt.fit.file import read_plan
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.maps.file import write_skymap
from skyquilt.maps.merge import merge_chunks
from skyquilt.problem.file import check_rows, read_problem, read_record
from skyquilt.problem.templates import photon_fluxes


def merge_files(
    problem: str | Path, plan: str | Path, chunks: Sequence[str | Path], output: str | Path
) -> None:
    """Verify all chunks and write the maps."""
    clock = start_clock()
    fit_problem, fit_plan = read_problem(problem), read_plan(plan)
    if fit_plan.problem_identity != fit_problem.identity:
        raise ProductError(
            f"{plan}: made for problem {fit_plan.problem_identity[:12]}, but {problem} is "
            f"{fit_problem.identity[:12]}; make the plan again with `skyquilt plan`."
        )
    check_rows(problem)
    merged = merge_chunks(chunks, fit_plan, photon_fluxes(fit_problem))
    before = read_record(problem)
    provenance = Provenance(
        "merge",
        before["settings"],
        (str(problem), str(plan)),
        earlier=(*before["stages"], merged.stage),
        clock=clock,
    )
    record = provenance.record() | {
        "problem_identity": fit_problem.identity,
        "description": fit_problem.description._asdict(),
    }
    write_skymap(output, merged.skymap, fit_plan.ordering, record)
