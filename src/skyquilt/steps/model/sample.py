"""Step `model sample`: one ensemble of samples of a fit."""

import logging
from pathlib import Path

from skyquilt.config import Config, get_analysis
from skyquilt.config.model_fits import SampleOptions
from skyquilt.errors import ConfigError
from skyquilt.inference.sampler import check_walkers, import_emcee
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.model.ensembles import Task, sample_ensemble
from skyquilt.model.expanded import MAX_ERROR
from skyquilt.model.sampling import Target, make_target
from skyquilt.products import part_file
from skyquilt.steps.model.build import fit_of, model_of
from skyquilt.steps.model.made import read_answering

logger = logging.getLogger(__name__)


def sample_model(config: Config, name: str, fit_name: str, number: int, folder: str | Path) -> None:
    """Make one ensemble of samples of a fit, or go on with it.

    Parameters
    ----------
    config : Config
        The configuration.
    name : str
        Name of the analysis.
    fit_name : str
        Name of the fit.
    number : int
        Number of the ensemble, from 1.
    folder : str or Path
        Folder of the model: problem.h5 and NAME.h5 are read from it, NAME/ensemble-i-of-n.h5 is
        written there.

    Raises
    ------
    ConfigError
        If the fit asks for no such ensemble, or there are too few walkers.
    ProductError
        If what it needs is not there or does not fit.
    SkyquiltError
        If emcee is not installed.
    """
    clock = start_clock()
    import_emcee()
    folder = Path(folder)
    options = samples_of(config, name, fit_name)
    if not 1 <= number <= options.ensembles:
        raise ConfigError(
            f"ensemble {number}: fit {fit_name} has the ensembles 1 to {options.ensembles}."
        )
    made, answers = read_answering(config, name, "model_ensembles", fit_name, folder)
    try:
        check_walkers(options.walkers, int(made.found.is_free.sum()))
        target = make_target(made, options.seed)
    except ValueError as error:
        raise ConfigError(f"model, fit {fit_name}, sample: {error}.") from error
    _log(fit_name, target)
    task = Task(
        *(made.identity, *names_of(target, made.layer.names, made.layer.units)),
        *(number, options.ensembles, options.walkers, options.steps, options.seed),
    )
    settings = {"fit": fit_name, "sample": options.model_dump(), "expansion_error": target.error}
    provenance = Provenance(
        "model sample",
        *(settings, (str(folder / "problem.h5"),)),
        clock=clock,
        answers=answers,
    )
    output = part_file(folder, fit_name, "ensemble", number, options.ensembles)
    sample_ensemble(*(target.log_posterior, target.cloud, target.ranges), task, output, provenance)
    logger.info("%s: ensemble %d of %d is made", fit_name, number, options.ensembles)


def samples_of(config: Config, name: str, fit_name: str) -> SampleOptions:
    """What a fit asks for of samples.

    Raises
    ------
    ConfigError
        If there is no such fit, or it asks for none.
    """
    asked = fit_of(model_of(get_analysis(config, name)), fit_name).sample
    if asked is None:
        raise ConfigError(
            f"fit {fit_name} asks for no samples: give it `sample`, as in {{ensembles: 4}}."
        )
    return asked


def names_of(
    target: Target, names: list[str], units: list[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and units of what is sampled."""
    return tuple(names[k] for k in target.numbers), tuple(units[k] for k in target.numbers)


def _log(fit_name: str, target: Target) -> None:
    if target.error > MAX_ERROR:
        logger.warning(
            "%s: sources near their best positions are off by %.2g in ln L, above %g: exact ones "
            "are taken, which take longer",
            *(fit_name, target.error, MAX_ERROR),
        )
    elif target.error:
        logger.info(
            "%s: sources near their best positions, off by %.2g in ln L at most",
            *(fit_name, target.error),
        )
