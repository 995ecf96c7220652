import re
import subprocess
import sys

import pytest
import yaml

from skyquilt.config import parse_config
from skyquilt.runs.installed import template_names, workflow_folder
from skyquilt.steps.workflow import workflow_command


@pytest.mark.parametrize("kind", template_names())
def test_init_writes_a_valid_configuration(run, kind, tmp_path):
    output = tmp_path / "mine.yaml"
    code, printed, _ = run("init", kind, "--output", output)
    assert code == 0
    assert f"skyquilt workflow --config {output}" in printed
    text = output.read_text()
    assert parse_config(yaml.safe_load(text)).analyses
    assert "{name}" not in text


def test_init_never_replaces_a_file(run, tmp_path):
    output = tmp_path / "mine.yaml"
    output.write_text("mine")
    code, _, errors = run("init", "cosi", "--output", output)
    assert code == 2
    assert errors == [f"skyquilt init: error: {output} is there already: choose another --output."]
    assert output.read_text() == "mine"


def test_init_of_an_unknown_kind_names_those_there_are(run, tmp_path):
    code, _, errors = run("init", "hubble", "--output", tmp_path / "a.yaml")
    assert code == 2
    assert "'hubble' is no kind of configuration: cosi, demo, fermi, iact" in errors[0]
    assert not (tmp_path / "a.yaml").exists()


def test_init_into_a_folder_that_is_not_there_is_one_line(run, tmp_path):
    code, _, errors = run("init", "demo", "--output", tmp_path / "no" / "a.yaml")
    assert code == 1
    assert len(errors) == 1
    assert "cannot be written" in errors[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"\xff\xfe", "no UTF-8"),
        (b"analyses: {a: {b: 1}}", "unknown key|missing|required"),
        (b"a: " + b"[" * 3000 + b"]" * 3000, "more than 64 levels"),
    ],
)
def test_bad_configuration_is_one_line_before_snakemake_starts(run, tmp_path, text, message):
    config = tmp_path / "bad.yaml"
    config.write_bytes(text)
    code, _, errors = run("workflow", "--config", config)
    assert code == 2
    assert len(errors) == 1
    assert str(config) in errors[0]
    assert re.search(message, errors[0])


def test_unknown_profile_names_those_there_are(run, tmp_path):
    config = tmp_path / "demo.yaml"
    run("init", "demo", "--output", config)
    code, _, errors = run("workflow", "--config", config, "--profile", "lsf")
    assert code == 2
    assert "--profile lsf: neither one of local, pilot, slurm nor a folder" in errors[0]


def test_targets_are_not_taken_for_configurations():
    config = str(workflow_folder() / "config/demo.yaml")
    command = workflow_command(config, "local", ["calibrate"])
    # Snakemake reads all names after --configfile as files
    assert command[command.index("--configfile") + 2].startswith("--")
    assert command[-1] == "calibrate"


def test_profile_may_be_a_folder(tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "config.yaml").write_text("cores: 1\n")
    config = workflow_folder() / "config/demo.yaml"
    command = workflow_command(str(config), str(folder), ["--dry-run"])
    assert command[command.index("--profile") + 1] == str(folder)
    assert command[-1] == "--dry-run"


@pytest.mark.workflow
@pytest.mark.slow
def test_wheel_runs_the_workflow_where_there_is_no_clone(tmp_path):
    """Built, installed into a folder, and planned from an empty one."""
    root = workflow_folder()
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path]
    subprocess.run([*wheel, root], check=True)
    (built,) = tmp_path.glob("skyquilt-*.whl")
    target = tmp_path / "installed"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", target]
    subprocess.run([*install, built], check=True)
    call = [
        sys.executable,
        "-c",
        f"import sys; sys.path.insert(0, {str(target)!r}); "
        "from skyquilt.cli.main import main; main()",
    ]
    empty = tmp_path / "empty"
    empty.mkdir()
    subprocess.run([*call, "init", "demo"], check=True, cwd=empty)
    done = subprocess.run(
        [*call, "workflow", "--config", "demo.yaml", "--", "--dry-run"],
        cwd=empty,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    assert f"{target}/skyquilt/workflow_files/profiles/local" in done.stdout
    assert "merge_chunks" in done.stdout
