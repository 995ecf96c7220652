"""Step `prepare`: an instrument's files into a fit problem."""

import logging
from dataclasses import replace
from pathlib import Path

from skyquilt.config import Config, get_analysis
from skyquilt.config.analysis import Analysis
from skyquilt.config.units import to_value
from skyquilt.errors import ConfigError
from skyquilt.instruments.analyses import prepare
from skyquilt.instruments.compton.table import contract_all
from skyquilt.instruments.same_counts import check_counts_once, check_files_once
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.problem.file import write_problem
from skyquilt.problem.joint import energy_hull, join
from skyquilt.problem.problem import FitProblem
from skyquilt.problem.templates import join_templates
from skyquilt.products import PRODUCTS, select
from skyquilt.runs.answers import answer_from
from skyquilt.spectra import doubts, integrate

logger = logging.getLogger(__name__)


def prepare_analysis(
    config: Config, name: str, output: str | Path, *, all_bins: bool = False
) -> None:
    """Write the fit problem of an analysis; makes its tables first if the cache has none.

    With `all_bins` the bins without counts are kept, which makes it a model of the sky.
    """
    clock = start_clock()
    analysis = get_analysis(config, name)
    warn_of_spectra(name, analysis)
    check_files_once(analysis)
    for part in analysis.contracted_parts().values():
        contract_all(list(part.templates().values()), config.cache)
    stages, problems = [], {}
    for template, one in analysis.templates().items():
        parts = {
            dataset: prepare(part, config.cache, all_bins=all_bins)
            for dataset, part in one.parts().items()
        }
        stages += [stage for part in parts.values() for stage in part.stages]
        by_name = {dataset: part.problem for dataset, part in parts.items()}
        if not problems:
            check_counts_once(one, by_name)
        problems[template] = _in_flux_range(one, _join_datasets(one, by_name))
    provenance = Provenance(
        "prepare",
        select(analysis.model_dump(mode="json"), PRODUCTS["problem"].sections),
        analysis.paths(),
        Path(config.cache) / "digests",
        earlier=tuple(stages),
        clock=clock,
        answers=answer_from(config, name, "model" if all_bins else "problem"),
    )
    is_one = analysis.spectra is None
    write_problem(output, problems[""] if is_one else join_templates(problems), provenance)


def warn_of_spectra(name: str, analysis: Analysis) -> None:
    """Warn of spectra of an analysis that are likely meant otherwise."""
    for template, one in analysis.templates().items():
        if doubt := doubts(one.spectrum):
            key = f"spectra.{template}" if template else "spectrum"
            logger.warning("analysis %s, %s: %s", name, key, doubt)


def _in_flux_range(analysis: Analysis, problem: FitProblem) -> FitProblem:
    """The problem with the reference spectrum integrated where photon fluxes are asked for."""
    if analysis.flux_range is None:
        return problem
    low, high = (to_value(energy, "keV") for energy in analysis.flux_range)
    try:
        photon_flux = float(integrate(analysis.spectrum, [low, high])[0])
    except ConfigError as error:
        raise ConfigError(f"flux_range: {error}") from error
    return replace(
        problem,
        photon_flux=photon_flux,
        description=problem.description._replace(flux_range_keV=(low, high)),
    )


def _join_datasets(analysis: Analysis, problems: dict[str, FitProblem]) -> FitProblem:
    if analysis.datasets is None:
        return problems[""]
    return join(problems, float(integrate(analysis.spectrum, energy_hull(problems))[0]))
