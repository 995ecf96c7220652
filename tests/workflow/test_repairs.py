"""What `verify --repair` sets aside is made again by the next run, whatever follows from it."""

import shutil
import sys

import pytest
from workdir import Workdir

pytestmark = [pytest.mark.workflow, pytest.mark.slow, pytest.mark.timeout(900)]

SKIES = {"null_skies": 100, "injections": 20, "skies_per_job": 100}
LOOK = {"plot_maps", "report_analysis", "list_reports"}
PLACE = {"localise_source", *LOOK}
SKY = {"calibrate_analysis", "report_analysis", "list_reports"}

# Files of which none is made from another, and the rules that make them and what follows.
ENDS = ("sources.ecsv", "regions/credible-90.reg", "calibration.h5")
ENDS_RULES = {"find_sources"} | PLACE | SKY
MIDDLE = ("refine/0/000-of-001.h5", "skies/null-000-of-001.h5", "summary.json", "report.html")
# the plans of later steps follow from the chunk
MIDDLE_RULES = {"fit_refinement", "plan_refinement", "refine_map", "simulate_skies"} | PLACE | SKY

ALONE = {
    "skymap.fits": PLACE,
    "sources.fits": {"find_sources"} | LOOK,
    "plots": LOOK,
    "calibration-plots": SKY,
    "model.h5": {"prepare_model", "simulate_skies"} | SKY,
    "../index.html": {"list_reports"},
}


@pytest.fixture(scope="module")
def run(whole, tmp_path_factory):
    """A finished run with simulated skies and a refinement in chunks, and its configuration."""

    def ask(content):
        wanted = {"calibrate": SKIES, "refine": {"max_order": 3, "chunks": True}}
        content["analyses"]["burst"].update(wanted)

    path = tmp_path_factory.mktemp("repairs") / "run"
    workdir = Workdir(shutil.copytree(whole.path, path))
    config = workdir.config_with(ask)
    finish(workdir, config)
    return workdir, config


def finish(workdir, config):
    result = workdir.run(config=config)
    assert result.returncode == 0, result.stdout
    assert verify(workdir).endswith(" whole, 0 missing, 0 foreign, 0 damaged\n")
    assert workdir.planned(config=config) == {}  # one run is enough


def verify(workdir, *options):
    command = [sys.executable, "-m", "skyquilt.cli.main", "verify", workdir.results, *options]
    return workdir.run_command(command).stdout


@pytest.mark.parametrize("name", ALONE)
def test_product_that_is_away_is_planned_with_what_follows(run, name):
    workdir, config = run
    path, aside = workdir.results / "burst" / name, workdir.path / "aside"
    path.rename(aside)
    try:
        assert set(workdir.planned(config=config)) == ALONE[name]
    finally:
        aside.rename(path)


def test_deleted_figures_are_missed_and_made_again(run):
    workdir, config = run
    folder = workdir.results / "burst"
    gone = [folder / "plots/ts.png", folder / "calibration-plots/maxima.pdf"]
    for path in gone:
        path.unlink()

    assert " 2 missing, 0 foreign, 0 damaged" in verify(workdir)
    assert "2 set aside" in verify(workdir, "--repair")

    finish(workdir, config)
    assert all(path.is_file() for path in gone)


@pytest.mark.parametrize(("names", "rules"), [(ENDS, ENDS_RULES), (MIDDLE, MIDDLE_RULES)])
def test_damaged_files_are_made_again_with_what_follows(run, truncate, names, rules):
    workdir, config = run
    folder = workdir.results / "burst"
    chunk = folder / "chunks/000-of-003.h5"
    made_ns = chunk.stat().st_mtime_ns
    for name in names:
        truncate(folder / name)

    text = verify(workdir, "--repair")

    assert "set aside, 0 half-written removed" in text
    # what was made from them goes along
    assert not any((folder / name).exists() for name in names)
    assert set(workdir.planned(config=config)) <= rules  # later steps are known when it runs
    finish(workdir, config)
    assert all((folder / name).is_file() for name in names)
    assert chunk.stat().st_mtime_ns == made_ns
