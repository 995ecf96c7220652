"""Step `prepare`: an instrument's files into a fit problem."""

from pathlib import Path

from skyquilt.config import Config, get_analysis
from skyquilt.config.analysis import Analysis
from skyquilt.instruments.analyses import prepare
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.problem.file import write_problem
from skyquilt.problem.joint import energy_hull, join
from skyquilt.problem.problem import FitProblem
from skyquilt.spectra import integrate

_USED = {"instrument", "data", "energy", "datasets", "spectrum"}


def prepare_analysis(
    config: Config, name: str, output: str | Path, *, all_bins: bool = False
) -> None:
    """Write the fit problem of an analysis; makes its tables first if the cache has none.

    With `all_bins` the bins without counts are kept, which makes it a model of the sky.
    """
    clock = start_clock()
    analysis = get_analysis(config, name)
    parts = {
        dataset: prepare(part, config.cache, all_bins=all_bins)
        for dataset, part in analysis.parts().items()
    }
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


def _one_problem(analysis: Analysis, problems: dict[str, FitProblem]) -> FitProblem:
    if analysis.datasets is None:
        return problems[""]
    return join(problems, float(integrate(analysis.spectrum, energy_hull(problems))[0]))
