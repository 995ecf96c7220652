"""Times that `skyquilt plan` estimates against those that fits take.

    SKYQUILT_DATA=<folder of the data> python benchmarks/time_plan.py

Each kind of expectation, maps finer and coarser than the buckets of events and pixels, with and
without errors and limits, and with a free background.
"""

import one_thread  # noqa: F401

# isort: split
import os
import tempfile
from collections.abc import Callable, Iterator
from typing import NamedTuple

import fermi_sky
import numpy as np
from measuring import cost_of

from skyquilt.config import load_config
from skyquilt.fit.pixels import fit_pixels
from skyquilt.fit.plan import seconds_per_pixel
from skyquilt.instruments.analyses import prepare
from skyquilt.likelihood.options import FluxOptions
from skyquilt.problem import FitProblem
from skyquilt.problem.join import join
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.sky.regions import full_sky, ipix_from_ranges
from skyquilt.steps.plan import region_ranges
from skyquilt.testing import toy
from skyquilt.testing.analyses import ask_datasets

N_PIXELS = 1024  # that are fitted to measure, in pieces all over the map
N_PIECES = 16
OPTIONS = {
    "": FluxOptions(),
    "limits": FluxOptions(confidence_level=0.95),
    "limits, free": FluxOptions(confidence_level=0.95, free_background=True),
}


class Case(NamedTuple):
    """A problem and a map of it."""

    problem: FitProblem
    nside: int
    frame: str
    ranges: np.ndarray


def toy_case(nside: int, background: float, map_nside: int) -> Case:
    """Toy Compton telescope."""
    telescope = toy.Telescope(nside=nside, background_counts=background)
    problem = telescope.problem(np.random.default_rng(0).poisson(telescope.background))
    return Case(problem, map_nside, "galactic", full_sky(map_nside))


def example_case(name: str, nside: int | None = None) -> Case:
    """Example of real data; another resolution of the whole sky if it is given."""
    analysis = load_config(fermi_sky.EXAMPLES / f"{name}.yaml").analyses[name]
    with tempfile.TemporaryDirectory() as cache:
        asked = ask_datasets(analysis)
        parts = {key: prepare(one, cache).problem for key, one in asked.items()}
    problem = parts[""] if analysis.datasets is None else join(parts, 1.0)
    grid = analysis.map
    if nside is not None:
        return Case(problem, nside, grid.frame, full_sky(nside))
    return Case(problem, grid.nside, grid.frame, region_ranges(grid))


CASES: dict[str, Callable[[], Case]] = {
    "Compton, 329 hit bins": lambda: toy_case(4, 400.0, 32),
    "Compton, 913 hit bins": lambda: toy_case(8, 4000.0, 32),
    "2FHL, events, nside 256": lambda: example_case("fermi-2fhl"),
    "2FHL, events, nside 16": lambda: example_case("fermi-2fhl", 16),
    "3FHL, pixels, nside 256": lambda: example_case("fermi-3fhl"),
    "Galactic centre": lambda: example_case("fermi-gc"),
    "H.E.S.S. Crab": lambda: example_case("hess-crab"),
    "HAWC Crab, five data sets": lambda: example_case("hawc-crab"),
}


def rows() -> Iterator[str]:
    """Lines of the table."""
    yield "| map | fit | estimated [µs per pixel] | measured | ratio |"
    yield "|---|---|---|---|---|"
    for name, make in CASES.items():
        case = make()
        directions = _pieces(case)
        fit_pixels(case.problem, directions[:16])
        for what, options in OPTIONS.items():
            seconds = seconds_per_pixel(
                case.problem,
                options,
                nside=case.nside,
                frame=case.frame,
                ranges=case.ranges,
            )
            measured = _measure(case.problem, directions, options)
            ratio = f"{seconds / measured:.2f}"
            yield f"| {name} | {what} | {seconds * 1e6:.1f} | {measured * 1e6:.1f} | {ratio} |"


def _pieces(case: Case) -> np.ndarray:
    """Directions of neighbouring pixels in pieces all over a map."""
    ipix = ipix_from_ranges(case.ranges)
    size = min(N_PIXELS // N_PIECES, ipix.size // N_PIECES)
    start = (np.arange(N_PIECES) + 0.5) / N_PIECES * (ipix.size - size)
    chosen = ipix[start.astype(int)[:, np.newaxis] + np.arange(size)].ravel()
    turned = rotation(case.frame, case.problem.frame)
    return rotate(turned, nest_to_vec(case.nside, chosen))


def _measure(problem: FitProblem, directions: np.ndarray, options: FluxOptions) -> float:
    """CPU time per pixel, the least of two [s]."""
    costs = (cost_of(lambda: fit_pixels(problem, directions, options)).cpu for _ in range(2))
    return min(costs) / len(directions)


if __name__ == "__main__":
    if "SKYQUILT_DATA" not in os.environ:
        raise SystemExit("set SKYQUILT_DATA to the folder of the data")
    for row in rows():
        print(row, flush=True)
