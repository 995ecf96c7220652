"""Step `simulate`: a Compton telescope and its data."""

from pathlib import Path

from skyquilt.config import Config
from skyquilt.errors import ConfigError
from skyquilt.instruments.compton.simulator import simulate


def simulate_files(config: Config) -> list[Path]:
    """Write all files of the simulation."""
    if config.simulation is None:
        raise ConfigError("the configuration has no section `simulation`.")
    return simulate(config.simulation)
