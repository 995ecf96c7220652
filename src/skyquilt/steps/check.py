"""Step `check`: a configuration and every file it names, without running it."""

from pathlib import Path

from skyquilt.config import Config
from skyquilt.config.analysis import Analysis
from skyquilt.config.dataset import Dataset
from skyquilt.errors import InputError, SkyquiltError
from skyquilt.instruments.analyses import check
from skyquilt.instruments.cells import check_cells
from skyquilt.instruments.same_counts import check_files_once
from skyquilt.runs.inputs import made_files
from skyquilt.sources.catalogue.objects import read_catalogue
from skyquilt.steps.model.check import describe_model
from skyquilt.steps.model.prepare import reference_spectrum
from skyquilt.steps.plan import check_map, region_unseen
from skyquilt.steps.populations.settings import describe_populations
from skyquilt.steps.prepare import warn_of_spectra
from skyquilt.steps.showers.check import describe_showers
from skyquilt.steps.simulate import check_simulation
from skyquilt.steps.targets.settings import describe_rosters


def check_files(config: Config) -> str:
    """One line per data set of each analysis: what was found.

    Of a simulation only what is wrong is told, for its files need not be there.

    Raises
    ------
    InputError
        If analyses cannot run; the message has all of them, with their names.
    """
    made = made_files(config)
    good, bad = [], []
    if config.simulation is not None:
        try:
            check_simulation(config.simulation)
        except SkyquiltError as error:
            bad.append(str(error))
    try:
        good += describe_showers(config)
    except SkyquiltError as error:
        bad.append(f"showers: {error}")
    for name, analysis in config.analyses.items():
        warn_of_spectra(name, analysis)
        unseen = []
        for dataset, one in analysis.all_datasets().items():
            try:
                found, message = _check_dataset(analysis, one, made)
                unseen.append(message)
                good.append(f"{'.'.join(filter(None, (name, dataset)))}: {found}")
            except SkyquiltError as error:
                where = f"analysis {name}" + (f", data set {dataset}" if dataset else "")
                bad.append(f"{where}: {error}")
        if unseen and all(unseen):
            bad.append(f"analysis {name}: {unseen[0]}")
        try:
            check_files_once(analysis)
        except SkyquiltError as error:
            bad.append(f"analysis {name}: {error}")
        try:
            if analysis.model is not None:
                good.append(describe_model(name, analysis, analysis.model))
        except SkyquiltError as error:
            bad.append(str(error))
        try:
            good += describe_rosters(name, analysis)
            good += describe_populations(name, analysis)
        except SkyquiltError as error:
            bad.append(f"analysis {name}: {error}")
        try:
            good += _check_catalogue(name, analysis)
        except SkyquiltError as error:
            bad.append(f"analysis {name}, sources.catalogue: {error}")
    if bad:
        raise InputError(" ".join(bad))
    return "\n".join(good)


def _check_catalogue(name: str, analysis: Analysis) -> list[str]:
    if analysis.sources is None or analysis.sources.catalogue is None:
        return []
    known = read_catalogue(analysis.sources.catalogue)
    return [f"{name}: {known.name.size} objects in {analysis.sources.catalogue.path}"]


def _check_dataset(analysis: Analysis, dataset: Dataset, made: set[Path]) -> tuple[str, str | None]:
    """What was found; and what to say of the region if no other data set sees it either."""
    check_map(analysis)
    later = [path for path in dataset.data.paths() if not Path(path).is_file()]
    if later and made.issuperset(map(Path, later)):
        return f"configuration is good; {', '.join(later)} will be made first", None
    spectra = list(analysis.all_spectra().values()) or [reference_spectrum()]
    first, *_ = [check(analysis.ask(dataset, one)) for one in spectra]
    if analysis.model is not None:
        check_cells(analysis.ask(dataset, spectra[0]), dataset.all_time_bins)
    problem = first.problem
    return first.found, None if problem is None else region_unseen(analysis.map, problem)
