"""Step `targets list`: all targets of the rosters, and how their fits are shared among jobs."""

import logging
from pathlib import Path

import numpy as np

from skyquilt.config import Config
from skyquilt.io.answers import check_problem
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.problem.file import read_problem
from skyquilt.runs.answers import answer_from
from skyquilt.sky.frames import rotate, rotation, separation
from skyquilt.status import GOOD, TARGET_STATUS_NAMES
from skyquilt.steps.targets.settings import around_of, fit_settings, options_of, read_rosters
from skyquilt.steps.targets.shapes import Shapes, check_widths
from skyquilt.targets.files import BASELINE, read_baseline
from skyquilt.targets.listing import TargetFit, list_targets
from skyquilt.targets.plan import TargetPlan, choose_n_jobs, write_plan, write_target_table

logger = logging.getLogger(__name__)

_NAMED = 5  # names in a line of the log


def list_targets_of(
    config: Config, name: str, problem: str | Path, baseline: str | Path, folder: str | Path
) -> None:
    """Write `targets.ecsv` and `plan.json`.

    Parameters
    ----------
    config : Config
        The configuration.
    name : str
        Name of the analysis.
    problem, baseline : str or Path
        `targets/problem.h5` and `targets/baseline.h5`.
    folder : str or Path
        Folder to write to.

    Raises
    ------
    ConfigError, InputError
        If rosters, profiles or backgrounds are not possible.
    """
    clock = start_clock()
    analysis, options = options_of(config, name)
    targets = list_targets(options, read_rosters(options))
    fit_problem = read_problem(problem)
    neighbours, of_baseline = read_baseline(baseline)
    check_problem(baseline, of_baseline, fit_problem.identity, BASELINE.made_by, problem)
    read = {"target_problem": problem, "target_baseline": baseline}
    answers = answer_from(config, name, "target_list", **read)
    around = around_of(analysis, options, fit_problem)
    check_widths(targets.fits, float(np.degrees(around.radius)))
    directions = rotate(
        rotation("icrs", fit_problem.frame), np.array([one.direction for one in targets.fits])
    )
    exposure, status = np.zeros(len(directions)), np.zeros(len(directions), np.uint8)
    shapes = Shapes(fit_problem)
    for number, one in enumerate(targets.fits):
        block = shapes[one.shape].block(directions[number : number + 1])
        exposure[number], status[number] = block.total[0], block.status[0]
    exposure /= fit_problem.bands.integrals.photon_flux.sum()
    n_near = [
        int(np.sum(np.radians(separation(neighbours.direction, one)) < around.radius))
        for one in directions
    ]
    _log(targets.fits, status)
    n_jobs = choose_n_jobs(len(directions), fit_problem.bands.n_band, options.targets_per_job)
    plan = TargetPlan(fit_problem.identity, targets, n_jobs, fit_settings(analysis, options))
    provenance = Provenance(
        "targets list",
        options.model_dump(mode="json"),
        (str(problem), str(baseline), *options.paths()),
        clock=clock,
        answers=answers,
    )
    names = [TARGET_STATUS_NAMES[int(value)] for value in status]
    record = provenance.record() | {"problem_identity": fit_problem.identity}
    write_target_table(
        Path(folder, "targets.ecsv"), targets, exposure, np.array(n_near), names, record
    )
    write_plan(Path(folder, "plan.json"), plan, provenance)


def _log(fits: tuple[TargetFit, ...], status: np.ndarray) -> None:
    outside = [one.name for one, value in zip(fits, status, strict=True) if value != GOOD]
    logger.info("%d fits of targets with a profile", len(fits))
    if outside:
        more = f" and {len(outside) - _NAMED} more" if len(outside) > _NAMED else ""
        logger.warning(
            "%d of them lie where the data see nothing: %s%s",
            *(len(outside), ", ".join(outside[:_NAMED]), more),
        )
