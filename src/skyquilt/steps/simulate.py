"""Step `simulate`: a telescope and its data."""

import logging
from pathlib import Path

from skyquilt.config import Config
from skyquilt.config.imager import SimulatedImager
from skyquilt.config.simulation import Simulation
from skyquilt.errors import ConfigError
from skyquilt.instruments.compton.writing import check_histpy
from skyquilt.runs.inputs import remove_note, write_note
from skyquilt.spectra import doubts

logger = logging.getLogger(__name__)


def simulate_files(config: Config) -> list[Path]:
    """Write all files of the simulation, and a note of its settings."""
    if config.simulation is None:
        raise ConfigError("the configuration has no section `simulation`.")
    for name, source in config.simulation.sources.items():
        if doubt := doubts(source.spectrum):
            logger.warning("simulation, source %s, spectrum: %s", name, doubt)
    if isinstance(config.simulation, Simulation):
        check_histpy()
    remove_note(config)
    written = _simulate(config.simulation)
    write_note(config)
    return written


def _simulate(settings: Simulation | SimulatedImager) -> list[Path]:
    if isinstance(settings, SimulatedImager):
        from skyquilt.instruments.imaging.simulator import simulate as simulate_imager

        return simulate_imager(settings)
    from skyquilt.instruments.compton.simulator import simulate

    return simulate(settings)
