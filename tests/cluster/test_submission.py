"""Undisturbed runs by `profiles/slurm`."""

import itertools

import pytest
from clusterrun import RANKS, ClusterRun
from lab import NODES

from skyquilt.fit.file import read_chunk

pytestmark = pytest.mark.cluster


def test_whole_run_with_ranks_on_two_nodes_gives_the_map_of_one_process(lab, tmp_path, undisturbed):
    disks = [tmp_path / node for node in NODES]
    for folder in (tmp_path / "run", *disks):
        folder.mkdir()
    before = {disk: disk.stat().st_mtime_ns for disk in disks}
    run = ClusterRun(tmp_path / "run", lab)
    run.set_profile(lambda p: p["set-resources"]["fit_chunk"].update(nodes=2, scratch="DISK"))
    for chunk, rank in itertools.product(range(3), range(RANKS)):
        disk = f"export DISK='{tmp_path}'/$SLURMD_NODENAME"
        run.set_fault(chunk, disk, rank=rank, once=False)
    result = run.run()
    assert result.returncode == 0, result.stdout
    assert run.columns() == undisturbed
    assert run.fits() == {0: 2, 1: 1, 2: 1}  # chunk 0 of both analyses
    hosts = set()
    for path in (run.results / "burst/chunks").glob("*.h5"):
        record = read_chunk(path).record
        assert record["n_ranks"] == RANKS
        assert len(set(record["hosts"])) == 2
        hosts |= set(record["hosts"])
        assert record["job_id"] != ""
    # each node had its copy, and has none now
    assert {disk.name for disk in disks if disk.stat().st_mtime_ns > before[disk]} == hosts
    assert not any(list(disk.iterdir()) for disk in disks)
    assert run.run().stdout.count("Nothing to be done") == 1
