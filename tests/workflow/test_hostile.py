"""A hostile configuration: nothing in it reaches a shell, or a place that is not its own."""

import json

import pytest
import yaml
from workdir import TINY

pytestmark = pytest.mark.workflow

HOSTILE = 'x\'; touch pwned; "$(touch pwned)" `touch pwned` & touch pwned #'


def test_hostile_names_of_folders_and_files_are_names(empty):
    settings = TINY.read_text().replace("tiny's data", "DATA")
    settings = yaml.safe_load(settings)
    text = json.dumps(settings | {"results": f"results {HOSTILE}", "cache": f"cache {HOSTILE}"})
    config = empty.path / "hostile.json"
    config.write_text(text.replace("DATA", json.dumps(f"data {HOSTILE}")[1:-1]))
    result = empty.run("--until", "contract_response", config=config)
    assert result.returncode == 0, result.stdout
    assert (empty.path / f"results {HOSTILE}/burst/table.json").is_file()
    assert not list(empty.path.rglob("pwned"))


@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped", "$(touch pwned)", "a;b", "-rf"])
def test_hostile_name_of_an_analysis_is_refused(empty, name):
    def rename(content):
        content["analyses"] = {name: content["analyses"]["burst"]}

    result = empty.run("--dry-run", config=empty.config_with(rename))
    assert result.returncode == 1
    assert "analyses" in result.stdout
    assert "Traceback" not in result.stdout
    assert not list(empty.path.rglob("pwned"))


def test_yaml_that_makes_objects_is_refused(empty):
    config = empty.path / "objects.yaml"
    config.write_text('analyses: !!python/object/apply:os.system ["touch pwned"]\n')
    assert empty.run("--dry-run", config=config).returncode == 1
    check = ["skyquilt", "check", "--config", str(config)]
    assert empty.run_command(check).returncode == 2
    assert not list(empty.path.rglob("pwned"))


def test_braces_in_a_folder_are_refused(empty):
    config = empty.config_with(lambda content: content.update(results="{analysis}"))
    result = empty.run("--dry-run", config=config)
    assert result.returncode == 1
    assert "results: '{analysis}': allowed are printable letters other than braces" in result.stdout


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("results", "../escaped"),
        ("results", "results/../../escaped"),
        ("results", "/srv/../etc"),
        ("cache", "cache/.."),
        ("simulation.folder", "../escaped"),
        ("binning.steady.output", "data/../../escaped.h5"),
    ],
)
def test_output_that_leads_out_of_its_folder_is_refused(empty, key, path):
    refused = refuse(empty, key, path)
    assert f"{key}: {path!r}: `..` is not allowed where something is written" in refused


def test_file_in_a_folder_that_is_not_given_is_refused(empty):
    path = str(empty.path.parent / "escaped.h5")
    refused = refuse(empty, "binning.steady.output", path)
    assert f"binning.steady.output: {path!r} is outside the folders that are written" in refused


def refuse(empty, key, path):
    """Message with which the workflow and the verbs refuse a place of outputs."""

    def change(content):
        *parents, last = key.split(".")
        for parent in parents:
            content = content[parent]
        content[last] = path

    config = empty.config_with(change)
    before = set(empty.path.iterdir())
    checked = empty.run_command(["skyquilt", "check", "--config", str(config)])
    assert checked.returncode == 2, checked.stdout
    result = empty.run("--dry-run", config=config)
    assert result.returncode == 1, result.stdout
    assert "Traceback" not in checked.stdout + result.stdout
    assert {path.name for path in set(empty.path.iterdir()) - before} <= {".snakemake"}
    message = checked.stdout.partition(f"{config}: ")[2].strip()
    assert message in result.stdout
    return message
