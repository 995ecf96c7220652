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
