"""Step `prepare`: an instrument's files into a fit problem."""

from pathlib import Path
from typing import Any, NamedTuple

from skyquilt.config import Config, get_analysis
from skyquilt.config.analysis import Analysis
from skyquilt.instruments.compton.measurement import read_measurement
from skyquilt.instruments.compton.prepare import make_problem
from skyquilt.instruments.compton.table import check_table, contract, table_stages
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.problem.file import write_problem
from skyquilt.problem.joint import energy_hull, join
from skyquilt.problem.problem import FitProblem
from skyquilt.spectra import integrate

_USED = {"instrument", "data", "energy", "datasets", "spectrum"}


class _Prepared(NamedTuple):
    """Problem of one data set, and the times of the stages before."""

    problem: FitProblem
    stages: tuple[dict[str, Any], ...]


def prepare_analysis(config: Config, name: str, output: str | Path) -> None:
    """Write the fit problem of an analysis; makes its tables first if the cache has none."""
    clock = start_clock()
    analysis = get_analysis(config, name)
    parts = {dataset: _prepare(part, config.cache) for dataset, part in analysis.parts().items()}
    provenance = Provenance(
        "prepare",
        analysis.model_dump(mode="json", include=_USED),
        analysis.paths(),
        Path(config.cache) / "digests",
        earlier=tuple(stage for part in parts.values() for stage in part.stages),
        clock=clock,
    )
    problems = {dataset: part.problem for dataset, part in parts.items()}
    write_problem(output, _one_problem(analysis, problems), provenance)


def _prepare(part: Analysis, cache: str) -> _Prepared:
    measurement = read_measurement(part)
    table = contract(part, cache)
    check_table(table)
    return _Prepared(make_problem(part, measurement, table), table_stages(table))


def _one_problem(analysis: Analysis, problems: dict[str, FitProblem]) -> FitProblem:
    if analysis.datasets is None:
        return problems[""]
    return join(problems, float(integrate(analysis.spectrum, energy_hull(problems))[0]))
