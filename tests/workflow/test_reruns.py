"""What is done again after a change, and nothing else."""

import os
import shutil
import sys

import numpy as np
import pytest
from astropy.io import fits

pytestmark = pytest.mark.workflow

PAGE = {"report_analysis": 1, "list_reports": 1}
LOOK = {"plot_maps": 1, **PAGE}
PLACE = {"localise_source": 1, **LOOK}
REFINED = {"refine_map": 1}
SOURCES = {"find_sources": 1}
MAPS = {"merge_chunks": 1, **REFINED, **SOURCES, **PLACE}
FIT = {"plan_sky": 1, "fit_chunk": 3, **MAPS}
PROBLEM = {"prepare_problem": 1, **FIT}
TABLE = {"contract_response": 1, **PROBLEM}


@pytest.fixture(params=["kept", "lost"])
def memory(request, copy):
    """A copy of the finished run with Snakemake's memory of it, and one without."""
    if request.param == "lost":
        shutil.rmtree(copy.path / ".snakemake")
    return copy


@pytest.mark.parametrize(
    ("section", "settings", "redone"),
    [
        ("plots", {"colormap": "magma"}, LOOK),
        ("localise", {"true_position": None}, PLACE),
        ("localise", {"levels": [0.5]}, REFINED | PLACE),
        ("refine", {"max_order": 5}, REFINED | PLACE),
        ("sources", {"threshold": 20}, SOURCES | LOOK),
        ("map", {"nside": 8}, FIT),
        ("fit", {"limits": False}, FIT),
        ("fit", {"allow_negative": True}, PROBLEM),
        ("fit", {"chunks": 6}, FIT | {"fit_chunk": 6}),
        ("data", {"time_weights": "elapsed"}, PROBLEM),
        ("energy", {"sum_channels": True}, TABLE),
        ("spectrum", {"index": -2.0}, TABLE),
    ],
)
def test_changed_setting_redoes_what_depends_on_it(memory, section, settings, redone):
    config = memory.config_with(
        lambda content: content["analyses"]["burst"].setdefault(section, {}).update(settings)
    )
    assert memory.planned(config=config) == redone


def test_changed_simulation_redoes_everything(memory):
    config = memory.config_with(lambda content: content["simulation"].update(seed=2))
    planned = memory.planned(config=config)
    assert planned["simulate"] == 1
    assert planned["contract_response"] == 2


def test_changed_binning_redoes_what_depends_on_it(memory):
    config = memory.config_with(lambda content: content["binning"]["steady"].update(nside=2))
    planned = memory.planned(config=config)
    once = ("bin_events_steady", "prepare_problem", "merge_chunks", "report_analysis")
    assert {planned[rule] for rule in once} == {1}
    assert "simulate" not in planned


def test_results_that_were_moved_are_kept(memory):
    assert memory.planned() == {}


def test_changed_ranks_and_threads_redo_nothing(copy):
    ranks = ("--set-resources", "fit_chunk:tasks=2", "--set-threads", "fit_chunk=2")
    assert copy.planned(*ranks) == {}


@pytest.mark.parametrize("age_s", [-1e6, 0, 1e6])
def test_new_data_redo_what_depends_on_them_however_old_they_are(memory, age_s):
    path = memory.path / "tiny's data" / "burst.h5"
    stat = path.stat()
    with path.open("ab") as file:
        file.write(b"more")
    os.utime(path, (stat.st_atime, stat.st_mtime - age_s))
    assert memory.planned() == PROBLEM


def test_other_analysis_is_added_without_redoing_the_first(copy):
    def add(content):
        content["analyses"]["other"] = content["analyses"]["burst"] | {"fit": {"chunks": 12}}

    config = copy.config_with(add)
    assert copy.planned(config=config) == TABLE | {"fit_chunk": 12}


def test_deleted_chunk_is_fitted_again_by_two_ranks_to_the_same_map(copy):
    folder = copy.results / "burst"
    before = read_columns(folder / "maps.fits")
    for name in ("chunks/001-of-003.h5", "maps.fits"):
        (folder / name).unlink()
    assert copy.planned() == {"fit_chunk": 1, **MAPS}
    ranks = ("--set-resources", "fit_chunk:tasks=2", "--set-threads", "fit_chunk=2")
    result = copy.run("results of 'tiny'/burst/maps.fits", "--printshellcmds", *ranks)
    assert result.returncode == 0, result.stdout
    assert "mpiexec -n 2 skyquilt fit-chunk" in result.stdout
    after = read_columns(folder / "maps.fits")
    assert after.keys() == before.keys()
    for name in before:
        np.testing.assert_array_equal(after[name], before[name])


@pytest.mark.parametrize(
    ("name", "redone"),
    [
        ("problem.h5", PROBLEM),
        ("plan.json", FIT),
        ("chunks/001-of-003.h5", {"fit_chunk": 1, **MAPS}),
        ("maps.fits", MAPS),
        ("summary.json", PLACE),
    ],
)
def test_deleted_product_is_made_again_although_what_follows_is_there(copy, name, redone):
    (copy.results / "burst" / name).unlink()
    assert copy.planned() == redone


def test_damaged_chunk_is_set_aside_by_verify_and_redone_with_what_follows(copy, damage):
    chunk = copy.results / "burst/chunks/001-of-003.h5"
    times = chunk.stat()
    damage(chunk, dataset="ts")
    os.utime(chunk, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert copy.planned() == {}  # Snakemake looks at times, not at contents
    verify = [sys.executable, "-m", "skyquilt.cli.main", "verify", copy.results]
    assert "1 damaged" in copy.run_command(verify).stdout
    assert "1 set aside" in copy.run_command([*verify, "--repair"]).stdout
    assert copy.planned() == {"fit_chunk": 1, **MAPS}


def read_columns(path):
    with fits.open(path) as file:
        table = file[1].data
        return {name: np.array(table[name]) for name in table.names}
