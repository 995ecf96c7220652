"""A run of the tiny sky on the lab's SLURM, with a journal of its fits and faults to inject."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import yaml
from astropy.io import fits
from lab import Lab, wait_until
from workdir import ROOT, Workdir

MAPS = "results of 'tiny'/burst/maps.fits"
CHUNKS = ("000-of-003", "001-of-003", "002-of-003")
RANKS = 2

# Stands before the real program on PATH; each rank comes through here.
_SCRIPT = """\
#!/bin/sh
case "$1" in fit-chunk)
    for word in "$@"; do
        [ "$before" = --chunk ] && chunk=$(expr "$word" + 0)
        before=$word
    done
    rank=${{SLURM_PROCID:-${{PMI_RANK:-0}}}}
    [ "$rank" = 0 ] && echo "$chunk" >> "{folder}/journal"
    [ -e "{folder}/fault-$chunk-$rank" ] && . "{folder}/fault-$chunk-$rank"
esac
exec "{skyquilt}" "$@"
"""


class ClusterRun(Workdir):
    """A working directory whose jobs go to the lab.

    Parameters
    ----------
    path : Path
        Working directory of Snakemake.
    lab : Lab
        The SLURM.
    """

    def __init__(self, path: Path, lab: Lab):
        super().__init__(path)
        self.lab = lab
        self.profile = path / "profile"
        self.set_profile()
        self.tools = path / "tools"
        self.tools.mkdir(exist_ok=True)
        script = self.tools / "skyquilt"
        skyquilt = Path(sys.executable).parent / "skyquilt"
        script.write_text(_SCRIPT.format(folder=self.tools, skyquilt=skyquilt))
        script.chmod(0o755)

    def set_profile(self, changes: Callable[[dict], None] = lambda profile: None) -> None:
        """Take `profiles/slurm` with a change.

        The jobs of a test take some seconds: after that time the driver looks for the first time.
        """
        profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
        profile |= {"slurm-init-seconds-before-status-checks": 7, "latency-wait": 5}
        changes(profile)
        self.profile.mkdir(exist_ok=True)
        (self.profile / "config.yaml").write_text(yaml.safe_dump(profile))

    def environment(self, path: str = "") -> dict[str, str]:
        """Environment with the script first on PATH, then the lab's commands."""
        environment = super().environment(path)
        folders = [str(self.tools), str(self.lab.folder / "bin"), environment["PATH"]]
        slurm = {"SLURM_CONF": str(self.lab.configuration), "MPLBACKEND": "Agg"}
        return environment | slurm | {"PATH": os.pathsep.join(folders)}

    def start(self, *arguments) -> subprocess.Popen:
        """Start a driver; its output goes to the file `driver.log`."""
        with (self.path / "driver.log").open("a") as log:
            return subprocess.Popen(
                self.command(*arguments),
                cwd=self.path,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def set_fault(self, chunk: int, command: str, *, rank: int = 0, once: bool = True) -> None:
        """Let one rank of a chunk run a shell command first."""
        file = self.tools / f"fault-{chunk}-{rank}"
        file.write_text(f"rm '{file}'; {command}\n" if once else f"{command}\n")

    def fits(self) -> dict[int, int]:
        """How often the fit of each chunk was started."""
        journal = self.tools / "journal"
        lines = journal.read_text().split() if journal.exists() else []
        return {int(chunk): lines.count(chunk) for chunk in sorted(set(lines))}

    def wait_for_fit(self, chunk: int) -> None:
        """Wait until the fit of a chunk was started."""
        wait_until(lambda: chunk in self.fits(), f"start of chunk {chunk}")

    def done(self) -> set[str]:
        """Chunks that are there under their final names."""
        return {path.stem for path in (self.results / "burst/chunks").glob("*.h5")}

    def output(self) -> str:
        """What the drivers that were started have said."""
        return (self.path / "driver.log").read_text()

    def jobs_of_chunks(self) -> list[dict[str, str]]:
        """What SLURM noted of the jobs that have ended; those of chunks have two processes."""
        text = (self.lab.folder / "log/jobs.log").read_text()
        jobs = [dict(re.findall(r"(\w+)=(\S*)", line)) for line in text.splitlines()]
        here = [job for job in jobs if job["WorkDir"] == str(self.path.resolve())]
        return [job for job in here if job["ProcCnt"] == str(RANKS)]

    def columns(self) -> dict[str, bytes]:
        """Bytes of all columns of the map."""
        return columns(self.path / MAPS)


def columns(path: Path) -> dict[str, bytes]:
    """Bytes of all columns of a FITS table."""
    with fits.open(path) as file:
        table = file[1].data
        return {name: np.array(table[name]).tobytes() for name in table.names}
