"""Step `simulate`: a telescope and its data."""

import logging
from pathlib import Path

from skyquilt.config import Config
from skyquilt.config.imager import SimulatedImager
from skyquilt.config.shape import BrightnessMap
from skyquilt.config.simulation import Simulation
from skyquilt.errors import ConfigError
from skyquilt.instruments.compton.writing import check_histpy
from skyquilt.instruments.extended import check_shape
from skyquilt.runs.inputs import remove_note, write_note
from skyquilt.simulate.light_curves import check_light_curve
from skyquilt.spectra import doubts

logger = logging.getLogger(__name__)


def simulate_files(config: Config) -> list[Path]:
    """Write all files of the simulation, and a note of its settings."""
    if config.simulation is None:
        raise ConfigError("the configuration has no section `simulation`.")
    _warn_of_spectra(config.simulation)
    if isinstance(config.simulation, Simulation):
        check_histpy()
    remove_note(config)
    written = _simulate(config.simulation)
    write_note(config)
    return written


def check_simulation(settings: Simulation | SimulatedImager) -> None:
    """Check spectra, light curves and maps of the sources without simulating them.

    Raises
    ------
    ConfigError
        If nothing of a light curve is observed.
    InputError
        If the map of a shape is no brightness of integral 1.
    """
    _warn_of_spectra(settings)
    for name, source in settings.sources.items():
        check_light_curve(name, source.light_curve, settings.observed(name))
        if isinstance(source.shape, BrightnessMap):
            check_shape(source.shape)


def _warn_of_spectra(settings: Simulation | SimulatedImager) -> None:
    for name, source in settings.sources.items():
        if doubt := doubts(source.spectrum):
            logger.warning("simulation, source %s, spectrum: %s", name, doubt)


def _simulate(settings: Simulation | SimulatedImager) -> list[Path]:
    if isinstance(settings, SimulatedImager):
        from skyquilt.instruments.imaging.simulator import simulate as simulate_imager

        return simulate_imager(settings)
    from skyquilt.instruments.compton.simulator import simulate

    return simulate(settings)
