"""Peak memory of the steps that read a map, beside the size of the map."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import time_files
from dc2_files import write_analysis, write_data
from measuring import SKYQUILT, Figure, below, run_process

NSIDE = 512


def peakmem_steps() -> Iterator[Figure]:
    """Memory of each step at nside 512 beyond that at nside 16, as a multiple of the map."""
    with tempfile.TemporaryDirectory(dir=time_files.DATA) as folder:
        small, _ = _peaks_mb(Path(folder) / "small", 16)
        large, map_mb = _peaks_mb(Path(folder) / "large", NSIDE)
    yield Figure(f"maps.fits of nside {NSIDE}", f"{map_mb:.0f} MB")
    for step, peak in large.items():
        extra = peak - small[step]
        what = f"{step} of nside {NSIDE}: peak memory; beyond a small map's"
        yield Figure(what, f"{peak:.0f}; {extra:.0f} MB")
        yield below(f"{step} of nside {NSIDE}: times the map", extra / map_mb, 4, "{:.1f}")


def _peaks_mb(folder: Path, nside: int) -> tuple[dict[str, float], float]:
    """Peak memory of each step, and the size of the map [MB]."""
    data = write_data(time_files.DATA, "small")
    config = write_analysis(data, folder, nside=nside, sources={}, fit={"chunks": 12})
    run_process([SKYQUILT, "run", "--quiet", "--config", config])
    made = folder / "results" / "grb"
    files = {name: made / name for name in ("problem.h5", "maps.fits", "refined.fits")}
    problem, maps = ["--problem", files["problem.h5"]], ["--maps", files["maps.fits"]]
    found = ["--skymap", made / "skymap.multiorder.fits", "--summary", made / "summary.json"]
    steps = {
        "refine": [*problem, *maps, "--output", made / "refined.fits"],
        "localise": [*problem, *maps, "--refined", files["refined.fits"], "--output", made],
        "sources": [*problem, *maps, "--output", made / "sources.ecsv"],
        "plot": [*problem, *maps, *found, "--output", made / "plots"],
        "report": ["--output", made / "report.html"],
    }
    which = ["--quiet", "--config", config, "--analysis", "grb"]
    peaks = {
        step: run_process([SKYQUILT, step, *which, *options]).peak_mb
        for step, options in steps.items()
    }
    export = ["export-gadf", "--quiet", *maps, "--output", made / "maps.gadf.fits"]
    peaks["export-gadf"] = run_process([SKYQUILT, *export]).peak_mb
    return peaks, files["maps.fits"].stat().st_size / 1e6
