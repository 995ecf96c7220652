"""Step `model plot`: the figures of the fits of a model."""

import logging
from pathlib import Path
from typing import Any

from skyquilt.config import Config, get_analysis
from skyquilt.errors import ProductError
from skyquilt.io.listing import write_listing
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.model.made import read_made_fit
from skyquilt.model.profiles import join_profiles
from skyquilt.model.samples_file import read_samples
from skyquilt.plots.style import ENDINGS, save_all
from skyquilt.products import files_of_fit, sample_files
from skyquilt.runs.answers import answer_from
from skyquilt.steps.model.build import model_of
from skyquilt.steps.model.figures import Drawn, draw_figures

logger = logging.getLogger(__name__)


def plot_model(config: Config, name: str, folder: str | Path) -> None:
    """Draw the fits of a model, each figure as PNG and PDF.

    Samples and profiles that a fit asks for and that are not there are left out.

    Parameters
    ----------
    config : Config
        The configuration.
    name : str
        Name of the analysis.
    folder : str or Path
        Folder of the model with problem.h5 and all fits; the figures are written to plots/ in it.

    Raises
    ------
    ProductError
        If a fit is missing, or what there is does not fit it.
    """
    clock = start_clock()
    folder, options = Path(folder), model_of(get_analysis(config, name))
    fits: list[Drawn] = []
    read: dict[str, list[Path]] = {"model_fits": [], "model_samples": [], "model_profiles": []}
    for fit in options.all_orders():
        made = read_made_fit(folder, fit)
        of_samples = sample_files(folder, fit)[0]
        has_samples = options.fits[fit].sample is not None and of_samples.is_file()
        parts = files_of_fit(folder, "model_profiles", fit) if options.fits[fit].profile else []
        samples = read_samples(of_samples, made.identity) if has_samples else None
        fits.append(Drawn(fit, made, samples, join_profiles(parts, made.identity)))
        read["model_fits"].append(folder / f"{fit}.h5")
        read["model_samples"] += [of_samples] * has_samples
        read["model_profiles"] += parts
    files: dict[str, Any] = {key: tuple(paths) for key, paths in read.items()}
    answers = answer_from(config, name, "model_plots", **files)
    inputs = (
        str(folder / "problem.h5"),
        *(str(path) for paths in files.values() for path in paths),
    )
    provenance = Provenance("model plot", {}, inputs, clock=clock, answers=answers)
    output = folder / "plots"
    written = save_all(draw_figures(name, options, fits), output, provenance)
    if not written:
        raise ProductError(f"{folder}: no fits: there is nothing to draw.")
    write_listing(output, written, provenance)
    logger.info("%d figures are in %s", len(written) // len(ENDINGS), output)
