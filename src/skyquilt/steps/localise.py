"""Step `localise`: best position, posterior, regions, numbers for people."""

from pathlib import Path
from typing import Any

from skyquilt.config import Config, get_analysis
from skyquilt.fit.exposure import find_exposure
from skyquilt.io.answers import check_problem
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.localisation.file import write_localisation
from skyquilt.localisation.posterior import localise
from skyquilt.localisation.summary import check_fitted, summarise
from skyquilt.localisation.systematic import systematic_error
from skyquilt.maps.file import read_skymap
from skyquilt.maps.multiorder_file import REFINED, read_multiorder
from skyquilt.maps.summary_file import write_summary
from skyquilt.problem.file import SCHEMA as PROBLEM
from skyquilt.problem.file import read_problem
from skyquilt.runs.answers import answer_from
from skyquilt.sky.frames import rotate, rotation
from skyquilt.spectra.energies import flux_range
from skyquilt.spectra.integrals import mean_energy


def localise_analysis(
    config: Config,
    name: str,
    problem: str | Path,
    maps: str | Path,
    refined: str | Path,
    output: str | Path,
) -> None:
    """Write the sky maps, regions and summary of an analysis into the folder `output`.

    The problem is read only where the prior asks for its exposure.
    """
    analysis = get_analysis(config, name)
    options = analysis.localise
    needs_problem = options.prior == "exposure"
    inputs = (*((str(problem),) if needs_problem else ()), str(maps), str(refined))
    clock = start_clock()
    skymap, record = read_skymap(maps, ["ts", "status"])
    cells, cells_record = read_multiorder(refined)
    identity = record["problem_identity"]
    check_problem(refined, cells_record["problem_identity"], identity, REFINED.made_by, maps)
    check_fitted(skymap, maps)
    if needs_problem:
        fit_problem = read_problem(problem)
        check_problem(problem, fit_problem.identity, identity, PROBLEM.made_by, maps)
        directions = rotate(rotation(cells.frame, fit_problem.frame), cells.centres)
        cells.columns["exposure"] = find_exposure(fit_problem, directions)
    read = {"problem": problem} if Path(problem).is_file() else {}
    answers = answer_from(config, name, "localisation", **read, maps=maps, refined=refined)
    settings = options.model_dump(mode="json")
    provenance = Provenance("localise", settings, inputs, clock=clock, answers=answers)
    pixel = record["description"].get("response_pixel_deg", 0.0)
    sharpness = record["description"].get("sharpness_deg", 0.0)
    error = systematic_error(options.systematic_error, pixel, sharpness)
    localisation = localise(cells, options.levels, options.prior, error)
    own = provenance.record()
    description = record.pop("description")
    kept = own | {"description": description}
    write_localisation(output, localisation, name, options.max_nside, error, kept)
    about: dict[str, Any] = {"analysis": name, "systematic_error_deg": error}
    energies = flux_range(description)
    about["mean_photon_energy_keV"] = {
        key: mean_energy(spectrum, *energies) for key, spectrum in analysis.all_spectra().items()
    }
    stages = cells_record["stages"]
    summary = summarise(skymap, localisation, about | description, options, stages)
    last = provenance.record()
    summary["stages"] += last.pop("stages")
    summary["provenance"] = {"maps": record, "localise": last}
    write_summary(output, summary)
