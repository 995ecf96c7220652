"""Step `targets plot`: figures of the spectra of targets."""

import logging
from pathlib import Path

from astropy.table import Table

from skyquilt.config import Config
from skyquilt.io.inspect import inspect_file
from skyquilt.io.listing import write_listing
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.plots.style import ENDINGS, save_all
from skyquilt.problem.file import read_problem
from skyquilt.runs.answers import answer_from
from skyquilt.steps.targets.figures import draw_targets
from skyquilt.steps.targets.settings import options_of
from skyquilt.targets.drawn import choose_drawn
from skyquilt.targets.files import join_seds, read_seds
from skyquilt.targets.plan import read_plan

logger = logging.getLogger(__name__)


def plot_targets(config: Config, name: str, folder: str | Path) -> None:
    """Draw the spectra that `plots` asks for, each figure as PNG and PDF.

    Parameters
    ----------
    config : Config
        The configuration.
    name : str
        Name of the analysis.
    folder : str or Path
        Folder of the targets with their spectra; the figures are written to plots/ in it.

    Raises
    ------
    InputError
        If no roster has a target that is named in `plots`.
    ProductError
        If what is read is missing or damaged, or does not belong together.
    """
    clock, folder = start_clock(), Path(folder)
    _, options = options_of(config, name)
    plan = read_plan(folder / "plan.json")
    files = tuple(plan.files(folder / "seds").values())
    fitted = join_seds([read_seds(path, plan.identity) for path in files])
    table = folder / "spectra.ecsv"
    inspect_file(table)
    answers = answer_from(config, name, "target_plots", seds=folder / "seds.fits")
    numbers = choose_drawn(options.plots.castro, plan.targets, fitted.numbers["ts"])
    bands = read_problem(folder / "problem.h5").bands
    provenance = Provenance(
        *("targets plot", {}, tuple(map(str, (*files, table)))), clock=clock, answers=answers
    )
    figures = draw_targets(plan.targets, fitted, bands, Table.read(table), numbers)
    written = save_all(figures, folder / "plots", provenance)
    write_listing(folder / "plots", written, provenance)
    logger.info("%d figures are in %s", len(written) // len(ENDINGS), folder / "plots")
