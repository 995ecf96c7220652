"""Step `targets merge`: fits of all jobs side by side, as tables."""

import logging
import shutil
from pathlib import Path

import numpy as np

from skyquilt.config import Config
from skyquilt.io.ecsv import write_ecsv
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.problem.file import read_problem
from skyquilt.runs.answers import answer_from
from skyquilt.steps.targets.settings import level_of, options_of
from skyquilt.targets.files import join_seds, read_seds
from skyquilt.targets.gadf import write_sed, write_seds_cube
from skyquilt.targets.plan import read_plan
from skyquilt.targets.spectra import SCHEMA as SPECTRA
from skyquilt.targets.spectra import spectrum_columns
from skyquilt.targets.table import SCHEMA, sed_columns

logger = logging.getLogger(__name__)


def merge_targets(config: Config, name: str, folder: str | Path) -> None:
    """Write `seds.ecsv`, `spectra.ecsv`, `seds.fits` and a file for each target in `sed/`.

    Parameters
    ----------
    config : Config
        The configuration.
    name : str
        Name of the analysis.
    folder : str or Path
        Folder of the targets: its problem, plan and fits are read, and the tables are written
        there.
    """
    clock, folder = start_clock(), Path(folder)
    analysis, options = options_of(config, name)
    plan = read_plan(folder / "plan.json")
    files = tuple(plan.files(folder / "seds").values())
    fitted = join_seds([read_seds(path, plan.identity) for path in files])
    problem = read_problem(folder / "problem.h5")
    answers = answer_from(
        *(config, name, "seds"), target_problem=folder / "problem.h5", target_seds=files
    )
    provenance = Provenance(
        "targets merge", plan.settings, tuple(map(str, files)), clock=clock, answers=answers
    )
    record = provenance.record() | {"problem_identity": problem.identity}
    bands, level = problem.bands, level_of(analysis, options)
    spectra = spectrum_columns(plan.targets, fitted, bands, options.spectra)
    write_ecsv(folder / "spectra.ecsv", SPECTRA, spectra, record, ())
    shutil.rmtree(folder / "sed", ignore_errors=True)
    seds = sed_columns(plan.targets, fitted, bands)
    write_ecsv(folder / "seds.ecsv", SCHEMA, seds, record, ())
    for number, one in enumerate(plan.targets.fits):
        path = folder / "sed" / plan.sed_name(number)
        write_sed(path, one.name, fitted, number, bands, level, record)
    write_seds_cube(folder / "seds.fits", plan.targets, fitted, bands, level, record)
    n_seen = int(np.sum(np.nanmax(np.nan_to_num(fitted.numbers["ts"]), axis=1) >= 25))
    logger.info("%d spectra; %d with a band of TS 25 or more", len(plan.targets.fits), n_seen)
