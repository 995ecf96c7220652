"""The demo by `profiles/slurm`."""

import numpy as np
import pytest
from astropy.io import fits
from clusterrun import RANKS, ClusterRun
from workdir import ROOT, Workdir

from skyquilt.fit.file import read_chunk

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

DEMO = ROOT / "config/demo.yaml"
ANALYSES = ("grb-bright", "grb-faint", "crab")


def columns(run, analysis, name):
    """Bytes of all columns of a map."""
    with fits.open(run.path / "results" / analysis / name) as file:
        table = file[1].data
        return {column: np.array(table[column]).tobytes() for column in table.names}


def test_demo_with_ranks_on_two_nodes_gives_the_maps_of_this_machine(lab, tmp_path):
    folders = [tmp_path / name for name in ("here", "there")]
    for folder in folders:
        folder.mkdir()
    here, there = Workdir(folders[0]), ClusterRun(folders[1], lab)
    there.set_profile(lambda profile: profile["set-resources"]["fit_chunk"].update(nodes=2))
    for run in (here, there):
        result = run.run(config=DEMO)
        assert result.returncode == 0, result.stdout
    for analysis in ANALYSES:
        for name in ("maps.fits", "refined.fits"):
            assert columns(there, analysis, name) == columns(here, analysis, name)
        (chunk,) = (there.path / "results" / analysis / "chunks").glob("*.h5")
        record = read_chunk(chunk).record
        assert record["n_ranks"] == RANKS
        assert len(set(record["hosts"])) == 2
