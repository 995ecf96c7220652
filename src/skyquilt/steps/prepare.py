"""Step `prepare`: an instrument's files into a fit problem."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

from skyquilt.config import Config, get_analysis
from skyquilt.config.analysis import Analysis
from skyquilt.config.spectrum import Spectrum
from skyquilt.config.units import to_value
from skyquilt.errors import ConfigError
from skyquilt.instruments.analyses import prepare
from skyquilt.instruments.compton.table import contract_all
from skyquilt.instruments.same_counts import check_counts_once, check_files_once
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.problem.file import write_problem
from skyquilt.problem.join import energy_range, join
from skyquilt.problem.problem import FitProblem
from skyquilt.problem.templates import join_templates
from skyquilt.products import PRODUCTS, select
from skyquilt.runs.answers import answer_from
from skyquilt.spectra import doubts, integrate

logger = logging.getLogger(__name__)


def prepare_analysis(
    config: Config,
    name: str,
    output: str | Path,
    *,
    all_bins: bool = False,
    true_energy: bool = False,
) -> None:
    """Write the fit problem of an analysis; makes its tables first if the cache has none.

    With `all_bins` the bins without counts are kept, which makes it a model of the sky; with
    `true_energy` what there is per node of true energy is, for questions whose spectra vary.
    """
    clock = start_clock()
    analysis = get_analysis(config, name)
    warn_of_spectra(name, analysis)
    check_files_once(analysis)
    for asked in analysis.contracted().values():
        contract_all(list(asked.values()), config.cache)
    stages: list[dict[str, Any]] = []
    problems: dict[str, FitProblem] = {}
    for key, spectrum in analysis.all_spectra().items():
        prepared = {
            dataset: prepare(
                analysis.ask(one, spectrum),
                config.cache,
                all_bins=all_bins,
                true_energy=true_energy,
            )
            for dataset, one in analysis.all_datasets().items()
        }
        stages += [stage for one in prepared.values() for stage in one.stages]
        by_dataset = {dataset: one.problem for dataset, one in prepared.items()}
        if not problems:
            check_counts_once(analysis, by_dataset)
        problem = by_dataset[""] if analysis.datasets is None else _join(by_dataset, spectrum)
        problems[key] = _in_flux_range(analysis.flux_range, spectrum, problem)
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
    for spectrum_name, spectrum in analysis.all_spectra().items():
        if doubt := doubts(spectrum):
            key = f"spectra.{spectrum_name}" if spectrum_name else "spectrum"
            logger.warning("analysis %s, %s: %s", name, key, doubt)


def _in_flux_range(
    flux_range: tuple[str, str] | None, spectrum: Spectrum, problem: FitProblem
) -> FitProblem:
    """The problem with the reference spectrum integrated where photon fluxes are asked for."""
    if flux_range is None:
        return problem
    low, high = (to_value(energy, "keV") for energy in flux_range)
    try:
        photon_flux = float(integrate(spectrum, [low, high])[0])
    except ConfigError as error:
        raise ConfigError(f"flux_range: {error}") from error
    return replace(
        problem,
        photon_flux=photon_flux,
        description=problem.description._replace(flux_range_keV=(low, high)),
    )


def _join(problems: dict[str, FitProblem], spectrum: Spectrum) -> FitProblem:
    return join(problems, float(integrate(spectrum, energy_range(problems))[0]))
