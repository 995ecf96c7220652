"""Faults in the middle of a run: it ends with the undisturbed map, and no finished chunk is redone.

Each test ends with a line of the table that is printed at last, and that docs/cluster.md shows.
"""

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys

import h5py
import pytest
from clusterrun import MAPS, RANKS
from lab import NODES, URGENT, wait_until

from skyquilt.io.hdf5_seal import SEAL, make_room, seal_file

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

ONCE = {0: 1, 1: 1, 2: 1}
AGAIN = {0: 1, 1: 2, 2: 1}  # chunk 1 is the one that meets the fault
ALL = {"000-of-003", "001-of-003", "002-of-003"}
OTHERS = ALL - {"001-of-003"}
LIMIT_S = 600  # of a wait; only the busiest machines need it


@pytest.fixture
def until_told(unfitted):
    """Shell command that waits for a file, and a function that makes it."""
    go = unfitted.tools / "go"
    return f"while [ ! -e '{go}' ]; do sleep 0.1; done", go.touch


def job_of_chunk_1(run):
    """Job of chunk 1 once its fit has begun."""
    run.wait_for_fit(1)
    (job,) = (job for job in run.lab.jobs() if "_001_003" in job["comment"])
    return job


def wait_for_others(run):
    """Wait until only chunk 1 is left.

    The jobs of the others end a second after their files are there; until then they are redone.
    """
    wait_until(lambda: run.done() == OTHERS and len(run.lab.jobs()) == 1, "the other chunks")


def finish(driver):
    """Wait for a driver's end, and return its exit code."""
    return driver.wait(LIMIT_S)


def test_cancelled_job_is_submitted_again(unfitted, undisturbed, report):
    unfitted.set_fault(1, "sleep 600")
    driver = unfitted.start(MAPS)
    unfitted.lab.call("scancel", job_of_chunk_1(unfitted)["id"])
    assert finish(driver) == 0, unfitted.output()
    assert unfitted.columns() == undisturbed
    report("scancel of a running chunk", "submitted again", AGAIN)


def test_killed_driver_leaves_jobs_that_finish_and_the_next_one_goes_on(
    unfitted, undisturbed, until_told, report
):
    wait, go = until_told
    unfitted.set_fault(1, wait)
    driver = unfitted.start(MAPS)
    unfitted.wait_for_fit(1)
    wait_for_others(unfitted)
    os.killpg(driver.pid, signal.SIGKILL)
    driver.wait()
    refused = unfitted.run(MAPS)
    assert refused.returncode == 1, refused.stdout
    assert "SLURM jobs of an earlier run still work on these results, 1 in all" in refused.stdout
    assert "rule_fit_chunk_wildcards_burst_001_003" in refused.stdout
    go()
    wait_until(lambda: not unfitted.lab.jobs(), "end of the job")
    result = unfitted.run(MAPS)
    assert result.returncode == 0, result.stdout
    assert unfitted.columns() == undisturbed
    report("kill -9 of the driver", "its jobs finish; started again, it goes on", ONCE)


def test_power_failure_costs_the_chunks_that_were_running(unfitted, undisturbed, report):
    unfitted.set_fault(1, "sleep 600")
    driver = unfitted.start(MAPS)
    unfitted.wait_for_fit(1)
    wait_for_others(unfitted)
    os.killpg(driver.pid, signal.SIGKILL)
    driver.wait()
    unfitted.lab.cancel_all()
    result = unfitted.run(MAPS)
    assert result.returncode == 0, result.stdout
    assert unfitted.columns() == undisturbed
    report("driver and jobs killed", "started again, it goes on", AGAIN)


def test_job_past_its_time_limit_gets_more(unfitted, undisturbed, report):
    unfitted.set_profile(lambda p: p["set-resources"]["fit_chunk"].update(runtime="attempt"))
    unfitted.set_fault(1, "sleep 600")
    assert finish(unfitted.start(MAPS)) == 0, unfitted.output()
    assert unfitted.columns() == undisturbed
    ended = sorted((job["JobState"], job["TimeLimit"]) for job in unfitted.jobs_of_chunks())
    assert ended == [("COMPLETED", "1"), ("COMPLETED", "1"), ("COMPLETED", "2"), ("TIMEOUT", "1")]
    report("job past its time limit", "retried with more time", AGAIN)


def test_job_past_its_memory_gets_more(unfitted, undisturbed, report):
    unfitted.set_profile(
        lambda p: p["set-resources"]["fit_chunk"].update(mem_mb_per_cpu="attempt * 600")
    )
    greedy = 'import time; x = b"x" * 2_000_000_000; time.sleep(600)'
    unfitted.set_fault(1, f"'{sys.executable}' -c '{greedy}'")
    assert finish(unfitted.start(MAPS)) == 0, unfitted.output()
    assert unfitted.columns() == undisturbed
    states = sorted(job["JobState"] for job in unfitted.jobs_of_chunks())
    assert states == ["COMPLETED", "COMPLETED", "COMPLETED", "FAILED"]
    report("job past its memory", "killed by SLURM, retried with more", AGAIN)


def test_node_that_goes_down_costs_its_chunk(unfitted, undisturbed, report):
    lab = unfitted.lab
    unfitted.set_fault(1, "sleep 600")
    driver = unfitted.start(MAPS)
    job = job_of_chunk_1(unfitted)
    lab.crash_node(job["nodes"])
    try:
        wait_until(lambda: any("down" in state for state in lab.states()), "lost node")
        # SLURM puts the job back into the queue, and holds it for two minutes; not here
        wait_until(lambda: lab.state_of(job["id"]) == "PENDING", "requeued job")
        lab.call("scontrol", "update", f"JobId={job['id']}", "StartTime=now")
        assert finish(driver) == 0, unfitted.output()
    finally:
        lab.start_node(job["nodes"])
    wait_until(lambda: lab.states() == ["idle"] * len(NODES), "return of the node")
    assert unfitted.columns() == undisturbed
    report("node down, and back", "requeued by SLURM on another node", AGAIN)


def test_preempted_job_is_fitted_when_its_turn_comes_again(unfitted, undisturbed, report):
    # one rank stops once all have met
    mark = unfitted.tools / "stopped"
    have_met = "grep -q 'mpich_shm.*(deleted)' /proc/$$/maps"
    stop = f"( while ! {have_met}; do sleep 0.01; done; touch '{mark}'; kill -STOP $$ ) &"
    unfitted.set_fault(1, stop, rank=1)
    driver = unfitted.start(MAPS)
    job = job_of_chunk_1(unfitted)
    wait_until(mark.exists, "rank that stops")
    place = ("--partition", URGENT, "--nodelist", job["nodes"], f"--ntasks={RANKS}")
    unfitted.lab.call("sbatch", *place, "--output=/dev/null", "--wrap", "sleep 1")
    wait_until(lambda: unfitted.lab.state_of(job["id"]) == "PENDING", "preempted job")
    # SLURM holds it for two minutes; not here
    unfitted.lab.call("scontrol", "update", f"JobId={job['id']}", "StartTime=now")
    assert finish(driver) == 0, unfitted.output()
    assert unfitted.columns() == undisturbed
    report("job preempted", "fitted when its turn comes again", AGAIN)


def test_killed_rank_ends_its_job_which_is_submitted_again(unfitted, undisturbed, report):
    unfitted.set_fault(1, "sleep 1; kill -9 $$", rank=1)
    assert finish(unfitted.start(MAPS)) == 0, unfitted.output()
    assert unfitted.columns() == undisturbed
    # the launcher names node and rank, the log of the job its chunk
    (log,) = (unfitted.path / ".snakemake/slurm_logs/rule_fit_chunk").rglob("*.log")
    text = log.read_text()
    assert re.search(r"srun: error: n\d: task 1: Killed", text), text
    assert "chunk 001 of 003" in text
    report("kill -9 of one rank", "the job ends at once, retried", AGAIN)


def test_full_disk_is_one_message_and_the_next_run_goes_on(unfitted, undisturbed, report):
    chunks = unfitted.results / "burst/chunks"
    unfitted.set_profile(lambda profile: profile.update(retries=0))
    filler = shlex.quote(str(chunks / "filler"))
    unfitted.set_fault(1, f"dd if=/dev/zero of={filler} bs=1k 2> /dev/null || true")
    with mounted("tmpfs", chunks, "-t", "tmpfs", "-o", "size=1m"):
        assert finish(unfitted.start(MAPS)) == 1
        log = (unfitted.results / "burst/logs/fit_chunk/001-of-003.log").read_text()
        assert "No space left on device; free some space, then run again" in log
        assert "001-of-003" not in unfitted.done()
        before = unfitted.fits()
        kept = unfitted.done()
        (chunks / "filler").unlink()
        assert finish(unfitted.start(MAPS)) == 0, unfitted.output()
        assert not list(chunks.glob(".*"))
        redone = {chunk for chunk in (0, 1, 2) if unfitted.fits()[chunk] > before.get(chunk, 0)}
        assert redone == {int(name[:3]) for name in ALL - kept}
        assert unfitted.columns() == undisturbed
        report("disk full", "one message; goes on when there is space", None)


def test_bad_chunks_are_found_set_aside_and_redone(unfitted, reference, undisturbed, report):
    chunks = unfitted.results / "burst/chunks"
    for path in (reference.results / "burst/chunks").glob("*.h5"):
        shutil.copy2(path, chunks / path.name)
    shutil.copy2(reference.path / MAPS, unfitted.path / MAPS)
    truncated, flipped, foreign = sorted(chunks.glob("*.h5"))
    with keeping_time(truncated):
        os.truncate(truncated, truncated.stat().st_size // 2)
    with keeping_time(flipped), h5py.File(flipped, "r") as file:
        offset = file["ts"].id.get_offset()
        content = bytearray(flipped.read_bytes())
        content[offset] ^= 1
        flipped.write_bytes(content)
    with keeping_time(foreign), h5py.File(foreign, "r+") as file:
        file.attrs["problem_identity"] = "0" * 64
        del file[SEAL]
        places = make_room(file)
    with keeping_time(foreign):
        seal_file(foreign, places)
    verify = [sys.executable, "-m", "skyquilt.cli.main", "verify", str(unfitted.results)]
    found = unfitted.run_command([*verify, "--repair"]).stdout
    assert "1 foreign, 2 damaged" in found, found
    assert "3 set aside" in found
    targets = [str(path.relative_to(unfitted.path)) for path in (truncated, flipped, foreign)]
    assert finish(unfitted.start(MAPS, *targets)) == 0, unfitted.output()
    assert unfitted.columns() == undisturbed
    report("chunk truncated, one bit flipped, foreign", "`verify --repair`", ONCE)


def test_second_driver_is_refused(unfitted, undisturbed, until_told, report):
    wait, go = until_told
    unfitted.set_fault(1, wait)
    driver = unfitted.start(MAPS)
    unfitted.wait_for_fit(1)
    second = unfitted.run(MAPS)
    assert second.returncode == 1, second.stdout
    assert f"another run works on these results: process {driver.pid}" in second.stdout
    go()
    assert finish(driver) == 0, unfitted.output()
    assert unfitted.columns() == undisturbed
    report("two drivers", "the second is refused", ONCE)


def test_read_only_results_are_one_message(unfitted, undisturbed, report):
    results = unfitted.results
    with mounted(results, results, "--bind"):
        mount("-o", "remount,ro,bind", str(results))
        refused = unfitted.run(MAPS)
        assert refused.returncode == 1, refused.stdout
        assert "choose a folder of results that can be written" in refused.stdout
        assert "Traceback" not in refused.stdout
        assert unfitted.fits() == {}
    assert finish(unfitted.start(MAPS)) == 0, unfitted.output()
    assert unfitted.columns() == undisturbed
    report("results read-only", "one message, nothing submitted", ONCE)


def test_controller_that_is_restarted_costs_no_chunk(unfitted, undisturbed, until_told, report):
    wait, go = until_told
    unfitted.set_fault(1, wait)
    driver = unfitted.start(MAPS)
    unfitted.wait_for_fit(1)
    unfitted.lab.stop_controller()
    with contextlib.suppress(subprocess.TimeoutExpired):
        driver.wait(20)  # long enough for several questions without an answer
    unfitted.lab.start_controller()
    go()
    try:
        assert driver.wait(60) == 0, unfitted.output()
    except subprocess.TimeoutExpired:
        # plugin 2.8 has asked sacct meanwhile, which without accounting keeps it waiting for ever
        os.killpg(driver.pid, signal.SIGKILL)
        driver.wait()
        wait_until(lambda: not unfitted.lab.jobs(), "end of the jobs")
        result = unfitted.run(MAPS)
        assert result.returncode == 0, result.stdout
    assert unfitted.columns() == undisturbed
    report("slurmctld restarted", "jobs go on; start a driver that hangs again", ONCE)


@contextlib.contextmanager
def keeping_time(path):
    """Change a file so that nobody sees it by its times."""
    stat = path.stat()
    yield
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


@contextlib.contextmanager
def mounted(source, target, *options):
    """A file system that is mounted on a folder."""
    try:
        mount(*options, str(source), str(target))
    except subprocess.CalledProcessError as error:
        pytest.skip(f"cannot mount here: {error.stderr}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(target)], check=True)


def mount(*options):
    subprocess.run(["mount", *options], check=True, capture_output=True, text=True)
