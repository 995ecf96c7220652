"""What a chunk costs besides its fit: a job of its own, or a step of a pilot."""

import subprocess
import time

import pytest
from clusterrun import MAPS
from workdir import ROOT

from skyquilt.fit.file import read_chunk

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

N_CHUNKS = 12


@pytest.fixture
def many(unfitted):
    """Configuration with more chunks than a job of its own is worth."""
    return unfitted.config_with(
        lambda content: content["analyses"]["burst"].update(fit={"chunks": N_CHUNKS})
    )


@pytest.mark.parametrize("how", ["jobs", "pilot"])
def test_many_small_chunks_give_the_same_map(unfitted, many, undisturbed, how, note_line):
    start_s = time.monotonic()
    if how == "jobs":
        result = unfitted.run(MAPS, config=many)
    else:
        (unfitted.path / "profiles").symlink_to(ROOT / "profiles")
        script = ["sbatch", "--wait", "--output=pilot.log", "profiles/pilot/submit.sh", MAPS]
        where = ["--snakefile", str(ROOT / "Snakefile"), "--configfile", str(many)]
        result = subprocess.run(
            [*script, *where],
            cwd=unfitted.path,
            env=unfitted.environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    wall_s = time.monotonic() - start_s
    log = unfitted.path / "pilot.log"
    assert result.returncode == 0, result.stdout + (log.read_text() if log.exists() else "")
    assert unfitted.columns() == undisturbed
    chunks = list((unfitted.results / "burst/chunks").glob(f"*-of-{N_CHUNKS:03}.h5"))
    records = [read_chunk(path).record for path in chunks]
    assert len(records) == N_CHUNKS
    assert {record["n_ranks"] for record in records} == {2}
    assert len({host for record in records for host in record["hosts"]}) > 1
    fit_s = sum(record["stages"][-1]["wall_s"] for record in records)
    line = f"{N_CHUNKS} chunks as {how}: {wall_s:.0f} s, {wall_s / N_CHUNKS:.1f} s per chunk"
    note_line(f"{line}; fits alone {fit_s:.1f} s")
