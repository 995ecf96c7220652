"""Steps `simulate-skies` and `calibrate`: what simulated skies say of an analysis."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from skyquilt.calibration.file import (
    KINDS,
    Kind,
    merge_skies,
    sort_skies,
    write_calibration,
    write_skies,
    write_summary,
)
from skyquilt.calibration.skies import (
    Grid,
    InjectedSkies,
    NullSkies,
    choose_fluxes,
    fit_data,
    make_grid,
    simulate_injected,
    simulate_null,
)
from skyquilt.calibration.summary import summarise_injected, summarise_null
from skyquilt.config import Config, get_analysis
from skyquilt.config.analysis import Analysis
from skyquilt.config.calibrate import CalibrateOptions
from skyquilt.config.map import PixelList
from skyquilt.errors import ConfigError
from skyquilt.fit.progress import Progress
from skyquilt.io.digest import settings_digest
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.problem.file import check_rows, read_problem
from skyquilt.problem.problem import FitProblem
from skyquilt.runs.answers import answer_from
from skyquilt.steps.plan import region_ranges


def simulate_skies_file(
    config: Config, name: str, model: str | Path, kind: Kind, index: int, output: str | Path
) -> None:
    """Simulate the skies of one job and write them."""
    clock = start_clock()
    analysis = get_analysis(config, name)
    options = get_options(analysis, name)
    numbers = _numbers(options, kind, index)
    answers = answer_from(config, name, "skies", model=model)
    problem = read_problem(model)
    grid = _grid(problem, analysis, options)
    progress = Progress(f"{kind} skies, job {index} of {options.n_jobs(kind)}", unit="skies")
    skies: NullSkies | InjectedSkies
    if kind == "null":
        skies = simulate_null(problem, grid, options.seed, numbers, progress)
    else:
        fluxes = choose_fluxes(options.fluxes, fit_data(problem, grid))
        skies = simulate_injected(problem, grid, options.seed, numbers, fluxes, progress)
    settings = options.model_dump(mode="json") | {"kind": kind, "index": index}
    provenance = Provenance("simulate-skies", settings, (str(model),), clock=clock, answers=answers)
    write_skies(output, skies, kind, numbers, _identity(problem, analysis, options), provenance)


def calibrate_files(
    config: Config,
    name: str,
    model: str | Path,
    paths: Sequence[str | Path],
    output: str | Path,
    table: str | Path,
) -> None:
    """Write the numbers (`output`, JSON) and all skies (`table`, HDF5) of an analysis."""
    clock = start_clock()
    analysis = get_analysis(config, name)
    options = get_options(analysis, name)
    answers = answer_from(config, name, "calibration", model=model)
    check_rows(model)
    problem = read_problem(model)
    grid = _grid(problem, analysis, options)
    identity = _identity(problem, analysis, options)
    skies, stages = {}, []
    by_kind = sort_skies(paths)
    for kind in KINDS:
        skies[kind], times = merge_skies(by_kind[kind], kind, options.n_skies(kind), identity)
        stages += times
    data = fit_data(problem, grid)
    provenance = Provenance(
        "calibrate", options.model_dump(mode="json"), (str(model),), clock=clock, answers=answers
    )
    content: dict[str, Any] = {
        "analysis": name,
        "nside": grid.nside,
        "null": summarise_null(cast("NullSkies", skies["null"]), data, options.seed),
        "injected": summarise_injected(
            cast("InjectedSkies", skies["injected"]), options.detection_ts, analysis.localise.levels
        ),
        "simulation_cpu_s": round(sum(stage["cpu_s"] for stage in stages), 3),
    }
    write_calibration(table, skies, provenance)
    content["provenance"] = provenance.record()
    write_summary(output, content)


def get_options(analysis: Analysis, name: str) -> CalibrateOptions:
    """Section `calibrate` of an analysis.

    Raises
    ------
    ConfigError
        If there is none.
    """
    if analysis.calibrate is None:
        raise ConfigError(f"analysis {name} has no section `calibrate`: add `calibrate: {{}}`.")
    return analysis.calibrate


def _grid(problem: FitProblem, analysis: Analysis, options: CalibrateOptions) -> Grid:
    nside = options.nside or analysis.map.nside
    if nside != analysis.map.nside and isinstance(analysis.map.region, PixelList):
        raise ConfigError(
            f"calibrate.nside {nside}: `map.region` lists pixels of nside {analysis.map.nside}; "
            "leave calibrate.nside out, or give the region as a cone or polygon."
        )
    grid = analysis.map.model_copy(update={"nside": nside})
    free = analysis.fit.background == "free"
    return make_grid(problem, nside, grid.frame, region_ranges(grid), free_background=free)


def _numbers(options: CalibrateOptions, kind: Kind, index: int) -> range:
    n_jobs, n_skies = options.n_jobs(kind), options.n_skies(kind)
    if not 0 <= index < n_jobs:
        raise ConfigError(f"job {index} of {kind} skies: there are 0 to {n_jobs - 1}.")
    start = index * options.skies_per_job
    return range(start, min(start + options.skies_per_job, n_skies))


def _identity(problem: FitProblem, analysis: Analysis, options: CalibrateOptions) -> str:
    """Digest of all that a sky depends on; how they are shared among jobs is not."""
    settings = options.model_dump(mode="json", exclude={"skies_per_job", "detection_ts"})
    grid = analysis.map.model_dump(mode="json", exclude={"ordering"})
    return settings_digest(
        {
            "model": problem.identity,
            "calibrate": settings,
            "map": grid,
            "background": analysis.fit.background,
        }
    )
