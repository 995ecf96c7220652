"""Raw runs of showers in the workflow: each made once, and again where that is due."""

import shutil

import pytest
import yaml

from skyquilt.showers.file import read_showers

pytestmark = pytest.mark.workflow

RUNS = {
    "gamma_run000007_za40deg_South_lsts_ab14a01.simtel.zst": "gamma",
    "proton_run201_za20deg_North_5683fe8.simtel.zst": "proton",
}


@pytest.fixture
def runs(empty, simtel_data):
    """A configuration of two raw runs and nothing else."""
    for name, short in RUNS.items():
        shutil.copy(simtel_data / name, empty.path / f"{short}.simtel.zst")

    def write(**changes):
        settings = {"files": ["*.simtel.zst"]} | changes
        config = {"results": "results", "cache": "cache", "showers": {"runs": {"all": settings}}}
        path = empty.path / "showers.yaml"
        path.write_text(yaml.safe_dump(config))
        return path

    return write


def test_runs_are_made_and_made_again_where_that_is_due(empty, runs):
    config = runs()
    result = empty.run(config=config)
    assert result.returncode == 0, result.stdout
    folder = empty.path / "results/_showers/all/runs"
    assert sorted(path.name for path in folder.iterdir()) == ["gamma.h5", "proton.h5"]
    assert read_showers(folder / "gamma.h5").events["event_id"].tolist() == [1000]
    assert empty.planned(config=config) == {}
    (folder / "gamma.h5").unlink()
    assert empty.planned(config=config) == {"reconstruct_showers": 1}
    shutil.copy(folder / "proton.h5", folder / "gamma.h5")  # of another run
    assert empty.planned(config=config) == {"reconstruct_showers": 1}
    assert empty.planned(config=runs(clean={"picture": 9})) == {"reconstruct_showers": 2}


def test_runs_that_are_not_there_are_one_message(empty, runs):
    result = empty.run(config=runs(files=["away_*.zst"]))
    assert result.returncode == 1
    assert "away_*.zst: no file has such a name" in result.stdout
    assert "Traceback" not in result.stdout
