"""Refinement in chunks: a checkpoint for each step."""

import numpy as np
import pytest
import yaml
from astropy.io import fits
from workdir import ROOT

pytestmark = pytest.mark.workflow


def test_refinement_in_chunks_gives_the_map_of_one_process(copy):
    wanted = copy.results / "burst" / "refined.fits"
    config = copy.config_with(
        lambda content: content["analyses"]["burst"].update(refine={"max_order": 3})
    )
    run(copy, wanted, config)
    alone = read_cells(wanted)
    wanted.unlink()

    config = copy.config_with(
        lambda content: content["analyses"]["burst"].update(refine={"max_order": 3, "chunks": True})
    )
    run(copy, wanted, config)

    # a plan for each step, a folder of chunks for all but the last, which finds nothing to do
    names = {path.name for path in (copy.results / "burst" / "refine").iterdir()}
    last = len(names) // 2
    assert last >= 2
    assert names == {f"{step}.json" for step in range(last + 1)} | set(map(str, range(last)))
    for name, values in read_cells(wanted).items():
        np.testing.assert_array_equal(values, alone[name])

    # no chunk of a step lies between rules that share a job on SLURM: planning would be an error
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
    again = copy.planned("--forcerun", "fit_chunk", "--groups", *profile["groups"], config=config)
    assert {"merge_chunks", "plan_refinement", "refine_map"} <= set(again)


def run(workdir, target, config):
    result = workdir.run(str(target.relative_to(workdir.path)), config=config)
    assert result.returncode == 0, result.stdout


def read_cells(path):
    with fits.open(path) as file:
        return {name: np.array(file[1].data[name]) for name in file[1].data.names}
