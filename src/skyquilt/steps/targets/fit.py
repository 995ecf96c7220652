"""Step `targets fit`: the targets of one job."""

import logging
from pathlib import Path

from skyquilt.config import Config
from skyquilt.errors import ProductError
from skyquilt.io.answers import check_problem
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.io.target_files import SCHEMA as PLAN
from skyquilt.problem.file import read_problem
from skyquilt.runs.answers import answer_from
from skyquilt.sky.frames import rotate, rotation
from skyquilt.steps.targets.settings import around_of, options_of
from skyquilt.steps.targets.shapes import Shapes
from skyquilt.targets.files import BASELINE, read_baseline, read_seds, write_seds
from skyquilt.targets.fit import TargetResult, fit_target
from skyquilt.targets.plan import read_plan
from skyquilt.targets.scene import Scene

logger = logging.getLogger(__name__)


def fit_targets(
    config: Config, name: str, job: int, folder: str | Path, output: str | Path
) -> None:
    """Fit the targets of a job.

    Parameters
    ----------
    config : Config
        The configuration.
    name : str
        Name of the analysis.
    job : int
        Number of the job.
    folder : str or Path
        Folder of the targets: problem.h5, baseline.h5 and plan.json are read from it.
    output : str or Path
        File to write.

    Raises
    ------
    ProductError
        If there is no such job, or what is read does not belong together.
    """
    clock = start_clock()
    analysis, options = options_of(config, name)
    problem_path, baseline, plan_path = (
        Path(folder, file) for file in ("problem.h5", "baseline.h5", "plan.json")
    )
    plan = read_plan(plan_path)
    numbers = plan.job(job)
    read = {
        "target_problem": problem_path,
        "target_baseline": baseline,
        "target_list": plan_path,
    }
    answers = answer_from(config, name, "target_seds", **read)
    problem = read_problem(problem_path)
    check_problem(plan_path, plan.problem_identity, problem.identity, PLAN.made_by, problem_path)
    neighbours, of_baseline = read_baseline(baseline)
    check_problem(baseline, of_baseline, problem.identity, BASELINE.made_by, problem_path)
    scene, shapes = Scene(problem, neighbours), Shapes(problem)
    around = around_of(analysis, options, problem)
    turn = rotation("icrs", problem.frame)
    results: list[TargetResult] = []
    for number in numbers:
        one = plan.targets.fits[number]
        direction = rotate(turn, one.direction[None])[0]
        results.append(fit_target(scene, shapes[one.shape], direction, around))
    provenance = Provenance(
        "targets fit", plan.settings, tuple(map(str, read.values())), clock=clock, answers=answers
    )
    write_seds(output, plan.identity, results, provenance)
    names = [plan.targets.fits[number].name for number in numbers]
    own = [
        f"{name} ({', '.join(one.own)})"
        for name, one in zip(names, results, strict=True)
        if one.own
    ]
    logger.info("%d targets in %d bands", len(results), problem.bands.n_band)
    if own:
        logger.info("%d are a listed source, which left the model: %s", len(own), ", ".join(own))


def fit_all_targets(config: Config, name: str, folder: str | Path) -> None:
    """Make the jobs that are not there, or answer another plan."""
    plan = read_plan(Path(folder, "plan.json"))
    for job, path in plan.files(Path(folder, "seds")).items():
        if not is_fitted(path, plan.identity):
            fit_targets(config, name, job, folder, path)


def is_fitted(path: Path, plan_identity: str) -> bool:
    """Whether the fits of a job are there, whole, and of the plan."""
    try:
        read_seds(path, plan_identity)
    except ProductError:
        return False
    return True
