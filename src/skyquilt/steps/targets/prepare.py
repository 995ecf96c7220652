"""Step `targets prepare`: the data of targets, all bins, in the bands that are asked for."""

from pathlib import Path

from skyquilt.config import Config
from skyquilt.config.energy import EnergySelection
from skyquilt.config.shape import Point
from skyquilt.errors import ConfigError, InputError
from skyquilt.instruments.analyses import prepare
from skyquilt.instruments.compton.table import contract_all
from skyquilt.instruments.same_counts import check_files_once
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.problem.file import write_problem
from skyquilt.products import PRODUCTS, select
from skyquilt.runs.answers import answer_from
from skyquilt.steps.targets.settings import options_of


def prepare_targets(config: Config, name: str, output: str | Path) -> None:
    """Write the fit problem of targets: points, all bins, bands of `targets.bands`.

    Raises
    ------
    ConfigError
        If the analysis has no targets, or `bands` are no bands of the data.
    InputError
        If files are damaged or do not fit each other.
    """
    clock = start_clock()
    analysis, options = options_of(config, name)
    check_files_once(analysis)
    (spectrum,), (dataset,) = analysis.all_spectra().values(), analysis.all_datasets().values()
    for asked in analysis.contracted().values():
        contract_all(list(asked.values()), config.cache)
    if options.bands != "data":
        dataset = dataset.model_copy(update={"energy": EnergySelection(bands=options.bands)})
    point = analysis.model_copy(update={"shape": Point(model="point")})
    try:
        prepared = prepare(point.ask(dataset, spectrum), config.cache, all_bins=True)
    except (ConfigError, InputError) as error:
        if options.bands == "data" or "energy.bands" not in str(error):
            raise
        raise ConfigError(str(error).replace("energy.bands", "targets.bands")) from error
    provenance = Provenance(
        "targets prepare",
        select(analysis.model_dump(mode="json"), PRODUCTS["target_problem"].sections),
        analysis.paths(),
        Path(config.cache) / "digests",
        earlier=prepared.stages,
        clock=clock,
        answers=answer_from(config, name, "target_problem"),
    )
    write_problem(output, prepared.problem, provenance)
