"""skyquilt against cosipy 0.4.3, which has rewritten its TS map: maps, and whole processes."""

import json
import statistics
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import time_files
from dc2 import all_directions
from dc2_files import write_analysis, write_data, write_galactic_data
from measuring import Cost, Figure, at_least, cost_of, median_cost, run_process
from response_counts import write_response_of_counts
from time_refine import refined

from skyquilt.fit.pixels import fit_pixels
from skyquilt.likelihood.options import FluxOptions
from skyquilt.maps.file import read_skymap
from skyquilt.problem.file import read_problem
from skyquilt.sky.frames import rotate, rotation

NSIDE = 16
TS_TOLERANCE = {"local": 1e-6, "galactic": 1e-5}
"""Of the largest TS; cosipy adds up a galactic response of float32 in float32."""
N_FITS = 15
N_RUNS = 3
SCRIPT = Path(__file__).parent / "peers" / "map_with_cosipy.py"
DEFAULTS = FluxOptions(confidence_level=0.95)
"""What a map has by default: errors to both sides and an upper limit for each pixel."""


class Own(NamedTuple):
    """What skyquilt takes: CPU of maps in memory [s], costs of whole processes.

    Of the refined map also its finest order and its largest TS.
    """

    ts: float
    limits: float
    refined: float
    order: int
    best: float
    cached: Cost
    uncached: Cost


class Theirs(NamedTuple):
    """What cosipy takes: CPU of the first map and the median of repeated ones [s], the process."""

    first: float
    repeated: float
    process: Cost
    ts: np.ndarray


def compare_newest(peer: Path, shape: str, folder: Path) -> Iterator[Figure]:
    """Figures of a burst in the spacecraft's frame; of shape `small`, of a galactic source, too.

    Raises
    ------
    RuntimeError
        If the two programs find other TS.
    """
    yield from _compare(peer, _write_local(shape, folder), "local")
    if shape == "small":
        config = write_analysis(write_galactic_data(time_files.DATA), folder / "galactic")
        yield from _compare(peer, config, "galactic")


def _write_local(shape: str, folder: Path) -> Path:
    """Analysis of the burst with livetimes, as cosipy has them, and a response of counts."""
    config = write_data(time_files.DATA, shape)
    data = json.loads(config.read_text())["analyses"]["grb"]["data"]
    del data["time_weights"]
    dense = Path(data["response"])
    data["response"] = str(dense.with_name("response-counts.h5"))
    if not Path(data["response"]).is_file():
        write_response_of_counts(dense, Path(data["response"]))
    return write_analysis(config, folder / "local", data=data)


def _compare(peer: Path, config: Path, frame: str) -> Iterator[Figure]:
    own, ts = _run_skyquilt(config)
    job = _job(config, frame)
    fast = _run_cosipy(peer, job | {"map": "fast"}, config.parent)
    moc = _run_cosipy(peer, job | {"map": "moc", "nside": 2**own.order}, config.parent)
    label = f"cosipy 0.4.3, {frame}"
    yield from _agreement(label, ts, fast.ts, TS_TOLERANCE[frame])
    yield from _ratios(label, own, fast, moc)


def _run_skyquilt(config: Path) -> tuple[Own, np.ndarray]:
    """Costs of skyquilt, and its TS of all pixels."""
    response = Path(_analysis(config)["data"]["response"])
    uncached = median_cost([time_files.run_uncached(config, response) for _ in range(N_RUNS)])
    cached = median_cost([time_files.run_map(config) for _ in range(N_RUNS)])
    results = config.parent / "results" / next(iter(json.loads(config.read_text())["analyses"]))
    problem, skymap = read_problem(results / "problem.h5"), read_skymap(results / "maps.fits")[0]
    directions = rotate(rotation(skymap.frame, problem.frame), all_directions(NSIDE))
    ts, limits = (
        _median_cpu(partial(fit_pixels, problem, directions, options))
        for options in (FluxOptions(), DEFAULTS)
    )
    cells, _ = refined(problem)
    cells_cpu = _median_cpu(partial(refined, problem))
    best = float(np.nanmax(cells.ts))
    own = Own(ts, limits, cells_cpu, cells.max_order, best, cached, uncached)
    return own, skymap.columns["ts"]


def _median_cpu(function: Callable[[], object]) -> float:
    return median_cost([cost_of(function) for _ in range(N_FITS)]).cpu


def _analysis(config: Path) -> dict[str, Any]:
    (analysis,) = json.loads(config.read_text())["analyses"].values()
    return analysis


def _job(config: Path, frame: str) -> dict[str, Any]:
    """What cosipy needs to know of an analysis."""
    analysis = _analysis(config)
    data, spectrum = analysis["data"], analysis["spectrum"]
    return {
        "frame": frame,
        "counts": [part["path"] for part in data["counts"]],
        "background": data["background"]["path"],
        "scale": data["background"]["scale"],
        "response": data["response"],
        "orientation": data.get("orientation"),
        "interval": data.get("interval"),
        "channel": analysis["energy"]["channels"],
        "nside": NSIDE,
        "index": spectrum["index"],
        "norm": float(spectrum["norm"].split()[0]),
    }


def _run_cosipy(peer: Path, job: dict[str, Any], folder: Path) -> Theirs:
    """Costs of whole processes that make one map each, and of maps in one that makes several."""
    path, output = folder / "job.json", folder / "ts.npy"
    command = [peer, SCRIPT, path]
    path.write_text(json.dumps(job | {"n_maps": 1, "output": str(output)}))
    process = median_cost([run_process(command) for _ in range(N_RUNS)])
    path.write_text(json.dumps(job | {"n_maps": 1 + N_RUNS, "output": str(output)}))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if done.returncode or not lines:
        raise RuntimeError(f"cosipy failed:\n{done.stderr}")
    first, *repeated = json.loads(lines[-1].removeprefix("RESULT "))
    return Theirs(first, statistics.median(repeated), process, np.load(output))


def _agreement(
    label: str, ours: np.ndarray, theirs: np.ndarray, tolerance: float
) -> Iterator[Figure]:
    """Largest difference of TS, relative to the largest; best pixels."""
    best = int(np.argmax(ours)), int(np.argmax(theirs))
    largest = float(np.max(np.abs(ours - theirs)) / np.max(theirs))
    yield Figure(f"{label}: pixels; largest TS", f"{len(ours)}; {np.max(theirs):.2f}")
    yield Figure(
        f"{label}: largest difference of TS, of the largest TS",
        f"{largest:.1e}",
        f"< {tolerance:g}",
        largest < tolerance,
    )
    if not (largest < tolerance and best[0] == best[1]):
        raise RuntimeError(f"TS differs by {largest} of the largest; best pixels are {best}.")


def _ratios(label: str, own: Own, fast: Theirs, moc: Theirs) -> Iterator[Figure]:
    """CPU of both programs and how many times less skyquilt takes."""
    yield Figure(f"{label}: FastTSMap, CPU, first map", f"{fast.first:.2f} s")
    yield Figure(f"{label}: FastTSMap, CPU, next map", f"{fast.repeated:.2f} s")
    yield Figure(
        f"{label}: skyquilt, CPU, TS alone; by default, with limits",
        f"{own.ts * 1e3:.1f} ms; {own.limits * 1e3:.1f} ms",
    )
    yield at_least(f"{label}: next map, TS alone: times less CPU", fast.repeated / own.ts, 50)
    yield at_least(f"{label}: next map, by default: times less CPU", fast.repeated / own.limits, 20)
    finest = 2**own.order
    yield Figure(
        f"{label}: MOCTSMap to nside {finest}, CPU, first and next map",
        f"{moc.first:.2f} s; {moc.repeated:.2f} s",
    )
    yield Figure(
        f"{label}: skyquilt, nside {NSIDE}, refined to nside {finest}: CPU",
        f"{own.refined * 1e3:.1f} ms",
    )
    yield Figure(f"{label}: largest TS of both", f"{np.max(moc.ts[0]):.2f}; {own.best:.2f}")
    yield at_least(f"{label}: next refined map: times less CPU", moc.repeated / own.refined, 10)
    yield from _processes(label, own, fast.process, moc.process)


def _processes(label: str, own: Own, fast: Cost, moc: Cost) -> Iterator[Figure]:
    yield Figure(
        f"{label}: files to map, one process, CPU; memory: FastTSMap",
        f"{fast.cpu:.1f} s; {fast.peak_mb:.0f} MB",
    )
    yield Figure(f"{label}: the same, MOCTSMap", f"{moc.cpu:.1f} s; {moc.peak_mb:.0f} MB")
    for name, cost in {"table cached": own.cached, "nothing cached": own.uncached}.items():
        yield Figure(
            f"{label}: skyquilt run, {name}: CPU; memory",
            f"{cost.cpu:.2f} s; {cost.peak_mb:.0f} MB",
        )
        least = min(fast.cpu, moc.cpu) / cost.cpu
        yield at_least(f"{label}: files to map, {name}: times less CPU", least, 5, "{:.1f}")
