"""skyquilt against gammapy 2.1: joint fits of the Crab Nebula, the same maps, the same models.

    python benchmarks/peer_joint.py --peer .venv-gammapy/bin/python

The environment variable SKYQUILT_DATA names the folder of the data. gammapy makes maps of four runs
of H.E.S.S., which both fit with a power law; then with five event classes of HAWC and a log
parabola. Position, spectrum and a factor on each background are free. CPU time is that of the fit
with its errors; both have read their files before.
"""

import one_thread  # noqa: F401

# isort: split
import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from measuring import Figure, at_least, below, cost_of, print_table

SCRIPT = Path(__file__).parent / "peers" / "joint_with_gammapy.py"
CLASSES = range(5, 10)
# CPU [s] of skyquilt's fit, and how many times less that is than gammapy's
LIMITS = {"hess": (0.2, 80), "joint": (0.5, 80)}
VALUE, ERROR, TWO_LOG_LIKELIHOOD = 0.3, 0.1, 3.0  # of errors; of errors; and at most
# theirs, ours, and the sign between both
NAMES = {
    "lon_0": ("crab.lon", 1),
    "lat_0": ("crab.lat", 1),
    "amplitude": ("crab.flux", 1),
    "index": ("crab.index", -1),
    "alpha": ("crab.index", -1),
    "beta": ("crab.curvature", 1),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer", type=Path, required=True, help="Python that has gammapy 2.1")
    parser.add_argument("--page", type=Path, help="page in which the table replaces the last one")
    options = parser.parse_args()
    if "SKYQUILT_DATA" not in os.environ:
        parser.error("set SKYQUILT_DATA to the folder that has hess/ and hawc/")
    with tempfile.TemporaryDirectory() as folder:
        theirs = run_gammapy(options.peer, Path(folder))
        print_table(compare(theirs, Path(folder)), options.page, "joint with gammapy")


def run_gammapy(peer: Path, folder: Path) -> list[dict[str, Any]]:
    """Fits of gammapy; the maps of the runs are written to the folder."""
    job = {"data": os.environ["SKYQUILT_DATA"], "folder": str(folder)}
    (folder / "job.json").write_text(json.dumps(job))
    command = [peer, SCRIPT, folder / "job.json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if done.returncode or len(lines) < len(LIMITS):
        raise RuntimeError(f"gammapy failed:\n{done.stderr}")
    return [json.loads(line.removeprefix("RESULT ")) for line in lines]


def compare(theirs: list[dict[str, Any]], folder: Path) -> Iterator[Figure]:
    """Figures of all fits."""
    for one in theirs:
        yield from compare_fit(one, folder)


def compare_fit(theirs: dict[str, Any], folder: Path) -> Iterator[Figure]:
    """CPU, values, errors and 2 ln L of one fit."""
    from skyquilt.steps.model.fit import make_fit

    name = theirs["name"]
    most, times = LIMITS[name]
    built, problem = make_model(name, folder)
    found: dict[str, Any] = {}
    ours = cost_of(lambda: found.update(fit=make_fit(built, problem)[0])).cpu
    best = found["fit"]
    yield Figure(f"{name}: free numbers; how the fit ended", f"{best.x.size}; {best.status}")
    yield Figure(f"{name}: gammapy, CPU of the fit", f"{theirs['cpu']:.1f} s")
    yield below(f"{name}: skyquilt, CPU of the fit", ours, most, "{:.2f} s")
    yield at_least(f"{name}: times less CPU", theirs["cpu"] / ours, times, "{:.0f}")
    for key, value in theirs["values"].items():
        own, sign = NAMES[key]
        error, their_error = float(best.error_of(own)), theirs["errors"][key]
        gap = abs(float(best.values[own]) - sign * value) / their_error
        what = f"{name}: {own}, {float(best.values[own]):.5g} ± {error:.2g}"
        yield below(f"{what}: difference of values over the error", gap, VALUE, "{:.2f}")
        ratio = abs(error / their_error - 1)
        yield below(f"{what}: difference of errors, relative", ratio, ERROR, "{:.3f}")
        if own in best.posterior.layer.names and not own.endswith(("lon", "lat")):
            ends = best.interval(own)
            half = (ends.high - ends.low) / 2
            yield Figure(f"{what}: half of the 68 % interval of its profile", f"{half:.2g}")
    gap = 2 * best.log_posterior - theirs["two_log_likelihood"]
    yield below(
        f"{name}: difference of 2 ln L ({gap:+.2f})", abs(gap), TWO_LOG_LIKELIHOOD, "{:.2f}"
    )


def make_model(name: str, folder: Path) -> tuple[Any, Any]:
    """What skyquilt fits, and its data."""
    from skyquilt.config import parse_config
    from skyquilt.model import read_model_problem
    from skyquilt.steps.model.build import build
    from skyquilt.steps.model.prepare import prepare_model

    analysis = make_analysis(name, folder)
    folders = {"results": str(folder / "results"), "cache": str(folder / "cache")}
    config = parse_config({**folders, "analyses": {name: analysis}})
    path = folder / f"{name}.h5"
    prepare_model(config, name, path)
    problem = read_model_problem(path)
    return build(config.analyses[name], "all", problem, ""), problem


def make_analysis(name: str, folder: Path) -> dict[str, Any]:
    """Settings of a fit."""
    files = {path.name.removesuffix(".fits.gz"): path for path in folder.glob("run-*.fits.gz")}
    spectrum: dict[str, Any] = {"model": "power_law", "index": {"start": -2.4, "range": [-5, 0]}}
    if name == "joint":
        hawc = Path(os.environ["SKYQUILT_DATA"]) / "hawc"
        files |= {f"nhit-{number}": hawc / f"nHit-{number}.fits.gz" for number in CLASSES}
        spectrum["model"] = "log_parabola"
        spectrum["curvature"] = {"start": 0.05, "range": [-1, 1]}
    source = {
        "position": {"lon": 83.6331, "lat": 22.0145, "frame": "icrs", "range": "0.5 deg"},
        "spectrum": spectrum | {"norm": "1e-11 cm-2 s-1 TeV-1", "pivot": "1 TeV"},
        "flux": {"start": 3, "range": [0, 100]},
    }
    return {
        "datasets": {
            key: {"instrument": "imaging", "data": {"file": str(path), "normalise": True}}
            for key, path in sorted(files.items())
        },
        "model": {
            "sources": {"crab": source},
            "background": {key: {"start": 1, "range": [0.1, 10]} for key in sorted(files)},
            "fits": {"all": {}},
        },
    }


if __name__ == "__main__":
    main()
