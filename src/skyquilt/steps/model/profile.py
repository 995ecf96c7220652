"""Step `model profile`: profiles of the likelihood along numbers of a fit."""

import logging
from pathlib import Path

import numpy as np

from skyquilt.config import Config, get_analysis
from skyquilt.errors import ConfigError
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.model.profiles import ProfilePart, profile_part, write_profile
from skyquilt.products import part_file
from skyquilt.steps.model.build import fit_of, model_of
from skyquilt.steps.model.made import read_answering

logger = logging.getLogger(__name__)

_BETTER = -0.01  # 2 ln L: a profile that is above its fit by more has found another maximum


def profile_model(
    config: Config, name: str, fit_name: str, part: int, of: int, folder: str | Path
) -> None:
    """Make some of the points of the profiles of a fit.

    Parameters
    ----------
    config : Config
        The configuration.
    name : str
        Name of the analysis.
    fit_name : str
        Name of the fit.
    part, of : int
        Which part of the points, from 1, and how many parts there are.
    folder : str or Path
        Folder of the model: problem.h5 and NAME.h5 are read from it, NAME/profile-i-of-n.h5 is
        written there.

    Raises
    ------
    ConfigError
        If the fit asks for no profile, or for one of something else than a free number.
    ProductError
        If what it needs is not there or does not fit.
    """
    clock = start_clock()
    folder = Path(folder)
    names = fit_of(model_of(get_analysis(config, name)), fit_name).profile
    if not names:
        raise ConfigError(
            f"fit {fit_name} asks for no profiles: give it `profile`, a list of free numbers."
        )
    made, answers = read_answering(config, name, "model_profiles", fit_name, folder)
    try:
        points = profile_part(made, names, part, of)
    except ValueError as error:
        raise ConfigError(f"model, fit {fit_name}, {error}.") from error
    _log(fit_name, points)
    provenance = Provenance(
        "model profile",
        *({"fit": fit_name, "profile": list(names)}, (str(folder / "problem.h5"),)),
        clock=clock,
        answers=answers,
    )
    write_profile(part_file(folder, fit_name, "profile", part, of), points, provenance)


def _log(fit_name: str, points: ProfilePart) -> None:
    logger.info(
        "%s: part %d of %d of the profiles, %d points",
        *(fit_name, points.part, points.of, points.value.size),
    )
    if n_open := int(np.count_nonzero(np.isnan(points.fall))):
        logger.warning("%s: %d points of the profiles did not converge", fit_name, n_open)
    for number in np.unique(points.number[points.fall < _BETTER]).tolist():
        logger.warning(
            "%s: the profile of %s has a larger likelihood than the fit: begin the fit elsewhere",
            *(fit_name, points.names[number]),
        )
