"""Step `run`: a whole analysis in one process, by the same steps as the workflow."""

import json
import time
from collections.abc import Callable
from pathlib import Path

from skyquilt.config import Config, get_analysis
from skyquilt.fit.file import read_plan
from skyquilt.sky.chunks import chunk_name
from skyquilt.steps.contract import contract_analysis
from skyquilt.steps.fit_chunk import fit_chunk_file
from skyquilt.steps.localise import localise_analysis
from skyquilt.steps.merge import merge_files
from skyquilt.steps.plan import plan_analysis
from skyquilt.steps.prepare import prepare_analysis
from skyquilt.steps.refine import refine_analysis
from skyquilt.steps.sources import sources_analysis


def run_analysis(config: Config, name: str, threads: int) -> dict[str, float]:
    """Make all files of `results/{name}/` but the plots.

    Parameters
    ----------
    config : Config
        The configuration.
    name : str
        Name of the analysis.
    threads : int
        Threads that fit pixels.

    Returns
    -------
    dict of str to float
        Wall time of each step [s].
    """
    folder = Path(config.results) / name
    problem, plan = folder / "problem.h5", folder / "plan.json"
    maps, refined = folder / "maps.fits", folder / "refined.fits"
    chunks: list[Path] = []

    def fit() -> None:
        made = read_plan(plan)
        for index in made.chunks:
            chunks.append(folder / "chunks" / chunk_name(index, made.n_chunks))
            fit_chunk_file(problem, plan, index, chunks[-1], threads=threads)

    steps: dict[str, Callable[[], None]] = {
        "contract": lambda: contract_analysis(config, name, folder / "table.json"),
        "prepare": lambda: prepare_analysis(config, name, problem),
        "plan": lambda: plan_analysis(config, name, problem, plan),
        "fit": fit,
        "merge": lambda: merge_files(problem, plan, chunks, maps),
        "refine": lambda: refine_analysis(config, name, problem, maps, refined, threads=threads),
        "localise": lambda: localise_analysis(config, name, problem, maps, refined, folder),
        "sources": lambda: sources_analysis(
            config, name, problem, maps, folder / "sources.ecsv", threads=threads
        ),
    }
    analysis = get_analysis(config, name)
    if not analysis.contracted_parts():
        del steps["contract"]
    if analysis.sources is None:
        del steps["sources"]
    return {step: _timed(do) for step, do in steps.items()}


def _timed(do: Callable[[], None]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def describe_result(config: Config, name: str) -> str:
    """Best position and credible regions of an analysis that has run, in one line."""
    path = Path(config.results) / name / "summary.json"
    summary = json.loads(path.read_text(encoding="utf-8"))
    best = summary["best"]
    if best is None:
        return f"{name}: no pixel prefers a source -> {path}"
    position = ", ".join(
        f"{frame} {best[frame]['lon']:.2f} {best[frame]['lat']:+.2f} deg"
        for frame in ("galactic", "icrs")
    )
    regions = ", ".join(
        f"{100 * region['level']:g} % within {region['area_deg2']:.4g} deg2"
        for region in summary["credible"]
    )
    return f"{name}: TS {best['ts']:.1f} at {position}; {regions} -> {path}"
