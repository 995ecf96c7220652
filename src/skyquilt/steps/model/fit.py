"""Step `model fit`: one fit of the model of an analysis."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from skyquilt.config import Config, get_analysis
from skyquilt.config.model import ModelOptions
from skyquilt.errors import ConfigError
from skyquilt.inference.climb import Status
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.model.file import read_fit, read_fit_of, write_fit
from skyquilt.model.fit import Fit, fit
from skyquilt.model.layer import Layer
from skyquilt.model.problem import ModelProblem, read_model_problem
from skyquilt.model.problems import CellLikelihood
from skyquilt.model.result import Found, find
from skyquilt.model.shared import OwnCells, SharedCells
from skyquilt.model.split import fit_split
from skyquilt.products import fit_files
from skyquilt.runs.answers import answer_from, of_fit
from skyquilt.steps.model.build import Built, build, fit_of, model_of

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

logger = logging.getLogger(__name__)


def fit_model(
    config: Config, name: str, fit_name: str, folder: str | Path, comm: "Comm | None" = None
) -> None:
    """Make one fit of the model of an analysis.

    Parameters
    ----------
    config : Config
        The configuration.
    name : str
        Name of the analysis.
    fit_name : str
        Name of the fit.
    folder : str or Path
        Folder of the model: problem.h5 and earlier fits are read from it, NAME.h5 is written there,
        with its tables NAME.ecsv and NAME-bins.ecsv. The summary of the map, where a source starts
        at the best position, lies beside the folder.
    comm : mpi4py.MPI.Comm, optional
        Ranks that share the time bins; rank 0 writes. None is one process.

    Raises
    ------
    ConfigError
        If there is no such fit, or a parameter is not possible.
    ProductError
        If what it needs is not there or does not fit.
    """
    clock = start_clock()
    analysis, folder = get_analysis(config, name), Path(folder)
    options = model_of(analysis)
    own = fit_of(options, fit_name)
    path, summary = folder / "problem.h5", folder.parent / "summary.json"
    problem = read_model_problem(path)
    built = build(analysis, fit_name, problem, summary)
    if comm is not None and comm.Get_rank() > 0:
        OwnCells(_cell_likelihood(built), comm).serve(comm)
        return
    earlier = own.start_from
    start = None
    read: dict[str, Path] = {"model_problem": path}
    if earlier is not None:
        read["model_fits"] = folder / f"{earlier}.h5"
        before = read_fit_of(read["model_fits"], problem.identity, path)
        start = start_from(built.posterior.layer, before)
    if options.starts_at_best:
        read["localisation"] = summary
    answers = of_fit(answer_from(config, name, "model_fits", **read), fit_name)
    with _sharing(built, comm):
        made, is_free = make_fit(built, problem, start)
        found = find(
            *(made, problem),
            is_free=is_free,
            cl=analysis.fit.confidence_level,
            profile=own.errors == "profile",
        )
    _log(fit_name, found)
    settings = {"fit": fit_name, "model": answers["settings"]["model"]}
    inputs = tuple(map(str, read.values()))
    provenance = Provenance("model fit", settings, inputs, clock=clock, answers=answers)
    write_fit(folder / f"{fit_name}.h5", found, built.recipe, problem.identity, provenance)


@contextmanager
def _sharing(built: Built, comm: "Comm | None") -> Iterator[None]:
    """Share the cells among ranks while the block runs."""
    if comm is None:
        yield
        return
    shared = SharedCells(_cell_likelihood(built), comm)
    built.posterior.likelihood = shared
    try:
        yield
    finally:
        shared.close()


def _cell_likelihood(built: Built) -> CellLikelihood:
    likelihood = built.posterior.likelihood
    assert isinstance(likelihood, CellLikelihood)
    return likelihood


def fit_models(config: Config, name: str, folder: str | Path) -> None:
    """Make all fits of the model of an analysis that are not there, each after those before it."""
    folder, made = Path(folder), set()
    options = model_of(get_analysis(config, name))
    for fit_name in options.all_orders():
        is_there = all(path.is_file() for path in fit_files(folder, fit_name))
        if not is_there or options.fits[fit_name].start_from in made:
            fit_model(config, name, fit_name, folder)
            made.add(fit_name)


def make_fit(
    built: Built, problem: ModelProblem, start: np.ndarray | None = None
) -> tuple[Fit, np.ndarray]:
    """Make a fit; and which of its free numbers have data, and were fitted.

    Raises
    ------
    ConfigError
        If the likelihood is not finite where the fit begins, or no bin has livetime.
    """
    layer = built.posterior.layer
    is_free = _has_data(layer, problem)
    do = fit_split if built.recipe.is_split else fit
    try:
        return do(built.posterior, start, is_free=is_free), is_free
    except ValueError as error:
        raise ConfigError(f"model: {error} Change starts of parameters.") from error


def _has_data(layer: Layer, problem: ModelProblem) -> np.ndarray:
    """Free numbers of which any cell has livetime."""
    exposed = problem.is_exposed
    if not np.any(exposed):
        raise ConfigError("model: no time bin has livetime: check `time_bins` and the orientation.")
    found = np.ones(layer.n_free, dtype=bool)
    for name, free in layer.free.items():
        if free.per is not None:
            members = layer.cells.axes[free.per]
            numbers = layer.numbers(name)
            found[numbers] = np.isin(np.arange(numbers.size), members[exposed])
    return found


def start_from(layer: Layer, earlier: Found) -> np.ndarray:
    """Free numbers to begin with: those of an earlier fit where it has them.

    One number for all bins begins at the mean of those of the bins, weighted by their errors; one
    for each bin at that of all.
    """
    values = {row.name: row for row in earlier.rows}
    start = layer.start.copy()
    for name in layer.free:
        numbers = layer.numbers(name)
        of_members = [values.get(layer.names[number]) for number in numbers]
        begin = [np.nan if row is None else row.value for row in of_members]
        if any(row is None for row in of_members):
            begin = [_mean(name, earlier)] * numbers.size
        begin_at = np.clip(begin, layer.lower[numbers], layer.upper[numbers])
        start[numbers] = np.where(np.isfinite(begin_at), begin_at, start[numbers])
    return start


def _mean(name: str, earlier: Found) -> float:
    """Value of a number, or the mean of its members; NaN if there is none."""
    rows = [row for row in earlier.rows if row.name == name or row.name.startswith(f"{name}[")]
    if len(rows) == 1:
        return rows[0].value
    good = [row for row in rows if row.status != str(Status.AT_BOUND) and row.error > 0]
    if not good:
        return np.nan
    weight = np.array([1 / row.error**2 for row in good])
    return float(weight @ [row.value for row in good] / weight.sum())


def _log(name: str, found: Found) -> None:
    logger.info(
        "%s: %s, ln L %.3f, %d free numbers, %d passes",
        *(name, found.status, found.log_likelihood, len(found.names), found.n_iter),
    )
    for text in found.weak:
        logger.warning("%s: not determined: %s", name, text)
    if found.status == Status.NOT_CONVERGED:
        logger.warning("%s: the fit did not converge: begin elsewhere, or free less", name)


def describe_fits(folder: Path, options: ModelOptions) -> list[str]:
    """How each fit of a model ended, in a line, and the numbers that are not of bins."""
    lines = []
    for name in options.all_orders():
        found, _ = read_fit(folder / f"{name}.h5")
        lines.append(f"  fit {name}: {found.status}, ln L {found.log_likelihood:.3f}")
        shown = [row for row in found.rows if row.kind == "free" and "[" not in row.name]
        lines += [
            f"    {row.name} {row.value:.6g} +- {row.error:.3g} {row.unit}".rstrip()
            for row in shown
        ]
    return lines
