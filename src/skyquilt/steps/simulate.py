"""Step `simulate`: a telescope and its data."""

import logging
from pathlib import Path

from skyquilt.config import Config
from skyquilt.errors import ConfigError
from skyquilt.runs.inputs import remove_note, write_note
from skyquilt.spectra import doubts

logger = logging.getLogger(__name__)


def simulate_files(config: Config) -> list[Path]:
    """Write all files of the simulation, and a note of its settings."""
    if config.simulation is None:
        raise ConfigError("the configuration has no section `simulation`.")
    if config.simulation.instrument == "imaging":
        from skyquilt.instruments.imaging.simulator import simulate
    else:
        from skyquilt.instruments.compton.simulator import simulate
    for name, source in config.simulation.sources.items():
        if doubt := doubts(source.spectrum):
            logger.warning("simulation, source %s, spectrum: %s", name, doubt)
    remove_note(config)
    written = simulate(config.simulation)
    write_note(config)
    return written
