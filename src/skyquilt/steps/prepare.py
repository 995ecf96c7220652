"""Step `prepare`: an instrument's files into a fit problem."""

from pathlib import Path

from skyquilt.config import Config, get_analysis
from skyquilt.instruments.compton.measurement import read_measurement
from skyquilt.instruments.compton.prepare import make_problem
from skyquilt.instruments.compton.table import check_table, contract, table_stages
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.problem.file import write_problem


def prepare_analysis(config: Config, name: str, output: str | Path) -> None:
    """Write the fit problem of an analysis; makes its table first if the cache has none."""
    clock = start_clock()
    analysis = get_analysis(config, name)
    measurement = read_measurement(analysis)
    table = contract(analysis, config.cache)
    check_table(table)
    provenance = Provenance(
        "prepare",
        analysis.model_dump(mode="json", include={"instrument", "data", "energy", "spectrum"}),
        analysis.data.paths(),
        Path(config.cache) / "digests",
        earlier=table_stages(table),
        clock=clock,
    )
    write_problem(output, make_problem(analysis, measurement, table), provenance)
