"""Step `sources`: the sources of a map."""

import logging
from math import nan
from pathlib import Path

import numpy as np

from skyquilt.config import Config, get_analysis
from skyquilt.config.sources import SourceOptions
from skyquilt.errors import ConfigError
from skyquilt.io.answers import check_problem
from skyquilt.io.fits import SCHEMA as MAPS
from skyquilt.io.fits_table import Column
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.localisation.systematic import systematic_error
from skyquilt.maps.file import read_skymap
from skyquilt.problem.file import check_rows, read_problem
from skyquilt.runs.answers import answer_from
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sources.catalogue.objects import read_catalogue
from skyquilt.sources.compare import compare_catalogue
from skyquilt.sources.crossmatch import find_counterparts
from skyquilt.sources.file import write_sources
from skyquilt.sources.find import find_sources
from skyquilt.sources.table import counterpart_columns, source_columns
from skyquilt.spectra.energies import flux_range
from skyquilt.spectra.integrals import mean_energy

logger = logging.getLogger(__name__)

_NAMED = 10  # objects named in a line of the log


def sources_analysis(
    config: Config,
    name: str,
    problem: str | Path,
    maps: str | Path,
    output: str | Path,
    *,
    threads: int = 1,
) -> None:
    """Write the sources of an analysis as ECSV and, beside it, as FITS."""
    clock = start_clock()
    analysis = get_analysis(config, name)
    options, level = analysis.sources, analysis.fit.flux_options["confidence_level"]
    if options is None:
        raise ConfigError(
            f"analysis {name} has no section `sources`; `sources: {{}}` takes the defaults."
        )
    inputs: tuple[str, ...] = (str(problem), str(maps))
    known = None
    if options.catalogue is not None:
        known = read_catalogue(options.catalogue)
        inputs = (*inputs, options.catalogue.path)
    check_rows(problem)
    fit_problem, (skymap, before) = read_problem(problem), read_skymap(maps, ["ts"])
    check_problem(maps, before["problem_identity"], fit_problem.identity, MAPS.made_by, problem)
    answers = answer_from(config, name, "sources", problem=problem, maps=maps)
    found = find_sources(fit_problem, skymap, options, confidence_level=level, threads=threads)
    about, wanted = fit_problem.description, analysis.localise.systematic_error
    error = systematic_error(wanted, about.response_pixel_deg, about.sharpness_deg)
    energy = nan
    if analysis.spectrum is not None:
        energy = mean_energy(analysis.spectrum, *flux_range(about._asdict()))
    columns = source_columns(found, fit_problem, options.prefix, error, energy)
    catalogue = None
    if known is not None and options.catalogue is not None:
        icrs = rotate(rotation(fit_problem.frame, "icrs"), found.position.direction)
        r95, names = (columns[name].values for name in ("r95", "name"))
        counterparts = find_counterparts(icrs, r95, known, options.catalogue.radius)
        columns |= counterpart_columns(counterparts, known)
        catalogue = compare_catalogue(fit_problem, skymap, known, found, names, options, level)
    settings = options.model_dump(mode="json") | {"confidence_level": level}
    settings["systematic_error_deg"] = error
    record = Provenance("sources", settings, inputs, clock=clock, answers=answers).record()
    record |= {"problem_identity": fit_problem.identity, "analysis": name}
    write_sources(output, columns, catalogue, record)
    logger.info("%s", describe_sources(columns, options))
    if catalogue is not None:
        logger.info("%s", describe_catalogue(catalogue))


def describe_sources(columns: dict[str, Column], options: SourceOptions) -> str:
    """How many sources there are, in one line."""
    n = columns["ts"].values.size
    line = f"{n} source{'s' * (n != 1)} above TS {options.threshold:g}"
    if n == options.max_sources:
        line += "; the search ended at `max_sources`, there may be more"
    return line


def describe_catalogue(catalogue: dict[str, Column]) -> str:
    """How many objects of the catalogue were found, and some of the others, in one line."""
    source, ts, name = (catalogue[key].values for key in ("source", "ts", "name"))
    missing = np.flatnonzero(source == "")
    missing = missing[np.argsort(-np.nan_to_num(ts[missing]), kind="stable")]
    line = (
        f"{source.size - missing.size} of {source.size} catalogue objects in the map have a source"
    )
    if missing.size:
        shown = ", ".join(f"{name[k]} (TS {ts[k]:.1f})" for k in missing[:_NAMED])
        line += f"; without: {shown}{', ...' if missing.size > _NAMED else ''}"
    return line
