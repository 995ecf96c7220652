"""A refinement by `profiles/slurm`: each step plans the next one, its chunks are jobs."""

import shutil

import pytest
from clusterrun import ClusterRun, columns
from workdir import Workdir

from skyquilt.fit.file import read_chunk

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

REFINED = "results of 'tiny'/burst/refined.fits"


def refine(run, **options):
    """Columns of the refined map."""
    change = {"refine": {"max_order": 3} | options}
    config = run.config_with(lambda settings: settings["analyses"]["burst"].update(change))
    result = run.run(REFINED, config=config)
    assert result.returncode == 0, result.stdout
    return columns(run.path / REFINED)


def test_refinement_in_chunks_gives_the_map_of_one_process(reference, lab, tmp_path):
    here = Workdir(shutil.copytree(reference.path, tmp_path / "here"))
    there = ClusterRun(shutil.copytree(reference.path, tmp_path / "there"), lab)
    assert refine(there, chunks=True) == refine(here)
    chunks = list((there.results / "burst/refine").glob("*/*.h5"))
    assert chunks
    assert all(read_chunk(path).record["job_id"] for path in chunks)
