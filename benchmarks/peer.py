"""skyquilt against cosipy: the same files, the same pixels, the same TS; CPU of both.

    python benchmarks/peer.py --peer .venv-peer/bin/python
        [--newest .venv-formats-cosipy/bin/python] [--shape dc2] [--pixels 8]

cosipy 0.3.4, whose published values are met, fits some pixels only: those of the highest TS, every
tenth, for it stops with an error at a pixel that prefers no source. cosipy 0.4.3 makes whole maps.
All programs keep to one thread.
"""

import one_thread  # noqa: F401

# isort: split
import argparse
import json
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import time_files
from dc2 import all_directions
from dc2_files import BURST, write_analysis, write_data
from measuring import Cost, Figure, cost_of, median_cost, print_table
from peer_newest import compare_newest

NSIDE = 16
CHANNEL = [2, 3]
TS_TOLERANCE = 1e-3  # cosipy stops where a Newton step is below 1e-3 of the flux
SCRIPT = Path(__file__).parent / "peers" / "fit_with_cosipy.py"
N_FITS = 15


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer", type=Path, required=True, help="Python that has cosipy 0.3.4")
    parser.add_argument("--newest", type=Path, help="Python that has cosipy 0.4.3 (default: none)")
    parser.add_argument("--shape", choices=("small", "dc2"), default="small")
    parser.add_argument("--pixels", type=int, default=8, help="fitted by cosipy (default 8)")
    parser.add_argument("--folder", type=Path, default=time_files.DATA, help="of simulated files")
    parser.add_argument("--keep", action="store_true", help="keep the simulated files")
    parser.add_argument("--page", type=Path, help="page in which the table replaces the last one")
    options = parser.parse_args()
    time_files.DATA = options.folder.resolve()
    time_files.DATA.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=time_files.DATA) as folder:
            figures = compare(options, Path(folder))
            print_table(figures, options.page, f"make bench-peer SHAPE={options.shape}")
    finally:
        if not options.keep:
            shutil.rmtree(time_files.DATA, ignore_errors=True)


def compare(options: argparse.Namespace, folder: Path) -> Iterator[Figure]:
    """Figures of both versions of cosipy."""
    yield from compare_pixels(options.peer, options.shape, options.pixels, folder)
    if options.newest:
        yield from compare_newest(options.newest, options.shape, folder)
    else:
        yield Figure("cosipy 0.4.3", "needs Python 3.12, which was not found")


def compare_pixels(peer: Path, shape: str, n_pixels: int, folder: Path) -> Iterator[Figure]:
    """Figures of cosipy 0.3.4.

    Raises
    ------
    RuntimeError
        If the two programs fit different TS.
    """
    config = write_analysis(write_data(time_files.DATA, shape), folder / "pixels")
    time_files.run_map(config)
    results = config.parent / "results" / "grb"
    ts = read_ts(results)
    ipix = np.argsort(ts)[::-1][: 10 * n_pixels : 10]
    theirs = run_cosipy(peer, time_files.DATA / shape, ipix, folder)
    fit, n_hit = fit_cost(results)
    yield from agreement(ts[ipix], theirs)
    yield from costs(theirs, fit, n_hit)


def read_ts(results: Path) -> np.ndarray:
    """TS of all pixels, RING."""
    import healpy

    return healpy.read_map(results / "maps.fits", dtype=np.float64)


def fit_cost(results: Path) -> tuple[Cost, int]:
    """Median cost of the fit of a pixel with the problem in memory; number of hit bins."""
    from skyquilt.fit.pixels import fit_pixels
    from skyquilt.problem.file import read_problem

    problem, directions = read_problem(results / "problem.h5"), all_directions(NSIDE)
    cost = median_cost([cost_of(lambda: fit_pixels(problem, directions)) for _ in range(N_FITS)])
    return Cost(cost.wall / len(directions), cost.cpu / len(directions)), problem.counts.size


def run_cosipy(peer: Path, data: Path, ipix: np.ndarray, folder: Path) -> list[dict[str, float]]:
    """What cosipy finds for each pixel, and what it costs."""
    job = {"folder": str(data), "interval": BURST, "channel": CHANNEL, "nside": NSIDE}
    path = folder / "job.json"
    path.write_text(json.dumps(job | {"ipix": ipix.tolist()}))
    done = subprocess.run([peer, SCRIPT, path], capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if done.returncode or not lines:
        raise RuntimeError(f"cosipy failed:\n{done.stderr}")
    return json.loads(lines[-1].removeprefix("RESULT "))


def agreement(ours: np.ndarray, theirs: list[dict[str, float]]) -> Iterator[Figure]:
    """Largest relative difference of TS."""
    other = np.array([fit["ts"] for fit in theirs])
    largest = float(np.max(np.abs(ours - other) / other))
    yield Figure(
        "cosipy 0.3.4: pixels fitted by both; their TS",
        f"{len(other)}; {min(ours):.1f} to {max(ours):.1f}",
    )
    yield Figure(
        "cosipy 0.3.4: largest relative difference of TS",
        f"{largest:.1e}",
        f"< {TS_TOLERANCE:g}",
        largest < TS_TOLERANCE,
    )
    if not largest < TS_TOLERANCE:
        raise RuntimeError(f"TS of skyquilt {ours}, of cosipy {other}.")


def costs(theirs: list[dict[str, float]], fit: Cost, n_hit: int) -> Iterator[Figure]:
    """CPU of both programs."""
    pixel, expected, norm = (
        statistics.median(fit[key] for fit in theirs) for key in ("cpu", "expected", "fit")
    )
    yield Figure(
        "cosipy 0.3.4: CPU per pixel (wall: expected counts, fit)",
        f"{pixel:.2f} s ({expected:.2f} s, {norm:.2f} s)",
    )
    yield Figure(f"skyquilt, TS alone: CPU per pixel ({n_hit} hit bins)", f"{fit.cpu * 1e6:.2f} µs")


if __name__ == "__main__":
    main()
