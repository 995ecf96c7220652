"""Steps `refine` and `plan-refinement`: the map made finer where the source may be."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from skyquilt.config import Config, get_analysis
from skyquilt.config.analysis import Analysis
from skyquilt.fit.file import check_plan, read_plan, write_plan
from skyquilt.fit.plan import Plan, empty_plan, make_plan
from skyquilt.fit.progress import Progress
from skyquilt.io.answers import check_problem
from skyquilt.io.fits import SCHEMA as MAPS
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.likelihood.options import FluxOptions
from skyquilt.localisation.refine.cells import Goal, make_goal
from skyquilt.localisation.refine.fit import fit_cells
from skyquilt.localisation.refine.start import start_cells
from skyquilt.localisation.refine.steps import map_to_cells, next_pixels, refine_map
from skyquilt.localisation.systematic import systematic_error
from skyquilt.maps.file import read_skymap
from skyquilt.maps.merge import merge_chunks
from skyquilt.maps.multiorder_file import write_multiorder
from skyquilt.problem.file import read_problem
from skyquilt.problem.problem import FitProblem
from skyquilt.problem.templates import photon_fluxes
from skyquilt.runs.answers import answer_from
from skyquilt.sky.pixels import nside_to_order
from skyquilt.sky.regions import ranges_from_ipix
from skyquilt.sky.uniq import uniq_to_order


class _Known(NamedTuple):
    """What a refinement starts from.

    Attributes
    ----------
    problem : FitProblem
        The problem.
    goal : Goal
        When to split and when to stop.
    start : ndarray of int64, shape (n,)
        UNIQ of the cells to begin with.
    parts : list of tuple
        UNIQ and columns of the cells of each step that was fitted in chunks.
    record : dict
        Provenance of the maps.
    stages : list of dict
        Times of the stages so far.
    """

    problem: FitProblem
    goal: Goal
    start: np.ndarray
    parts: list[tuple[np.ndarray, dict[str, np.ndarray]]]
    record: dict[str, Any]
    stages: list[dict[str, Any]]


def refine_analysis(
    config: Config,
    name: str,
    problem: str | Path,
    maps: str | Path,
    output: str | Path,
    *,
    steps: Sequence[str | Path] = (),
    threads: int = 1,
) -> None:
    """Write the refined map of an analysis.

    `steps` are the plans whose chunks were fitted before; what they leave is fitted here.
    """
    clock = start_clock()
    analysis = get_analysis(config, name)
    known = _read(analysis, problem, maps, steps)
    read = {"problem": problem, "maps": maps, "steps": tuple(steps)}
    answers = answer_from(config, name, "refined", **read)

    def evaluate(uniq: np.ndarray) -> dict[str, np.ndarray]:
        return fit_cells(
            known.problem,
            uniq,
            FluxOptions(**analysis.fit.flux_options),
            threads=threads,
            on_progress=Progress(f"cells of order {uniq_to_order(uniq).max()}"),
        )

    cells = refine_map(known.start, evaluate, known.goal, known.parts)
    inputs = (str(problem), str(maps), *map(str, steps))
    provenance = Provenance(
        "refine",
        _settings(analysis),
        inputs,
        earlier=tuple(known.stages),
        clock=clock,
        answers=answers,
    )
    kept = {key: known.record[key] for key in ("problem_identity", "description")}
    write_multiorder(output, cells, provenance.record() | kept)


def plan_refinement(
    config: Config,
    name: str,
    problem: str | Path,
    maps: str | Path,
    output: str | Path,
    *,
    steps: Sequence[str | Path] = (),
) -> None:
    """Write the plan of the next step of a refinement in chunks; one without chunks is the end."""
    clock = start_clock()
    analysis = get_analysis(config, name)
    known = _read(analysis, problem, maps, steps)
    read = {"problem": problem, "maps": maps, "steps": tuple(steps)}
    answers = answer_from(config, name, "steps", **read)
    provenance = Provenance(
        "plan-refinement",
        _settings(analysis),
        (str(problem), str(maps), *map(str, steps)),
        clock=clock,
        answers=answers,
    )
    order, ipix = next_pixels(known.start, known.parts, known.goal)
    plan = empty_plan(known.problem)
    if ipix.size:
        plan = make_plan(
            known.problem,
            nside=1 << order,
            ordering="nested",
            frame="icrs",
            ranges=ranges_from_ipix(ipix),
            options=FluxOptions(**analysis.fit.flux_options),
        )
    write_plan(output, plan, provenance)


def _settings(analysis: Analysis) -> dict[str, Any]:
    """What of the configuration a refinement depends on."""
    return analysis.model_dump(
        mode="json", include={"refine": True, "localise": {"levels", "systematic_error"}}
    )


def _read(
    analysis: Analysis, problem: str | Path, maps: str | Path, steps: Sequence[str | Path]
) -> _Known:
    fit_problem, (skymap, record) = read_problem(problem), read_skymap(maps, ["ts"])
    check_problem(maps, record["problem_identity"], fit_problem.identity, MAPS.made_by, problem)
    localise, about = analysis.localise, fit_problem.description
    error = systematic_error(
        localise.systematic_error, about.response_pixel_deg, about.sharpness_deg
    )
    goal = make_goal(
        *(analysis.refine, localise.levels, nside_to_order(skymap.nside)),
        *(error, about.sharpness_deg),
    )
    parts, stages = [], list(record["stages"])
    for step in steps:
        plan = read_plan(step)
        check_plan(step, plan, problem, fit_problem, "skyquilt plan-refinement")
        if not plan.chunks:  # the end
            continue
        merged = merge_chunks(step_chunks(step, plan), plan, photon_fluxes(fit_problem))
        parts.append(map_to_cells(merged.skymap))
        stages.append(merged.stage | {"stage": f"fit, order {nside_to_order(plan.nside)}"})
    return _Known(fit_problem, goal, start_cells(skymap, goal), parts, record, stages)


def step_chunks(step: str | Path, plan: Plan) -> list[Path]:
    """Chunk files of a step that are there: those of `refine/0.json` lie in `refine/0/`."""
    files = plan.chunk_files(Path(step).with_suffix("")).values()
    return [file for file in files if file.exists()]
