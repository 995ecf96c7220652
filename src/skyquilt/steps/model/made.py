"""Fits that were made, as what follows from them reads them."""

from pathlib import Path
from typing import Any

from skyquilt.config import Config
from skyquilt.model.made import MadeFit, read_made_fit
from skyquilt.runs.answers import answer_from, of_fit


def read_answering(
    config: Config, name: str, product: str, fit_name: str, folder: Path
) -> tuple[MadeFit, dict[str, Any]]:
    """A fit, and what a product of it answers.

    Parameters
    ----------
    config : Config
        The configuration.
    name : str
        Name of the analysis.
    product : str
        What is made from the fit, one of `skyquilt.products.OF_FITS`.
    fit_name : str
        Name of the fit.
    folder : Path
        Folder of the model: problem.h5 and NAME.h5 are read from it.

    Raises
    ------
    ProductError
        If one of them is missing or damaged, of other settings, or of another measurement.
    """
    problem, fit = folder / "problem.h5", folder / f"{fit_name}.h5"
    answers = answer_from(config, name, product, model_problem=problem, model_fits=fit)
    return read_made_fit(folder, fit_name), of_fit(answers, fit_name)
