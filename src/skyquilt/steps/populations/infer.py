"""Step `populations infer`: fractions and parameters, best ones and posterior, of each model."""

import logging
from pathlib import Path
from typing import Any

import numpy as np

from skyquilt.config import Config
from skyquilt.config.populations import PopulationOptions
from skyquilt.io.json_file import read_json, write_json
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.populations.estimate import Estimate, estimate
from skyquilt.populations.file import read_densities, write_posteriors
from skyquilt.populations.mixture import Mixture
from skyquilt.populations.posterior import Posterior, sample
from skyquilt.populations.summary import SCHEMA, summarise
from skyquilt.runs.answers import answer_from
from skyquilt.steps.populations.settings import options_of

logger = logging.getLogger(__name__)

ALL = "all"
"""Name of the model of all populations."""
_FEW = 0.05  # effective draws over draws, below which the posterior is not known well


def infer(config: Config, name: str, folder: str | Path) -> None:
    """Write `populations.json` and `posterior.h5`.

    Parameters
    ----------
    config : Config
        The configuration.
    name : str
        Name of the analysis.
    folder : str or Path
        Folder of the populations: densities.h5 is read from it, the others are written there.

    Raises
    ------
    InputError
        If two populations are the same to the data, or a model does not cover all events.
    """
    clock, folder = start_clock(), Path(folder)
    _, options = options_of(config, name)
    path = folder / "densities.h5"
    mixture, problem_identity, identity = read_densities(path)
    answers = answer_from(config, name, "population_fits", densities=path)
    content: dict[str, Any] = {}
    drawn: dict[str, tuple[Mixture, Posterior]] = {}
    for model, names in ({ALL: mixture.names} | options.compare).items():
        some = mixture.select(names)
        best, posterior = _infer(some, options)
        content[model] = summarise(some, best, posterior)
        drawn[model] = some, posterior
        _tell(model, some, best, posterior)
    for one in content.values():
        one["ln_bayes_factor"] = one["ln_evidence"] - content[ALL]["ln_evidence"]
    settings = options.model_dump(mode="json", include={"alpha", "compare", "posterior"})
    provenance = Provenance(
        "populations infer", settings, (str(path),), clock=clock, answers=answers
    )
    write_posteriors(folder / "posterior.h5", drawn, identity, provenance)
    whole = {
        "analysis": name,
        "problem_identity": problem_identity,
        "densities_identity": identity,
        "models": content,
        "provenance": provenance.record(),
    }
    write_json(folder / "populations.json", SCHEMA, whole)


def describe_fractions(folder: Path) -> list[str]:
    """Fractions and parameters of all populations, a line for each."""
    model = read_json(folder / "populations.json", SCHEMA)["models"][ALL]
    lines = []
    for name, one in model["populations"].items():
        error = "" if one["fraction_err"] is None else f" +- {one['fraction_err']:.2g}"
        lines.append(f"  {name:12} {one['fraction']:.4g}{error} of {model['n_events']:g} events")
    for name, one in model["parameters"].items():
        if one["value"] is not None:
            error = "" if one["error"] is None else f" +- {one['error']:.2g}"
            lines.append(f"  {name:12} {one['value']:.6g}{error}")
    return lines


def _infer(mixture: Mixture, options: PopulationOptions) -> tuple[Estimate, Posterior]:
    best = estimate(mixture)
    alpha = np.array(options.alphas(mixture.names))
    how = options.posterior
    posterior = sample(
        *(mixture, alpha, best.fraction, best.parameter), draws=how.draws, seed=how.seed
    )
    return best, posterior


def _tell(model: str, mixture: Mixture, best: Estimate, posterior: Posterior) -> None:
    found = ", ".join(
        f"{name} {fraction:.4g} +- {error:.2g}"
        for name, fraction, error in zip(
            mixture.names, best.fraction, best.fraction_err, strict=True
        )
    )
    logger.info("model %s: %s; ln evidence %.2f", model, found, posterior.ln_evidence)
    if posterior.effective < _FEW * len(posterior.weight):
        logger.warning(
            "model %s: %.0f effective of %d draws: the posterior is not known well; raise "
            "`populations.posterior.draws`, or leave out a population that the data do not show",
            *(model, posterior.effective, len(posterior.weight)),
        )
