"""Before a run: what is stale is found, and set aside, so that it is made again."""

import logging
from collections.abc import Iterable
from pathlib import Path

from skyquilt.config import Config
from skyquilt.runs.answers import Digests
from skyquilt.runs.aside import set_stale_aside
from skyquilt.runs.freshness import Stale, describe_stale, find_stale, find_stale_index
from skyquilt.runs.inputs import check_inputs, find_stale_inputs
from skyquilt.runs.shower_files import find_stale_showers

logger = logging.getLogger(__name__)


def find_all_stale(config: Config, *, is_dry: bool = False) -> list[Stale]:
    """Whatever is there and does not answer the configuration: input files it makes, products.

    Parameters
    ----------
    config : Config
        The configuration.
    is_dry : bool
        Write nothing, not even a note of a digest in a new cache.

    Raises
    ------
    ConfigError
        If a model is not possible.
    InputError
        If input files are not there that the configuration does not make.
    """
    if any(analysis.model is not None for analysis in config.analyses.values()):
        from skyquilt.steps.model.check import check_models  # with all of the models

        check_models(config)
    check_inputs(config)
    has_cache = Path(config.cache).is_dir()
    digests = Digests(config.cache if has_cache or not is_dry else None)
    found = [*find_stale_inputs(config, digests), *find_stale_showers(config, digests)]
    for name in config.analyses:
        found += find_stale(config, name, digests)
    return found + find_stale_index(config)


def set_all_stale_aside(stale: Iterable[Stale]) -> list[str]:
    """Set stale files aside; a line for each kind of reason."""
    stale = list(stale)
    set_stale_aside(path for item in stale for path in item.paths)
    return [f"stale, set aside: {line}" for line in describe_stale(stale)]
