"""Step `populations prepare`: the events, with what is seen at the energy of each."""

from pathlib import Path

from skyquilt.config import Config
from skyquilt.config.shape import Point
from skyquilt.config.spectrum import PowerLaw
from skyquilt.instruments.analyses import prepare
from skyquilt.instruments.same_counts import check_files_once
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.problem.file import write_problem
from skyquilt.products import PRODUCTS, select
from skyquilt.runs.answers import answer_from
from skyquilt.steps.populations.settings import options_of

REFERENCE = PowerLaw(norm="1e-12 cm-2 s-1 keV-1", pivot="1 MeV", index=-2.0)
"""Spectrum of the problem; what populations have in its place is asked at each energy."""


def prepare_populations(config: Config, name: str, output: str | Path) -> None:
    """Write the fit problem of populations: points, with nodes of true energy.

    Raises
    ------
    ConfigError
        If the analysis has no populations.
    InputError
        If files are damaged or do not fit each other.
    """
    clock = start_clock()
    analysis, _ = options_of(config, name)
    check_files_once(analysis)
    (dataset,) = analysis.all_datasets().values()
    point = analysis.model_copy(update={"shape": Point(model="point")})
    prepared = prepare(point.ask(dataset, REFERENCE), config.cache, true_energy=True)
    provenance = Provenance(
        "populations prepare",
        select(analysis.model_dump(mode="json"), PRODUCTS["population_problem"].sections),
        analysis.paths(),
        Path(config.cache) / "digests",
        earlier=prepared.stages,
        clock=clock,
        answers=answer_from(config, name, "population_problem"),
    )
    write_problem(output, prepared.problem, provenance)
