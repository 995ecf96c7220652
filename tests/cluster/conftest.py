"""The lab: one SLURM for all tests; and runs of the tiny sky on it."""

import shutil

import pytest
from clusterrun import CHUNKS, MAPS, ClusterRun
from lab import Lab, install, why_not
from workdir import Workdir


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """A running SLURM; whatever it started is ended at last."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    install()
    lab = Lab(tmp_path_factory.mktemp("slurm"))
    try:
        lab.up()
        yield lab
    finally:
        lab.down()


@pytest.fixture(scope="session")
def reference(tmp_path_factory):
    """The undisturbed run, by one process per chunk on this machine."""
    workdir = Workdir(tmp_path_factory.mktemp("reference"))
    result = workdir.run(MAPS)
    assert result.returncode == 0, result.stdout
    return workdir


@pytest.fixture(scope="session")
def undisturbed(reference, lab):
    """Columns of the undisturbed map."""
    return ClusterRun(reference.path, lab).columns()


@pytest.fixture
def unfitted(reference, lab, tmp_path):
    """A run before its chunks, with nothing of it in SLURM; jobs that it leaves are cancelled."""
    shutil.copytree(reference.path, tmp_path / "run")
    run = ClusterRun(tmp_path / "run", lab)
    for chunk in CHUNKS:
        (run.results / "burst/chunks" / f"{chunk}.h5").unlink()
    (run.path / MAPS).unlink()
    (run.tools / "journal").unlink(missing_ok=True)
    yield run
    lab.cancel_all()
