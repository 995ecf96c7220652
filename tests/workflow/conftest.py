"""Runs of the workflow: one full run of a tiny sky, shared, and copies of it to play with."""

import shutil

import pytest
from workdir import Workdir


@pytest.fixture(scope="session")
def whole(tmp_path_factory) -> Workdir:
    """A finished run; tests leave it as it is."""
    workdir = Workdir(tmp_path_factory.mktemp("whole"))
    result = workdir.run()
    assert result.returncode == 0, result.stdout
    return workdir


@pytest.fixture
def copy(whole, tmp_path) -> Workdir:
    """A copy of the finished run, with the times of its files."""
    shutil.copytree(whole.path, tmp_path / "copy")
    return Workdir(tmp_path / "copy")


@pytest.fixture
def empty(tmp_path) -> Workdir:
    """A working directory in which nothing was run."""
    return Workdir(tmp_path)
