"""Simulated skies without a source: how long a p-value of 1e-4 takes."""

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import time_files
from dc2_files import write_analysis, write_data
from measuring import SKYQUILT, Figure, below, run_process

N_SKIES = 10_000
N_JOBS = 20
N_CORES = 2
LIMIT_S = 300.0


def time_null_skies() -> list[Figure]:
    """10,000 skies at nside 8 of the small burst, by the verb, two jobs at a time."""
    options = {"nside": 8, "null_skies": N_SKIES, "skies_per_job": N_SKIES // N_JOBS}
    with tempfile.TemporaryDirectory() as folder:
        data = write_data(time_files.DATA, "small")
        config = write_analysis(data, Path(folder), calibrate=options)
        model = Path(folder, "model.h5")
        which = ["--config", config, "--analysis", "grb"]
        run_process([SKYQUILT, "prepare", "--quiet", "--all-bins", *which, "--output", model])

        def simulate(job: int) -> None:
            output = Path(folder, f"null-{job}.h5")
            verb = [SKYQUILT, "simulate-skies", "--quiet", *which, "--model", model]
            run_process([*verb, "--kind", "null", "--job", job, "--output", output])

        began = time.perf_counter()
        with ThreadPoolExecutor(N_CORES) as pool:
            list(pool.map(simulate, range(N_JOBS)))
        wall = time.perf_counter() - began
    return [
        below(
            f"{N_SKIES:,} null skies at nside 8, {N_CORES} jobs at a time: wall",
            *(wall, LIMIT_S, "{:.0f} s"),
        ),
        Figure("null skies per second", f"{N_SKIES / wall:.0f}"),
    ]
