"""Step `simulate`: a telescope and its data."""

from pathlib import Path

from skyquilt.config import Config
from skyquilt.errors import ConfigError
from skyquilt.runs.inputs import remove_note, write_note


def simulate_files(config: Config) -> list[Path]:
    """Write all files of the simulation, and a note of its settings."""
    if config.simulation is None:
        raise ConfigError("the configuration has no section `simulation`.")
    if config.simulation.instrument == "imaging":
        from skyquilt.instruments.imaging.simulator import simulate
    else:
        from skyquilt.instruments.compton.simulator import simulate
    remove_note(config)
    written = simulate(config.simulation)
    write_note(config)
    return written
