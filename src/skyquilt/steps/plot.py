"""Step `plot`: the figures of an analysis."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skyquilt.config import Config, get_analysis
from skyquilt.io.listing import write_listing
from skyquilt.io.provenance import Provenance
from skyquilt.localisation.file import SKYMAP
from skyquilt.maps.file import read_skymap
from skyquilt.maps.multiorder_file import read_multiorder
from skyquilt.maps.summary_file import read_summary
from skyquilt.plots import DRAWN, make_plots
from skyquilt.problem.file import read_problem
from skyquilt.problem.fitted_counts import with_fitted_counts
from skyquilt.problem.problem import CountsSpectrum, FitProblem
from skyquilt.runs.answers import answer_from
from skyquilt.sky.frames import lonlat_to_vec
from skyquilt.sources.file import read_positions


def plot_analysis(
    config: Config,
    name: str,
    problem: str | Path,
    maps: str | Path,
    skymap: str | Path,
    summary: str | Path,
    output: str | Path,
    sources: str | Path | None = None,
) -> None:
    """Write all figures of an analysis as PNG and PDF, and their list.

    Sources are marked where they are given.
    """
    numbers, look = read_summary(summary), get_analysis(config, name).plots
    files = [problem, maps, skymap, summary, *([] if sources is None else [sources])]
    read = {"problem": problem, "maps": maps, "localisation": (summary, skymap)}
    read |= {} if sources is None else {"sources": sources}
    answers = answer_from(config, name, "plots", **read)
    provenance = Provenance(
        "plot", look.model_dump(mode="json"), tuple(map(str, files)), answers=answers
    )
    made = make_plots(
        read_skymap(maps, DRAWN)[0],
        read_multiorder(skymap, SKYMAP)[0],
        numbers,
        _counts(read_problem(problem), numbers),
        look,
        output,
        None if sources is None else read_positions(sources),
        provenance,
    )
    write_listing(output, made, provenance)


def _counts(problem: FitProblem, summary: Mapping[str, Any]) -> Mapping[str, CountsSpectrum]:
    """Counts per measured energy, with those of the best source where one spectrum was fitted."""
    best = summary["best"]
    if best is None or summary["n_spectra"] > 1:
        return problem.counts_spectra
    position = best[problem.frame]
    direction = lonlat_to_vec(position["lon"], position["lat"])
    return with_fitted_counts(problem, direction, best["flux"], best.get("background_norm", 1.0))
