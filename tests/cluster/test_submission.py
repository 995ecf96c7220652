"""Undisturbed runs by `profiles/slurm`."""

import pytest
from clusterrun import RANKS, ClusterRun

from skyquilt.fit.file import read_chunk

pytestmark = pytest.mark.cluster


def test_whole_run_with_ranks_on_two_nodes_gives_the_map_of_one_process(lab, tmp_path, undisturbed):
    run = ClusterRun(tmp_path, lab)
    run.set_profile(lambda profile: profile["set-resources"]["fit_chunk"].update(nodes=2))
    result = run.run()
    assert result.returncode == 0, result.stdout
    assert run.columns() == undisturbed
    assert run.fits() == {0: 2, 1: 1, 2: 1}  # chunk 0 of both analyses
    for path in (run.results / "burst/chunks").glob("*.h5"):
        record = read_chunk(path).record
        assert record["n_ranks"] == RANKS
        assert len(set(record["hosts"])) == 2
        assert record["job_id"] != ""
    assert run.run().stdout.count("Nothing to be done") == 1
