"""From files to maps: whole processes from exec to exit."""

import csv
import shutil
import sys
import tempfile
import time
from pathlib import Path

from dc2 import burst_problem
from dc2_files import BURST, START, write_analysis, write_data
from measuring import (
    HEAVY,
    SKYQUILT,
    Cost,
    Figure,
    alternate,
    below,
    cost_of,
    median_cost,
    run_process,
)
from time_ranks import write_files

from skyquilt.instruments.compton.orientation_files import read_orientation
from skyquilt.io.digest import TICK_S

N_CACHED = 5
N_UNCACHED = 3
N_STARTS = 15
N_RECORDS = 90 * 86400
DATA = Path(tempfile.gettempdir()) / "skyquilt-benchmarks"
"""Folder of the simulated files; run.py replaces it by what --folder says."""
ROOT = Path(__file__).parent.parent


def time_map_cached() -> list[Figure]:
    """`skyquilt run` of an nside 16 map of DC2's shape, its table in the cache."""
    with tempfile.TemporaryDirectory(dir=DATA) as folder:
        config = write_analysis(write_data(DATA, "dc2"), Path(folder))
        run_map(config)
        cost = median_cost([run_map(config) for _ in range(N_CACHED)])
    return [
        below("nside 16 map, table cached: wall, exec to exit", cost.wall, 3, "{:.2f} s"),
        Figure("its CPU, peak memory", f"{cost.cpu:.2f} s, {cost.peak_mb:.0f} MB"),
    ]


def peakmem_map_uncached() -> list[Figure]:
    """The same from the response of 8.5 GB, which is in the page cache, and no other cache."""
    with tempfile.TemporaryDirectory(dir=DATA) as folder:
        config = write_analysis(write_data(DATA, "dc2"), Path(folder))
        response = DATA / "dc2" / "response.h5"
        cost = median_cost([run_uncached(config, response) for _ in range(N_UNCACHED)])
    return [
        Figure("nside 16 map, 8.5 GB response, nothing cached: wall", f"{cost.wall:.1f} s"),
        Figure("its CPU", f"{cost.cpu:.1f} s"),
        below("its peak memory", cost.peak_mb, 1000, "{:.0f} MB"),
    ]


def run_map(config: Path) -> Cost:
    """Cost of `skyquilt run`, which is one process; results of an earlier one would be kept."""
    shutil.rmtree(config.parent / "results", ignore_errors=True)
    return run_process([SKYQUILT, "run", "--quiet", "--config", config])


def run_uncached(config: Path, response: Path) -> Cost:
    """The same without cached tables and digests; the response is read once before."""
    shutil.rmtree(config.parent / "cache", ignore_errors=True)
    _read(response)
    return run_map(config)


def _read(path: Path) -> None:
    """Read a file to its end, so that it is in the page cache."""
    with path.open("rb", buffering=0) as file:
        while file.read(1 << 24):
            pass


def time_orientation() -> list[Figure]:
    """Text of three months of orientation in steps of 1 s: 40 s of it, the first time and later."""
    with tempfile.TemporaryDirectory(dir=DATA) as folder:
        path, cache = Path(folder, "orientation.ori"), Path(folder, "cache")
        write_long_orientation(path)
        time.sleep(TICK_S)  # what has just changed is not kept
        first, later = (
            cost_of(lambda: read_orientation(path, BURST, cache=cache)) for _ in range(2)
        )
    return [
        Figure(
            f"orientation, {N_RECORDS:,} records of text, first time: CPU", f"{first.cpu:.1f} s"
        ),
        below("the same, later: CPU", later.cpu, 0.1, "{:.4f} s"),
    ]


def write_long_orientation(path: Path) -> None:
    """Write records of a telescope that turns 0.06 deg/s."""
    with path.open("w") as file:
        file.write("Type OrientationsGalactic\n")
        for second in range(N_RECORDS):
            turned = 0.06 * second % 360
            z, earth = (turned + 90) % 360, (turned + 80) % 360
            time_lat_lon = f"{START + second:.6f} 0.0 {turned:.6f} 0.0 {z:.6f}"
            file.write(f"OG {time_lat_lon} 550.0 0.0 {earth:.6f} 0.98\n")
        file.write("EN\n")


def time_worker_start() -> list[Figure]:
    """`skyquilt fit-chunk` of 12 pixels against the import of its two libraries."""
    with tempfile.TemporaryDirectory() as folder:
        files = write_files(Path(folder), burst_problem(), 1)
        output = Path(folder, "chunk.h5")
        arguments = ["fit-chunk", "--quiet", "--problem", files.problem, "--plan", files.plan]
        arguments = [str(part) for part in (*arguments, "--chunk", 0, "--output", output)]
        start, imports = alternate(
            N_STARTS,
            lambda: run_process([SKYQUILT, *arguments]),
            lambda: run_process([sys.executable, "-c", "import numpy, h5py"]),
        )
        check_imports(arguments)
    return [
        Figure("python -c 'import numpy, h5py', wall", f"{imports.wall:.3f} s"),
        Figure("skyquilt fit-chunk of 12 pixels, wall", f"{start.wall:.3f} s"),
        below("worker start: times the imports", start.wall / imports.wall, 2, "{:.2f}"),
    ]


def check_imports(arguments: list[str]) -> None:
    """Check that a worker imports no library that it does not need.

    Raises
    ------
    RuntimeError
        If it does; the message names them.
    """
    code = (
        "import sys; from skyquilt.cli.main import main; main(sys.argv[1:]); "
        f"found = set({HEAVY}) & set(sys.modules); sys.exit(str(found) if found else 0)"
    )
    run_process([sys.executable, "-c", code, *arguments])


def time_workflow() -> list[Figure]:
    """Snakemake's wall time beyond that of its jobs, for one analysis of small files.

    Beside it, that of as many jobs that do nothing.
    """
    figures, n_jobs = [], {}
    for nside in (64, 256):
        with tempfile.TemporaryDirectory() as folder:
            config = write_analysis(write_data(DATA, "small"), Path(folder), nside=nside)
            command = ["--configfile", config, "--snakefile", ROOT / "Snakefile"]
            cost = run_snakemake(Path(folder), *command)
            jobs = job_seconds(Path(folder) / "results")
        extra = cost.wall - sum(map(sum, jobs.values()))
        n_jobs[nside] = sum(map(len, jobs.values()))
        line = ", ".join(f"{name} {sum(seconds):.1f}" for name, seconds in jobs.items())
        part = 100 * extra / cost.wall
        figures += [
            Figure(f"workflow of nside {nside}: wall; jobs", f"{cost.wall:.1f} s; {line} s"),
            Figure(f"workflow of nside {nside}: wall beyond the jobs", f"{extra:.1f} s"),
            below(f"workflow of nside {nside}: part beyond the jobs", part, 20, "{:.0f} %"),
        ]
    wall = empty_workflow_wall(n_jobs[64])
    return [*figures, Figure(f"workflow of {n_jobs[64]} empty jobs: wall", f"{wall:.1f} s")]


def empty_workflow_wall(n_jobs: int) -> float:
    """Wall time of jobs that do nothing, one after the other [s]."""
    with tempfile.TemporaryDirectory() as folder:
        snakefile = Path(__file__).parent / "empty.smk"
        return run_snakemake(
            Path(folder), "--snakefile", snakefile, "--config", f"jobs={n_jobs}"
        ).wall


def run_snakemake(folder: Path, *arguments: str | Path) -> Cost:
    """Cost of a whole workflow, from the files to the plots."""
    command = [sys.executable, "-m", "snakemake", "--nolock", "--directory", folder]
    return run_process([*command, "--profile", ROOT / "profiles" / "local", *arguments])


def job_seconds(results: Path) -> dict[str, list[float]]:
    """Wall time of the jobs of each rule, from Snakemake's benchmark files [s]."""
    seconds = {}
    for path in sorted(results.glob("*/benchmarks/**/*.tsv")):
        with path.open(newline="") as file:
            name = path.relative_to(results).parts[2].removesuffix(".tsv")
            row = next(csv.DictReader(file, delimiter="\t"))
        seconds.setdefault(name, []).append(float(row["s"]))
    return seconds
