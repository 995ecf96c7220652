"""skyquilt against gammapy 2.1: the Galactic centre of Fermi, the same cube, the same hypotheses.

    python benchmarks/peer_gammapy.py --peer .venv-gammapy/bin/python

The environment variable SKYQUILT_DATA names the folder of the data. Both fit one flux to the 11
bands of the cube in each of its 80,000 pixels. gammapy's TSMapEstimator cuts the point spread
function to a kernel and makes its integral 1; skyquilt reaches as far as `data.lost_fraction`
says. So they are compared twice: with a kernel 2 degrees wide and the fraction that reaches as
far, and at skyquilt's default, which reaches 1.5 to 3 degrees, with a kernel 6 degrees wide.
"""

import one_thread  # noqa: F401

# isort: split
import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from measuring import Figure, at_least, below, cost_of, print_table

EXAMPLE = Path(__file__).parents[1] / "config" / "examples" / "fermi-gc.yaml"
SCRIPT = Path(__file__).parent / "peers" / "map_with_gammapy.py"
AS_FAR = (
    0.01  # lost fraction of which the reach is that of a kernel of 2 deg, 0.7 to 1.4 deg by band
)
TOLERANCE = 0.03  # of flux: at 10 GeV a circle of 1 deg holds 98 %, and the flux makes up for it
TS_TOLERANCE = 0.05  # of TS: what lies outside the kernel is signal for one and not for the other
BRIGHT = 100.0  # TS above which two maps are compared


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer", type=Path, required=True, help="Python that has gammapy 2.1")
    parser.add_argument("--every", type=int, default=20, help="skyquilt fits every N-th pixel")
    parser.add_argument("--page", type=Path, help="page in which the table replaces the last one")
    options = parser.parse_args()
    if "SKYQUILT_DATA" not in os.environ:
        parser.error("set SKYQUILT_DATA to the folder that has fermi/3fhl_gc/")
    with tempfile.TemporaryDirectory() as folder:
        figures = compare(options.peer, options.every, Path(folder))
        print_table(figures, options.page, "make bench-gammapy")


def compare(peer: Path, every: int, folder: Path) -> Iterator[Figure]:
    """Figures of the comparison."""

    problem = make_problem()
    default = problem.expectation.lost_fraction
    yield from compare_at(problem, AS_FAR, peer, "2 deg", 1, every, folder)
    yield from compare_at(problem, default, peer, "6 deg", every, every, folder)


def compare_at(
    problem, lost: float, peer: Path, kernel: str, thinned: int, every: int, folder: Path
) -> Iterator[Figure]:
    """Figures of one lost fraction and one kernel; gammapy fits every `thinned`-th pixel."""
    from skyquilt.fit.pixels import fit_pixels
    from skyquilt.sky.frames import lonlat_to_vec

    name = f"kernel of {kernel}, lost fraction {lost:g}"
    theirs, cost = run_gammapy(peer, kernel, thinned, folder)
    pixel = cost["cpu"] / cost["n_pixels"]
    yield Figure(f"{name}: gammapy's pixels", f"{cost['n_pixels']:,}")
    yield Figure(f"{name}: gammapy, CPU per pixel", f"{pixel * 1e6:,.0f} µs")
    some = slice(None, None, every)
    directions = lonlat_to_vec(theirs["lon"].ravel()[some], theirs["lat"].ravel()[some])
    is_bright = theirs["ts"].ravel()[some] > BRIGHT
    cut = replace(problem, expectation=replace(problem.expectation, lost_fraction=lost))
    fit_pixels(cut, directions[:100])  # makes the tables
    found = {}
    ours = cost_of(lambda: found.update(fit=fit_pixels(cut, directions))).cpu / len(directions)
    yield Figure(f"{name}: skyquilt, CPU per pixel", f"{ours * 1e6:.0f} µs")
    yield at_least(f"{name}: times less CPU", pixel / ours, 10, "{:.1f}")
    yield from agreement(name, found["fit"], theirs, some, is_bright)


def make_problem():
    """Problem of the example."""
    from skyquilt.config import load_config
    from skyquilt.instruments.analyses import prepare
    from skyquilt.testing.analyses import ask_one

    return prepare(ask_one(load_config(EXAMPLE).analyses["fermi-gc"]), "").problem


def run_gammapy(
    peer: Path, kernel: str, every: int, folder: Path
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Map of gammapy, and what it cost."""
    data = Path(os.environ["SKYQUILT_DATA"]) / "fermi" / "3fhl_gc"
    job = {
        name: str(data / f"fermi-3fhl-gc-{name}-cube.fits.gz")
        for name in ("counts", "background", "exposure", "psf")
    }
    job |= {
        "spectrum": {"index": 2.3, "amplitude": "1e-12 cm-2 s-1 GeV-1", "reference": "10 GeV"},
        "kernel_width": kernel,
        "every": every,
        "energies": [10, 500],
        "rtol": 1e-3,
        "output": str(folder / "gammapy.npz"),
    }
    (folder / "job.json").write_text(json.dumps(job))
    command = [peer, SCRIPT, folder / "job.json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if done.returncode or not lines:
        raise RuntimeError(f"gammapy failed:\n{done.stderr}")
    return dict(np.load(job["output"])), json.loads(lines[-1].removeprefix("RESULT "))


def agreement(name: str, fit, theirs, some: slice, is_bright: np.ndarray) -> Iterator[Figure]:
    """Median and spread of the ratios of TS and flux where TS is large."""
    for what, ours, other, limit in (
        ("TS", fit.ts, theirs["ts"], TS_TOLERANCE),
        ("flux", fit.flux, theirs["norm"], TOLERANCE),
    ):
        ratio = (ours / other.ravel()[some])[is_bright]
        low, middle, high = np.percentile(ratio, [0, 50, 100])
        label = f"{name}: {what} / gammapy's, {ratio.size} pixels with TS above {BRIGHT:g}"
        yield Figure(label, f"{middle:.3f} ({low:.3f} to {high:.3f})")
        worst = max(1 - low, high - 1)
        yield below(f"{name}: largest difference of {what}", worst, limit, "{:.3f}")


if __name__ == "__main__":
    main()
