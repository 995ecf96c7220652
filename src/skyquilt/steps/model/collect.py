"""Step `model collect`: the fits of a model side by side, and compared; ensembles joined."""

import logging
from pathlib import Path
from typing import Any

from skyquilt.config import Config, get_analysis
from skyquilt.io.json_file import read_json, write_json
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.io.schema import Schema
from skyquilt.model.comparison import n_free
from skyquilt.model.file import read_fit_of
from skyquilt.model.made import read_made_fit
from skyquilt.model.problem import read_model_problem
from skyquilt.model.samples import join_ensembles
from skyquilt.model.samples_file import write_samples, write_summary
from skyquilt.products import part_file, sample_files
from skyquilt.runs.answers import answer_from, of_fit
from skyquilt.steps.model.build import model_of
from skyquilt.steps.model.compare import answer_questions
from skyquilt.steps.model.sample import samples_of

logger = logging.getLogger(__name__)

# 1.0  first version
SCHEMA = Schema("skyquilt/model-comparison", "1.0", "skyquilt model collect")


def collect_model(config: Config, name: str, folder: str | Path) -> None:
    """Write comparison.json of a model beside its fits.

    Parameters
    ----------
    config : Config
        The configuration.
    name : str
        Name of the analysis.
    folder : str or Path
        Folder of the model with problem.h5 and all fits.

    Raises
    ------
    ConfigError
        If a question does not fit its fit.
    ProductError
        If a fit is missing, or of another measurement.
    """
    clock = start_clock()
    analysis, folder = get_analysis(config, name), Path(folder)
    options, path = model_of(analysis), folder / "problem.h5"
    problem = read_model_problem(path)
    paths = {fit: folder / f"{fit}.h5" for fit in options.all_orders()}
    fits = {fit: read_fit_of(one, problem.identity, path) for fit, one in paths.items()}
    summary = str(folder.parent / "summary.json")
    content: dict[str, Any] = {
        "analysis": name,
        "problem_identity": problem.identity,
        "fits": {
            fit: {
                "status": found.status,
                "log_likelihood": found.log_likelihood,
                "log_posterior": found.log_posterior,
                "n_free": n_free(found),
                "aic": 2 * n_free(found) - 2 * found.log_posterior,
            }
            for fit, found in fits.items()
        },
        "comparisons": answer_questions(analysis, problem, fits, summary),
    }
    files = tuple(paths.values())
    read: dict[str, Path | tuple[Path, ...]] = {"model_problem": path, "model_fits": files}
    if options.starts_at_best:
        read["localisation"] = Path(summary)
    answers = answer_from(config, name, "model_comparison", **read)
    settings = {"compare": options.model_dump(mode="json")["compare"]}
    inputs = (str(path), *map(str, files))
    record = Provenance("model collect", settings, inputs, clock=clock, answers=answers).record()
    write_json(folder / "comparison.json", SCHEMA, content | {"provenance": record})
    for one in content["comparisons"]:
        logger.info("%s", describe_comparison(one))


def collect_samples(config: Config, name: str, fit_name: str, folder: str | Path) -> None:
    """Join the ensembles of a fit: NAME-samples.h5, and NAME-samples.ecsv with what they say.

    Parameters
    ----------
    config : Config
        The configuration.
    name : str
        Name of the analysis.
    fit_name : str
        Name of the fit.
    folder : str or Path
        Folder of the model with problem.h5, the fit and its ensembles.

    Raises
    ------
    ConfigError
        If the fit asks for no samples.
    ProductError
        If an ensemble is missing, cut short or of another fit, or they have not converged.
    """
    clock = start_clock()
    folder, options = Path(folder), samples_of(config, name, fit_name)
    n = options.ensembles
    paths = tuple(part_file(folder, fit_name, "ensemble", k, n) for k in range(1, n + 1))
    there = tuple(path for path in paths if path.is_file())
    answers = answer_from(config, name, "model_samples", model_ensembles=there)
    made = read_made_fit(folder, fit_name)
    has_data = made.found.is_free
    names = [one for one, is_free in zip(made.layer.names, has_data, strict=True) if is_free]
    samples = join_ensembles(there, made.identity, names, options.burn, options.max_r_hat)
    provenance = Provenance(
        "model collect",
        {"fit": fit_name, "sample": options.model_dump()},
        (str(folder / "problem.h5"), *map(str, paths)),
        clock=clock,
        answers=of_fit(answers, fit_name),
    )
    of_samples, of_summary = sample_files(folder, fit_name)
    write_samples(of_samples, samples, made.layer, made.identity, provenance)
    write_summary(of_summary, samples, {"fit_identity": made.identity}, provenance.record())
    found = samples.summarise()
    logger.info(
        "%s: %d draws, split R-hat up to %.3f, effective sizes from %.0f",
        *(fit_name, len(samples.flat), found.r_hat.max(), found.n_effective.min()),
    )


def describe_comparison(one: dict[str, Any]) -> str:
    """A comparison in one line.

    Examples
    --------
    >>> describe_comparison(
    ...     {"fits": ["pulse", "joint"], "ts": 20.1, "dof": 17, "p_value": 0.27, "note": ""}
    ... )
    'pulse and joint: 2 delta ln L 20.10 for 17, p-value 0.27'
    """
    p_value = "" if one["p_value"] is None else f", p-value {one['p_value']:.2g}"
    note = f"; {one['note']}" if one["note"] else ""
    return (
        f"{' and '.join(one['fits'])}: 2 delta ln L {one['ts']:.2f} for {one['dof']}{p_value}{note}"
    )


def read_comparison(folder: Path) -> dict[str, Any]:
    """Fits of a model and their comparisons, as `collect_model` wrote them.

    Raises
    ------
    ProductError
        If the file is missing or damaged.
    """
    return read_json(folder / "comparison.json", SCHEMA)


def describe_comparisons(folder: Path) -> list[str]:
    """Comparisons of a model, a line each."""
    comparisons = read_comparison(folder)["comparisons"]
    return [f"  {describe_comparison(one)}" for one in comparisons]
