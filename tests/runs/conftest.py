"""A finished tree of results: two analyses of one tiny observation, in three and one chunks."""

import shutil

import pytest

from skyquilt.config import parse_config
from skyquilt.steps.run import run_analysis


@pytest.fixture(scope="session")
def finished(tmp_path_factory, session_observation):
    """Its folder; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("finished")
    first = session_observation.settings | {"fit": {"chunks": 3}}
    second = session_observation.settings | {"map": {"nside": 2}}
    settings = {
        "results": str(folder / "results"),
        "cache": str(folder / "cache"),
        "analyses": {"burst": first, "other": second},
    }
    config = parse_config(settings)
    for name in config.analyses:
        run_analysis(config, name, threads=1)
    return folder / "results"


@pytest.fixture
def results(finished, tmp_path):
    """A copy of the tree."""
    return shutil.copytree(finished, tmp_path / "results")
