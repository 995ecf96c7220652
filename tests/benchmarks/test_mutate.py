"""A few changes of every kind of file, in processes of their own; `make fuzz` tries many more."""

import subprocess
import sys
from pathlib import Path

import mutate
import pytest
from fuzzing.kinds import KINDS

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "mutate.py"
TIMES = 3  # changes of each kind
N_GROUPS = 4


@pytest.fixture(scope="module")
def try_kinds(tmp_path_factory):
    """Run the program on some kinds; what it prints. The good files are made once."""
    folder = tmp_path_factory.mktemp("mutate")
    command = [sys.executable, PROGRAM, "--number", str(TIMES), "--folder", folder]

    def run(kinds):
        names = [kind.name for kind in kinds]
        materials = ["--materials", folder / "materials", "--kinds", *names]
        done = subprocess.run([*command, *materials], capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1), done.stderr[-2000:]
        return done.stdout

    return run


# Groups, for to start the program takes as long as to try some kinds.
@pytest.mark.slow
@pytest.mark.parametrize("group", range(N_GROUPS))
def test_changed_files_end_well(try_kinds, group):
    kinds = KINDS[group::N_GROUPS]

    text = try_kinds(kinds)

    bad = [line for line in text.splitlines() if line.startswith("    ")]
    assert bad == []
    assert all(f"| {kind.name} " in text for kind in kinds)


def test_there_are_thirty_kinds_and_more():
    names = [kind.name for kind in KINDS]
    assert len(set(names)) == len(names) > 30


ROWS = {"exposure": [3, 1, 0, 2, 0, 0, 0, 0, 0], "photons": [2, 0, 0, 1, 0, 0, 1, 0, 0]}


def test_rows_of_a_page_are_those_that_were_written():
    page = mutate.table(ROWS, "Seed 1.")

    assert mutate.read_rows(page) == ROWS | {"all 2 kinds": [5, 1, 0, 3, 0, 0, 1, 0, 0]}
