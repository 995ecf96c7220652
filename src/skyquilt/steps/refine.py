"""Step `refine`: the map made finer where the source may be."""

from pathlib import Path

import numpy as np

from skyquilt.config import Config, get_analysis
from skyquilt.errors import ProductError
from skyquilt.fit.progress import Progress
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.maps.file import read_skymap
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.multiorder_file import write_multiorder
from skyquilt.maps.refine import make_goal, refine
from skyquilt.maps.refine_fit import fit_cells
from skyquilt.maps.refine_start import start_cells
from skyquilt.problem.file import read_problem
from skyquilt.sky.pixels import nside_to_order
from skyquilt.sky.uniq import uniq_to_order


def refine_analysis(
    config: Config,
    name: str,
    problem: str | Path,
    maps: str | Path,
    output: str | Path,
    *,
    threads: int = 1,
) -> None:
    """Write the refined map of an analysis."""
    clock = start_clock()
    analysis = get_analysis(config, name)
    fit_problem, (skymap, record) = read_problem(problem), read_skymap(maps)
    _check_answers(maps, record, problem, fit_problem.identity)
    goal = make_goal(analysis.refine, analysis.localise.levels, nside_to_order(skymap.nside))

    def evaluate(uniq: np.ndarray) -> dict[str, np.ndarray]:
        return fit_cells(
            fit_problem,
            uniq,
            allow_negative=analysis.fit.allow_negative,
            threads=threads,
            on_progress=Progress(f"cells of order {uniq_to_order(uniq).max()}"),
        )

    uniq = start_cells(skymap, goal)
    cells = refine(MultiOrderMap("icrs", uniq, evaluate(uniq)), evaluate, goal)
    settings = analysis.model_dump(mode="json", include={"refine": True, "localise": {"levels"}})
    inputs = (str(problem), str(maps))
    provenance = Provenance(
        "refine", settings, inputs, earlier=tuple(record["stages"]), clock=clock
    )
    kept = {key: record[key] for key in ("problem_identity", "description")}
    write_multiorder(output, cells, provenance.record() | kept)


def _check_answers(maps: str | Path, record: dict, problem: str | Path, identity: str) -> None:
    found = record["problem_identity"]
    if found != identity:
        raise ProductError(
            f"{maps}: answers problem {found[:12]}, but {problem} is {identity[:12]}; fit the "
            "chunks and merge them again."
        )
