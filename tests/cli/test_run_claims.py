"""`run` claims its results, and leaves alone what live processes write."""

import subprocess
import sys

import pytest
import yaml

from skyquilt.runs.guard import claim, is_claimed

WRITE = """
import sys
from skyquilt.io.products import new_product
with new_product(sys.argv[1]) as partial:
    partial.write_text("half")
    print(partial.parent, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def config(local, tmp_path):
    settings = {
        "results": str(tmp_path / "results"),
        "cache": str(tmp_path / "cache"),
        "analyses": {"tiny": local.settings},
    }
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(settings))
    return tmp_path / "c.yaml"


def test_second_run_on_the_same_results_is_refused_and_changes_nothing(run, config, tmp_path):
    with claim(tmp_path / "results"):
        before = sorted((tmp_path / "results").rglob("*"))
        code, _, err = run("run", "--quiet", "--config", config, "--threads", "1")
        assert code == 1
        assert "another run works on these results: process " in err[-1]
        assert sorted((tmp_path / "results").rglob("*")) == before


def test_run_removes_leftovers_of_killed_processes_only_and_lets_go_at_its_end(
    run, config, tmp_path
):
    folder = tmp_path / "results/tiny"
    dead = folder / ".maps.fits.abcdefgh"
    dead.mkdir(parents=True)
    command = [sys.executable, "-c", WRITE, folder / "notes.txt"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as writer:
        living = tmp_path / writer.stdout.readline().strip()
        code, _, _ = run("run", "--quiet", "--config", config, "--threads", "1")
        assert code == 0
        assert living.is_dir()
        assert not dead.exists()
        assert run("verify", "--quiet", "--repair", tmp_path / "results")[0] == 0
        assert living.is_dir()
        writer.communicate("\n")
        assert writer.returncode == 0
    assert (folder / "notes.txt").read_text() == "half"
    assert not is_claimed(tmp_path / "results")
    assert not list(folder.rglob(".*"))
