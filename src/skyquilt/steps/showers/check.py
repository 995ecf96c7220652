"""What `check` tells of raw runs of showers."""

from skyquilt.config import Config
from skyquilt.runs.shower_files import products_of_runs, runs_folder


def describe_showers(config: Config) -> list[str]:
    """A line for each set of runs: how many, and the telescopes of the first by its header.

    Raises
    ------
    InputError, ConfigError
        If a file is not there, the first is no run, or patterns of telescopes do not fit it.
    """
    if config.showers is None:
        return []
    from skyquilt.showers.reconstruct import count_telescopes

    lines = []
    for name, runs in config.showers.runs.items():
        paths = list(products_of_runs(runs, runs_folder(config, name)))
        n_used, n_all = count_telescopes(paths[0], runs)
        lines.append(
            f"showers {name}: {len(paths)} runs; {n_used} of {n_all} telescopes in {paths[0]}"
        )
    return lines
