"""Step `simulate`: a telescope and its data."""

from pathlib import Path

from skyquilt.config import Config
from skyquilt.config.simulation import simulation_files
from skyquilt.errors import ConfigError


def simulated_files(config: Config) -> set[Path]:
    """Files that the simulation of a configuration writes."""
    if config.simulation is None:
        return set()
    folder = Path(config.simulation.folder)
    return {folder / name for name in simulation_files(config.simulation).values()}


def simulate_files(config: Config) -> list[Path]:
    """Write all files of the simulation."""
    if config.simulation is None:
        raise ConfigError("the configuration has no section `simulation`.")
    if config.simulation.instrument == "imaging":
        from skyquilt.instruments.imaging.simulator import simulate
    else:
        from skyquilt.instruments.compton.simulator import simulate
    return simulate(config.simulation)
