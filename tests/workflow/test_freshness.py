"""Results of another configuration, analysis, place or program are never taken for fresh ones."""

import json
import shutil
import sys

import pytest
from workdir import Workdir

pytestmark = [pytest.mark.workflow, pytest.mark.slow, pytest.mark.timeout(900)]

SKYQUILT = [sys.executable, "-m", "skyquilt.cli.main"]


def verify(workdir):
    return workdir.run_command([*SKYQUILT, "verify", "--quiet", workdir.results]).stdout


def is_whole(workdir):
    return verify(workdir).endswith(" whole, 0 missing, 0 foreign, 0 damaged\n")


def summary(workdir, name="burst"):
    return json.loads((workdir.results / name / "summary.json").read_text())


def forget(workdir):
    shutil.rmtree(workdir.path / ".snakemake")


def change_burst(workdir, **sections):
    def change(content):
        for section, settings in sections.items():
            content["analyses"]["burst"].setdefault(section, {}).update(settings)

    return workdir.config_with(change)


def run_alone(workdir, config):
    command = [*SKYQUILT, "run", "--config", config, "--analysis", "burst", "--threads", "1"]
    result = workdir.run_command(command)
    assert result.returncode == 0, result.stdout
    return result.stdout


def test_analysis_that_was_copied_is_made_again_under_its_new_name(copy):
    shutil.copytree(copy.results / "burst", copy.results / "other")
    config = copy.config_with(
        lambda content: content["analyses"].update(other=content["analyses"]["burst"])
    )
    planned = copy.planned(config=config)
    assert planned["prepare_problem"] == 1
    assert planned["fit_chunk"] == 3
    assert planned["localise_source"] == 1


def test_dry_run_with_stale_results_changes_nothing_and_says_why(copy, untouched):
    config = change_burst(copy, spectrum={"index": -3.5})
    forget(copy)
    with untouched(copy.results):
        result = copy.run("--dry-run", config=config)
    assert result.returncode == 0, result.stdout
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("stale")]
    assert line.startswith("stale, will be made again: burst: table, problem, plan, chunks, maps")
    assert line.endswith(": spectrum.index was -2.2 and is -3.5")


@pytest.mark.parametrize("name", ["burst.h5", "orientation.ori", "response.h5"])
def test_input_that_is_away_and_not_made_is_an_error(copy, name, untouched):
    config = copy.config_with(
        lambda content: [content.pop(key) for key in ("simulation", "binning")]
    )
    path = copy.path / "tiny's data" / name
    path.unlink()
    for options in (("--dry-run",), ()):
        with untouched(copy.results / "burst"):
            result = copy.run(*options, config=config)
        assert result.returncode == 1
        assert f"tiny's data/{name}: no such file (analysis burst)" in result.stdout
        assert "Traceback" not in result.stdout


def test_input_that_is_away_and_is_made_is_made_again_with_what_follows(copy):
    (copy.path / "tiny's data/steady_binned.h5").unlink()
    planned = copy.planned()
    assert planned["bin_events_steady"] == planned["prepare_problem"] == 1


def test_other_chunks_without_snakemakes_memory_are_one_run(copy):
    before = summary(copy)["best"]
    config = change_burst(copy, fit={"chunks": 6})
    forget(copy)
    result = copy.run(config=config)
    assert result.returncode == 0, result.stdout
    assert "stale, set aside: burst: plan, chunks, maps" in result.stdout
    assert len(list((copy.results / "burst/chunks").glob("*.h5"))) == 6
    assert summary(copy)["best"] == before
    assert is_whole(copy), verify(copy)
    assert copy.planned(config=config) == {}


def test_run_then_snakemake_and_back_answer_what_was_asked_last(copy):
    other = change_burst(copy, spectrum={"index": -3.5}, map={"nside": 8})
    text = run_alone(copy, other)
    assert "stale, set aside: burst: " in text
    # no figure and no page of the old settings stands beside the new numbers
    names = {path.name for path in (copy.results / "burst").iterdir()}
    assert not names & {"plots", "report.html"}
    assert not (copy.results / "index.html").exists()
    again = copy.run()
    assert again.returncode == 0, again.stdout
    assert summary(copy)["nside"] == 4
    assert is_whole(copy), verify(copy)
    page = (copy.results / "burst/report.html").read_text()
    assert "-3.5" not in page
    assert "fit " not in run_alone(copy, copy.config).partition("time ")[2]  # all is kept
    assert copy.planned() == {}


def test_two_working_directories_on_one_folder_of_results(copy, tmp_path):
    config = copy.config_with(lambda content: content.update(results=str(copy.results)))
    second = Workdir(tmp_path / "second")
    shutil.copytree(copy.path / "tiny's data", second.path / "tiny's data")
    assert second.planned(config=config) == {}
    with (second.path / "tiny's data/background.h5").open("ab") as file:
        file.write(b"more")
    planned = second.planned(config=config)
    assert planned["prepare_problem"] == 1
    assert "contract_response" not in planned


def test_status_names_what_is_stale(copy):
    path = copy.results / "burst/config.yaml"
    path.write_text(path.read_text().replace("index: -2.2", "index: -3.5"))
    text = copy.run_command([*SKYQUILT, "status", copy.results]).stdout
    assert "stale: burst: table, problem, plan, chunks, maps" in text
    assert "spectrum.index was -2.2 and is -3.5" in text
