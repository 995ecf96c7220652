"""Step `targets baseline`: fluxes of all listed sources together, in each band."""

import logging
from pathlib import Path

import numpy as np

from skyquilt.config import Config
from skyquilt.config.sources import Catalogue
from skyquilt.errors import ConfigError
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.problem.file import check_rows, read_problem
from skyquilt.runs.answers import answer_from
from skyquilt.sky.frames import lonlat_to_vec, rotate, rotation
from skyquilt.sources.catalogue.objects import read_catalogue
from skyquilt.sources.file import read_sources
from skyquilt.steps.targets.settings import neighbours_of, options_of
from skyquilt.targets.files import write_baseline
from skyquilt.targets.neighbours import fit_baseline

logger = logging.getLogger(__name__)


def fit_baseline_of(
    config: Config,
    name: str,
    problem: str | Path,
    output: str | Path,
    sources: str | Path | None = None,
) -> None:
    """Write the fluxes of the neighbours of targets.

    Parameters
    ----------
    config : Config
        The configuration.
    name : str
        Name of the analysis.
    problem : str or Path
        `targets/problem.h5`.
    output : str or Path
        File to write.
    sources : str or Path, optional
        `sources.fits`, where neighbours are those of the analysis.
    """
    clock = start_clock()
    analysis, options = options_of(config, name)
    check_rows(problem)
    fit_problem = read_problem(problem)
    inputs: tuple[str, ...] = (str(problem),)
    where = neighbours_of(analysis, options)
    read: dict[str, str | Path] = {"target_problem": problem}
    names, icrs = np.empty(0, dtype=str), np.empty((0, 3))
    if isinstance(where, Catalogue):
        known = read_catalogue(where)
        names, icrs, inputs = known.name, known.direction, (*inputs, where.path)
    elif where == "sources":
        if sources is None:
            raise ConfigError("neighbours are those of `sources`: give sources.fits (`--sources`).")
        found, _ = read_sources(sources)
        names, icrs = found["name"], lonlat_to_vec(found["ra"], found["dec"])
        inputs, read = (*inputs, str(sources)), read | {"sources": sources}
    answers = answer_from(config, name, "target_baseline", **read)
    directions = rotate(rotation("icrs", fit_problem.frame), icrs)
    neighbours = fit_baseline(fit_problem, names, directions)
    logger.info(
        "%d of %d listed sources are in the data; their fluxes in %d bands",
        *(len(neighbours.name), len(names), fit_problem.bands.n_band),
    )
    settings = {"neighbours": where if isinstance(where, str) else where.model_dump(mode="json")}
    provenance = Provenance("targets baseline", settings, inputs, clock=clock, answers=answers)
    write_baseline(output, neighbours, fit_problem.identity, provenance)
