"""A working directory of Snakemake, for tests."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
TINY = ROOT / "config/test/tiny.yaml"


class Workdir:
    """A working directory of Snakemake.

    Attributes
    ----------
    path : Path
        The directory.
    results : Path
        Its folder of results.
    config : Path
        The tiny configuration, which is used unless another is given.
    profile : Path
        How and where jobs run.
    """

    config = TINY
    profile = ROOT / "profiles/local"

    def __init__(self, path: Path):
        self.path = path
        self.results = path / yaml.safe_load(TINY.read_text())["results"]

    def command(self, *arguments: str | Path, config: Path = TINY) -> list[str]:
        """Command line of a run with the profile."""
        snakemake = [sys.executable, "-m", "snakemake", "--configfile", str(config)]
        where = ["--snakefile", str(ROOT / "Snakefile"), "--profile", str(self.profile)]
        return [*snakemake, *where, *map(str, arguments)]

    def run(
        self, *arguments: str | Path, config: Path = TINY, path: str = ""
    ) -> subprocess.CompletedProcess:
        """Run Snakemake; `path` comes first on PATH."""
        return self.run_command(self.command(*arguments, config=config), path)

    def run_command(self, command: list[str], path: str = "") -> subprocess.CompletedProcess:
        """Run a command; errors are put into its output."""
        return subprocess.run(
            command,
            cwd=self.path,
            env=self.environment(path),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def environment(self, path: str = "") -> dict[str, str]:
        """Environment in which `skyquilt` and `mpiexec` of this Python are found."""
        folders = [path, str(Path(sys.executable).parent), os.environ["PATH"]]
        return os.environ | {"PATH": os.pathsep.join(filter(None, folders))}

    def planned(self, *arguments: str | Path, config: Path = TINY) -> dict[str, int]:
        """Jobs by rule that a run would do, found by a dry run."""
        result = self.run("--dry-run", *arguments, config=config)
        assert result.returncode == 0, result.stdout
        table = re.search(r"^Job stats:\n.*\n-.*\n((?:\w+ +\d+\n)+)", result.stdout, re.MULTILINE)
        rows = table[1].splitlines() if table else []
        jobs = {rule: int(number) for rule, number in map(str.split, rows)}
        return {rule: number for rule, number in jobs.items() if rule not in ("all", "total")}

    def config_with(self, change: Callable[[dict], None]) -> Path:
        """Write the tiny configuration with a change, and return its path."""
        settings = json.loads(json.dumps(yaml.safe_load(TINY.read_text())))  # no shared parts
        change(settings)
        path = self.path / "changed.yaml"
        path.write_text(yaml.safe_dump(settings))
        return path
