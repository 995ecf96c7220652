"""The lab: one SLURM for all tests of a process; and runs of the tiny sky on it."""

import shutil
import subprocess
import time
from typing import NamedTuple

import pytest
from clusterrun import CHUNKS, MAPS, ClusterRun
from lab import Lab, why_not
from workdir import Workdir

LINE, NOTE = "line of the table of faults", "note"


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """A running SLURM; whatever it started is ended at last."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    lab = Lab(tmp_path_factory.mktemp("slurm"))
    try:
        try:
            lab.up()
        except (subprocess.SubprocessError, TimeoutError) as error:
            pytest.skip(f"SLURM does not start here: {error}")
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


def copy_before_chunks(reference, lab, folder):
    """A copy of the undisturbed run without chunks and maps."""
    shutil.copytree(reference.path, folder)
    run = ClusterRun(folder, lab)
    for chunk in CHUNKS:
        (run.results / "burst/chunks" / f"{chunk}.h5").unlink()
    (run.path / MAPS).unlink()
    (run.tools / "journal").unlink(missing_ok=True)
    return run


@pytest.fixture
def unfitted(reference, lab, tmp_path):
    """A run before its chunks; jobs that it leaves are cancelled."""
    yield copy_before_chunks(reference, lab, tmp_path / "run")
    lab.cancel_all()


class Line(NamedTuple):
    """One line of the table of faults."""

    fault: str
    happened: str
    n_redone: int
    lost_s: float


@pytest.fixture(scope="session")
def calm_s(reference, lab, undisturbed, tmp_path_factory):
    """Time of an undisturbed run of chunks and maps on the lab [s]."""
    run = copy_before_chunks(reference, lab, tmp_path_factory.mktemp("calm") / "run")
    start_s = time.monotonic()
    assert run.start(MAPS).wait(600) == 0, run.output()
    assert run.columns() == undisturbed
    return time.monotonic() - start_s


@pytest.fixture
def report(calm_s, unfitted, record_property):
    """Compare how often each chunk was fitted, and note a line of the table."""
    start_s = time.monotonic()

    def note(fault, happened, fits):
        if fits is not None:
            assert unfitted.fits() == fits
        n_redone = sum(number - 1 for number in unfitted.fits().values())
        lost_s = max(0.0, time.monotonic() - start_s - calm_s)
        record_property(LINE, [fault, happened, n_redone, lost_s])

    return note


@pytest.fixture
def note_line(record_property):
    """Add a line to what is printed at last."""
    return lambda text: record_property(NOTE, text)


def pytest_terminal_summary(terminalreporter):
    """Print the numbers of docs/cluster.md, in the order of the tests."""
    reports = sorted(terminalreporter.stats.get("passed", []), key=lambda one: one.location[:2])
    found = [pair for report in reports if report.when == "call" for pair in report.user_properties]
    for text in (value for name, value in found if name == NOTE):
        terminalreporter.write_line(text)
    lines = [Line(*value) for name, value in found if name == LINE]
    if lines:
        terminalreporter.write_line("| fault | what happened | fits redone | time lost |")
        terminalreporter.write_line("|---|---|---|---|")
    for line in lines:
        terminalreporter.write_line(
            f"| {line.fault} | {line.happened} | {line.n_redone} | {line.lost_s:.0f} s |"
        )
