"""Step `run`: a whole analysis in one process, by the same steps as the workflow."""

import logging
import time
from collections.abc import Callable, Set
from pathlib import Path

from skyquilt.config import Config, get_analysis
from skyquilt.config.analysis import Analysis
from skyquilt.errors import ProductError
from skyquilt.fit.file import read_plan
from skyquilt.io.inspect import inspect_file
from skyquilt.io.target_files import planned_files
from skyquilt.maps.summary_file import read_summary, region_paths
from skyquilt.products import FOLDERS, INDEX, OF_FITS, PRODUCTS, ancestry, fit_files
from skyquilt.report.text import describe_result
from skyquilt.runs.answers import Digests, products_of
from skyquilt.runs.freshness import Stale, find_stale
from skyquilt.runs.inputs import (
    check_inputs,
    simulated_files,
    stale_binnings,
    why_simulation_is_stale,
)
from skyquilt.steps.bin_events import bin_events_file
from skyquilt.steps.contract import contract_analysis
from skyquilt.steps.fit_chunk import fit_all_chunks, is_fitted
from skyquilt.steps.localise import localise_analysis
from skyquilt.steps.merge import merge_files
from skyquilt.steps.model.check import check_models
from skyquilt.steps.model.collect import collect_model, describe_comparisons
from skyquilt.steps.model.fit import describe_fits, fit_models
from skyquilt.steps.model.prepare import prepare_model
from skyquilt.steps.plan import plan_analysis
from skyquilt.steps.populations.classify import classify_events
from skyquilt.steps.populations.infer import describe_fractions, infer
from skyquilt.steps.populations.marginalise import marginalise
from skyquilt.steps.populations.prepare import prepare_populations
from skyquilt.steps.prepare import prepare_analysis
from skyquilt.steps.refine import refine_analysis
from skyquilt.steps.settings import without_missing_skies, write_analysis_settings
from skyquilt.steps.simulate import simulate_files
from skyquilt.steps.sources import sources_analysis
from skyquilt.steps.start import set_all_stale_aside
from skyquilt.steps.targets.baseline import fit_baseline_of
from skyquilt.steps.targets.fit import fit_all_targets
from skyquilt.steps.targets.listing import list_targets_of
from skyquilt.steps.targets.merge import merge_targets
from skyquilt.steps.targets.prepare import prepare_targets

logger = logging.getLogger(__name__)


def run_analysis(
    config: Config, name: str, threads: int, until: str | None = None
) -> dict[str, float]:
    """Make all files of `results/{name}/` but the plots and the page.

    What is there, whole and answers the configuration is kept; what does not is set aside, also
    plots, page and whatever else was made from it.

    Parameters
    ----------
    config : Config
        The configuration.
    name : str
        Name of the analysis.
    threads : int
        Threads that fit pixels.
    until : str, optional
        Product to stop at, as "maps": only it and what it is made from are made.

    Returns
    -------
    dict of str to float
        Wall time of each step that was done [s].
    """
    folder = Path(config.results) / name
    steps = _steps(config, name, folder, threads)
    if until is not None:
        wanted = {until, *(item.name for item in ancestry(until))}
        steps = {product: parts for product, parts in steps.items() if product in wanted}
    check_models(config, name)
    check_inputs(config, name)
    times = make_inputs(config, name)
    write_analysis_settings(config, name)
    _set_aside(folder, _find_stale(config, name))
    made: set[str] = set()
    for product, parts in steps.items():
        before = {item.name for item in ancestry(product)}
        if before & made or not _is_whole(folder, product, get_analysis(config, name)):
            times |= {label: _timed(do) for label, do in parts.items()}
            made.add(product)
    _set_aside(folder, _followers(name, folder, made, steps.keys() | {"chunks"}))
    return times


def _steps(
    config: Config, name: str, folder: Path, threads: int
) -> dict[str, dict[str, Callable[[], object]]]:
    """Steps that make each product of the analysis, by its name in the order of making.

    Chunks are made with the maps.
    """
    problem, plan = folder / "problem.h5", folder / "plan.json"
    maps, refined = folder / "maps.fits", folder / "refined.fits"
    targets, populations = folder / "targets", folder / "populations"
    chunks: list[Path] = []

    def fit() -> None:
        chunks.extend(fit_all_chunks(problem, plan, folder / "chunks", threads=threads))

    steps: dict[str, dict[str, Callable[[], object]]] = {
        "table": {"contract": lambda: contract_analysis(config, name, folder / "table.json")},
        "problem": {"prepare": lambda: prepare_analysis(config, name, problem)},
        "plan": {"plan": lambda: plan_analysis(config, name, problem, plan)},
        "maps": {"fit": fit, "merge": lambda: merge_files(problem, plan, chunks, maps)},
        "refined": {
            "refine": lambda: refine_analysis(config, name, problem, maps, refined, threads=threads)
        },
        "localisation": {
            "localise": lambda: localise_analysis(config, name, problem, maps, refined, folder)
        },
        "sources": {
            "sources": lambda: sources_analysis(
                config, name, problem, maps, folder / "sources.ecsv", threads=threads
            )
        },
        "model_problem": {
            "prepare model": lambda: prepare_model(config, name, folder / "model" / "problem.h5")
        },
        "model_fits": {"fit model": lambda: fit_models(config, name, folder / "model")},
        "target_problem": {
            "prepare targets": lambda: prepare_targets(config, name, targets / "problem.h5")
        },
        "target_baseline": {
            "baseline": lambda: fit_baseline_of(
                *(config, name, targets / "problem.h5", targets / "baseline.h5"),
                folder / "sources.fits",
            )
        },
        "target_list": {
            "list targets": lambda: list_targets_of(
                config, name, targets / "problem.h5", targets / "baseline.h5", targets
            )
        },
        "target_seds": {"fit targets": lambda: fit_all_targets(config, name, targets)},
        "seds": {"merge targets": lambda: merge_targets(config, name, targets)},
        "population_problem": {
            "prepare populations": lambda: prepare_populations(
                config, name, populations / "problem.h5"
            )
        },
        "densities": {
            "marginalise": lambda: marginalise(
                config, name, populations / "problem.h5", populations / "densities.h5"
            )
        },
        "population_fits": {"infer": lambda: infer(config, name, populations)},
        "classes": {
            "classify": lambda: classify_events(
                config, name, populations, populations / "classes.fits"
            )
        },
        "model_comparison": {"compare": lambda: collect_model(config, name, folder / "model")},
    }
    return {item: steps[item] for item in products_of(get_analysis(config, name)) if item in steps}


def _is_whole(folder: Path, product: str, analysis: Analysis) -> bool:
    """Whether all files of a product are there and have the checksums that were written."""
    paths = [folder / file for file in PRODUCTS[product].files if file not in FOLDERS]
    if product == "model_fits":
        fits = () if analysis.model is None else analysis.model.fits
        paths = [path for fit in fits for path in fit_files(folder / "model", fit)]
    try:
        if product == "localisation":
            paths += region_paths(folder)
        if product == "target_seds":
            paths = planned_files(folder / "targets", "seds")
        if product == "seds":
            paths += planned_files(folder / "targets", "sed")
        if product == "maps":
            plan = read_plan(folder / "plan.json")
            chunks = plan.chunk_files(folder / "chunks")
            if not all(is_fitted(path, plan, index) for index, path in chunks.items()):
                return False
        for path in paths:
            inspect_file(path)
    except ProductError:
        return False
    return True


def _find_stale(config: Config, name: str) -> list[Stale]:
    """Stale products; a page without skies that were never simulated is none, `run` writes those.

    Of the reasons that a page may have another one still counts.
    """
    digests = Digests(config.cache)
    stale = find_stale(config, name, digests)
    if any(item.product == "page" for item in stale):
        with_pages = without_missing_skies(config, [name])
        others = {item.product for item in find_stale(with_pages, name, digests)}
        stale = [item for item in stale if item.product != "page" or "page" in others]
    return stale


def _followers(name: str, folder: Path, made: set[str], own: Set[str]) -> list[Stale]:
    """Products that `run` does not make, and that follow from what it has made again."""
    found = []
    for product in PRODUCTS.values():
        paths = tuple(path for content in product.contents for path in content.find(folder))
        before = {item.name for item in ancestry(product.name)}
        # chains and profiles tell of which fit they are, and another fit may be the one made again
        is_own = product.name in own or product.name in OF_FITS
        if paths and not is_own and before & made:
            found.append(Stale(name, product.name, paths, "what it is made from was made again"))
    return found


def _set_aside(folder: Path, stale: list[Stale]) -> None:
    """Set products aside, and with a page that of all analyses, which links it."""
    index = folder.parent / INDEX
    if any(item.product == "page" for item in stale) and index.is_file():
        stale = [*stale, Stale("", "index", (index,), "pages in it are stale")]
    for line in set_all_stale_aside(stale):
        logger.warning("%s", line)


def make_inputs(config: Config, name: str) -> dict[str, float]:
    """Simulate and bin the files of an analysis that the configuration makes, where it is due.

    Due is what is not there, or was made with other settings or from other events.

    Returns
    -------
    dict of str to float
        Wall time of `inputs` [s], if anything was made.
    """
    began = time.perf_counter()
    binnings, is_simulated = _inputs_due(config, name)
    if is_simulated:
        simulate_files(config)
        binnings, _ = _inputs_due(config, name)
    for key in binnings:
        bin_events_file(config, key)
    is_made = bool(binnings) or is_simulated
    return {"inputs": time.perf_counter() - began} if is_made else {}


def _inputs_due(config: Config, name: str) -> tuple[list[str], bool]:
    """Binnings to do for an analysis, and whether to simulate before."""
    needed = {Path(path) for path in config.analyses[name].paths()}
    own = {key: one for key, one in config.binning.items() if Path(one.output) in needed}
    needed |= {Path(path) for one in own.values() for path in one.paths()}
    simulated = needed & simulated_files(config)
    is_due = any(not path.is_file() for path in simulated)
    is_due = bool(simulated) and (is_due or bool(why_simulation_is_stale(config)))
    stale = dict(stale_binnings(config, Digests(config.cache))) if own else {}
    due = [key for key, one in own.items() if key in stale or not Path(one.output).is_file()]
    return due, is_due


def _timed(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def describe(config: Config, name: str) -> str:
    """Result of an analysis that has run, in a few lines."""
    folder, analysis = Path(config.results) / name, config.analyses[name]
    lines = [] if analysis.has_map else [f"{name}: {folder}"]
    if analysis.has_map:
        summary = read_summary(folder / "summary.json")
        lines.append(describe_result(summary, folder, analysis.fit.confidence_level))
    if analysis.model is not None:
        lines += describe_fits(folder / "model", analysis.model)
        lines += describe_comparisons(folder / "model")
    if analysis.populations is not None:
        lines += describe_fractions(folder / "populations")
    return "\n".join(lines)
