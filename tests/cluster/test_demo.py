"""The demo by `profiles/slurm`: chunks of ranks on two nodes, each with a copy on its own disk."""

import itertools

import pytest
from clusterrun import RANKS, ClusterRun, columns
from lab import NODES
from workdir import ROOT, Workdir

from skyquilt.fit.file import read_chunk

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1500)]

DEMO = ROOT / "config/demo.yaml"
ANALYSES = ("grb-bright", "grb-faint", "grb-linked", "crab")
MAPS = [
    f"results/{analysis}/{name}.fits"
    for analysis, name in itertools.product(ANALYSES, ("maps", "refined"))
]


@pytest.fixture
def here(tmp_path):
    """The same maps by one process per chunk on this machine."""
    (tmp_path / "here").mkdir()
    run = Workdir(tmp_path / "here")
    result = run.run(*MAPS, config=DEMO)
    assert result.returncode == 0, result.stdout
    return run


@pytest.fixture
def disks(tmp_path):
    """A disk of each node."""
    folders = [tmp_path / node for node in NODES]
    for folder in folders:
        folder.mkdir()
    return folders


@pytest.fixture
def there(lab, tmp_path, disks):
    """A run on the nodes; each has its disk in its environment."""
    (tmp_path / "there").mkdir()
    run = ClusterRun(tmp_path / "there", lab)
    run.set_profile(lambda p: p["set-resources"]["fit_chunk"].update(nodes=2, scratch="DISK"))
    for rank in range(RANKS):
        run.set_fault(0, f"export DISK='{tmp_path}'/$SLURMD_NODENAME", rank=rank, once=False)
    yield run
    lab.cancel_all()


def test_demo_with_ranks_on_two_nodes_gives_the_maps_of_this_machine(here, there, disks):
    before = {disk: disk.stat().st_mtime_ns for disk in disks}
    result = there.run(config=DEMO)
    assert result.returncode == 0, result.stdout
    for name in MAPS:
        assert columns(there.path / name) == columns(here.path / name)
    assert there.fits() == {0: len(ANALYSES)}
    hosts = set()
    for analysis in ANALYSES:
        (chunk,) = (there.path / "results" / analysis / "chunks").glob("*.h5")
        record = read_chunk(chunk).record
        assert record["n_ranks"] == RANKS
        assert len(set(record["hosts"])) == 2
        assert record["job_id"] != ""
        hosts |= set(record["hosts"])
    assert {disk.name for disk in disks if disk.stat().st_mtime_ns > before[disk]} == hosts
    assert not any(list(disk.iterdir()) for disk in disks)  # the copies are gone
    assert there.run(config=DEMO).stdout.count("Nothing to be done") == 1
