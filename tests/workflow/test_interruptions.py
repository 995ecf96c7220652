"""Jobs and runs that are killed: nothing half written, and the next run completes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from skyquilt.fit.file import read_chunk

pytestmark = pytest.mark.workflow

MAPS = "results of 'tiny'/burst/maps.fits"
SCRIPT = """\
#!/bin/sh
case "$*" in *"--chunk 001 "*) {command} ;; esac
exec "{skyquilt}" "$@"
"""


@pytest.fixture
def unfitted(copy):
    """A run before the fit of `burst`."""
    folder = copy.results / "burst"
    for path in (*folder.glob("chunks/*"), copy.path / MAPS):
        path.unlink()
    return copy


def replace_skyquilt(folder: Path, command: str) -> str:
    """Folder of a `skyquilt` that runs a shell command instead of fitting chunk 1."""
    script = folder / "bin" / "skyquilt"
    script.parent.mkdir()
    skyquilt = Path(sys.executable).parent / "skyquilt"
    script.write_text(SCRIPT.format(command=command, skyquilt=skyquilt))
    script.chmod(0o755)
    return str(script.parent)


def fitted(workdir):
    """Names of the chunks of `burst`, each read and compared with its checksums."""
    chunks = sorted((workdir.results / "burst/chunks").glob("*.h5"))
    return [path.stem for path in chunks if read_chunk(path)]


def test_killed_job_leaves_no_file_and_is_done_by_the_next_run(unfitted, tmp_path):
    result = unfitted.run(MAPS, path=replace_skyquilt(tmp_path, "kill -9 $$"))
    assert result.returncode == 1
    assert fitted(unfitted) == ["000-of-003", "002-of-003"]
    assert not (unfitted.path / MAPS).exists()
    assert unfitted.planned(MAPS)["fit_chunk"] == 1
    assert unfitted.run(MAPS).returncode == 0
    assert len(fitted(unfitted)) == 3


def test_second_run_on_the_same_results_is_refused(unfitted, tmp_path):
    reached, stop = tmp_path / "reached", tmp_path / "stop"
    waiting = f"touch '{reached}'; while [ ! -e '{stop}' ]; do sleep 0.1; done"
    first = subprocess.Popen(
        unfitted.command(MAPS),
        cwd=unfitted.path,
        env=unfitted.environment(replace_skyquilt(tmp_path, waiting)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(reached)
        second = unfitted.run(MAPS)
        assert second.returncode == 1
        assert f"another run works on these results: process {first.pid} on" in second.stdout
        assert "Traceback" not in second.stdout
    finally:
        stop.touch()
        assert first.wait() == 0
    assert len(fitted(unfitted)) == 3


def test_killed_run_goes_on_where_it_stopped(unfitted, tmp_path):
    reached = tmp_path / "reached"
    path = replace_skyquilt(tmp_path, f"touch '{reached}'; sleep 600")
    run = subprocess.Popen(
        unfitted.command(MAPS, "--cores", "1"),
        cwd=unfitted.path,
        env=unfitted.environment(path),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(reached)
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    done = fitted(unfitted)
    assert "001-of-003" not in done
    assert unfitted.planned(MAPS)["fit_chunk"] == 3 - len(done)
    assert unfitted.run(MAPS).returncode == 0
    assert len(fitted(unfitted)) == 3


def wait_for(path: Path, limit_s: float = 60.0) -> None:
    until = time.monotonic() + limit_s
    while not path.exists():
        assert time.monotonic() < until, f"{path} did not appear within {limit_s} s"
        time.sleep(0.1)
