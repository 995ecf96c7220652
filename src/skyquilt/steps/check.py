"""Step `check`: a configuration and every file it names, without running it."""

from pathlib import Path

from skyquilt.config import Config
from skyquilt.config.analysis import Analysis
from skyquilt.config.simulation import simulation_files
from skyquilt.errors import SkyquiltError
from skyquilt.instruments.compton.dataspace import check_same_space, select_channels
from skyquilt.instruments.compton.measurement import read_measurement
from skyquilt.instruments.compton.response import open_response
from skyquilt.spectra import integrate


def check_files(config: Config) -> str:
    """One line per analysis: what was found.

    Raises
    ------
    SkyquiltError
        Of the first analysis that cannot run, its name in front of the message.
    """
    made = made_files(config)
    return "\n".join(_check_analysis(name, item, made) for name, item in config.analyses.items())


def made_files(config: Config) -> set[Path]:
    """Files that the configuration itself makes, by simulation or binning."""
    made = {Path(binning.output) for binning in config.binning.values()}
    if config.simulation is not None:
        folder = Path(config.simulation.folder)
        made |= {folder / name for name in simulation_files(config.simulation).values()}
    return made


def _check_analysis(name: str, analysis: Analysis, made: set[Path]) -> str:
    later = [path for path in analysis.data.paths() if not Path(path).is_file()]
    if later and made.issuperset(map(Path, later)):
        return f"{name}: configuration is good; {', '.join(later)} will be made first"
    try:
        return f"{name}: {_describe(analysis)}"
    except SkyquiltError as error:
        raise type(error)(f"analysis {name}: {error}") from error


def _describe(analysis: Analysis) -> str:
    measurement = read_measurement(analysis)
    path = analysis.data.response
    with open_response(path) as response:
        check_same_space(measurement.space, measurement.path, response.space, path)
        first, last = select_channels(response.space.em_edges, analysis.energy, path)
        integrate(analysis.spectrum, response.ei_edges)
    counts = sum(values[first:last].sum() for values in measurement.terms.values())
    background = measurement.background[first:last].sum()
    return (
        f"good; {counts:g} counts over {background:g} expected background in channels "
        f"[{first}, {last}), background scale {measurement.scale.factor:.6g} "
        f"({measurement.scale.source})"
    )
