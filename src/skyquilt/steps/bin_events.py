"""Step `bin-events`: unbinned events into a histogram."""

from skyquilt.config import Config
from skyquilt.errors import ConfigError
from skyquilt.instruments.compton.binning import bin_events
from skyquilt.instruments.compton.writing import check_histpy
from skyquilt.runs.answers import Digests
from skyquilt.runs.inputs import binning_question


def bin_events_file(config: Config, name: str) -> None:
    """Bin the events of one entry under `binning`."""
    if name not in config.binning:
        known = ", ".join(config.binning) or "none"
        raise ConfigError(f"no binning {name!r}; there are: {known}.")
    check_histpy()
    binning = config.binning[name]
    bin_events(binning, binning_question(binning, Digests(config.cache)), config.cache)
