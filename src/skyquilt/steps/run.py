"""Step `run`: a whole analysis in one process, by the same steps as the workflow."""

import time
from collections.abc import Callable
from pathlib import Path

from skyquilt.config import Config, get_analysis
from skyquilt.io.json_file import read_json
from skyquilt.report.text import describe_result
from skyquilt.steps.bin_events import bin_events_file
from skyquilt.steps.contract import contract_analysis
from skyquilt.steps.fit_chunk import fit_all_chunks
from skyquilt.steps.localise import localise_analysis
from skyquilt.steps.merge import merge_files
from skyquilt.steps.plan import plan_analysis
from skyquilt.steps.prepare import prepare_analysis
from skyquilt.steps.refine import refine_analysis
from skyquilt.steps.settings import write_analysis_settings
from skyquilt.steps.simulate import simulate_files, simulated_files
from skyquilt.steps.sources import sources_analysis


def run_analysis(config: Config, name: str, threads: int) -> dict[str, float]:
    """Make all files of `results/{name}/` but the plots and the page.

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
        chunks.extend(fit_all_chunks(problem, plan, folder / "chunks", threads=threads))

    steps: dict[str, Callable[[], None]] = {
        "inputs": lambda: make_inputs(config, name),
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
    if all(Path(path).is_file() for path in analysis.paths()):
        del steps["inputs"]
    if not analysis.contracted_parts():
        del steps["contract"]
    if analysis.sources is None:
        del steps["sources"]
    write_analysis_settings(config, name)
    return {step: _timed(do) for step, do in steps.items()}


def make_inputs(config: Config, name: str) -> None:
    """Simulate and bin the files of an analysis that the configuration makes and are not there."""
    missing = {Path(path) for path in config.analyses[name].paths() if not Path(path).is_file()}
    binnings = [key for key, one in config.binning.items() if Path(one.output) in missing]
    events = {Path(path) for key in binnings for path in config.binning[key].paths()}
    missing |= {path for path in events if not path.is_file()}
    if missing & simulated_files(config):
        simulate_files(config)
    for key in binnings:
        bin_events_file(config, key)


def _timed(do: Callable[[], None]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def describe(config: Config, name: str) -> str:
    """Result of an analysis that has run, in a few lines."""
    folder = Path(config.results) / name
    summary = read_json(folder / "summary.json", "make it again with `skyquilt localise`")
    return describe_result(summary, folder, config.analyses[name].fit.confidence_level)
