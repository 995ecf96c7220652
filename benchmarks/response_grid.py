"""What rows of a response between which one interpolates do to positions, as Markdown tables.

    python benchmarks/response_grid.py --simulations 1000

Rows are the telescope of the simulator at the centres of the pixels; sources are its continuous
response at random positions. The first table has the position of the largest TS of the expected
counts themselves, without noise: what is left is the error of the interpolation. The second has
the coverage of credible regions of random counts, with and without the systematic error that
`localise` allows for.
"""

import argparse
from functools import cached_property
from typing import NamedTuple

import numpy as np

from skyquilt.config.refine import RefineOptions
from skyquilt.fit.pixels import fit_pixels
from skyquilt.instruments.compton.simulator.cones import ConeImages, make_cones
from skyquilt.localisation.posterior import localise
from skyquilt.localisation.refine.cells import make_goal
from skyquilt.localisation.refine.fit import fit_cells
from skyquilt.localisation.refine.start import start_cells
from skyquilt.localisation.refine.steps import refine_map
from skyquilt.localisation.systematic import systematic_error
from skyquilt.maps.skymap import SkyMap
from skyquilt.problem import Description, FitProblem, SkyTable
from skyquilt.sky.healpix import nest_to_vec, ring_to_vec
from skyquilt.sky.pixels import nside_to_npix
from skyquilt.sky.tangent import from_tangent, tangent_axes
from skyquilt.testing.toy import binomial_error

LEVELS = (0.5, 0.68, 0.9, 0.95)
MAP_NSIDE = 16
BACKGROUND = 1000.0
BRIGHT = 1000.0  # expected counts of the sources without noise
COUNTS = (60.0, 250.0, 1000.0, 10000.0)
N_STEPS = 20  # to each side of the true position, within which its image is looked for


class Shape(NamedTuple):
    """Pixels of the source direction and of the scattered one, bins of the angle, energy [keV]."""

    nside: int
    nside_psichi: int
    n_phi: int
    energy: tuple[float, float]


DEMO = Shape(8, 4, 18, (251.189, 398.107))  # as in config/demo.yaml
SHAPES = (
    DEMO._replace(nside=4),
    DEMO,
    DEMO._replace(nside=16),
    Shape(8, 8, 36, (100.0, 158.489)),  # the shape of COSI's responses
    Shape(8, 8, 36, (251.189, 398.107)),
    Shape(8, 8, 36, (630.957, 1000.0)),
)


class Grid:
    """A telescope that is known at the centres of pixels."""

    def __init__(self, shape: Shape):
        self.nside, self.images = (
            shape.nside,
            ConeImages(make_cones(np.array(shape.energy), shape.n_phi), shape.nside_psichi),
        )

    @property
    def pixel(self) -> float:
        """Side of the pixels [deg]."""
        return float(np.degrees(np.sqrt(np.pi / 3) / self.nside))

    def expected(self, direction: np.ndarray) -> np.ndarray:
        """Share of each bin in the counts of a source, from the continuous response."""
        return self.images.draw(direction)[0].ravel().astype(np.float64)

    @cached_property
    def rows(self) -> np.ndarray:
        """Shares for the centre of each pixel."""
        centres = ring_to_vec(self.nside, np.arange(nside_to_npix(self.nside)))
        return np.array([self.expected(centre) for centre in centres], np.float32)

    @cached_property
    def background(self) -> np.ndarray:
        """Expected background counts: sources everywhere."""
        mean = self.rows.mean(axis=0, dtype=np.float64)
        return BACKGROUND * mean / mean.sum()

    def problem(self, counts: np.ndarray) -> FitProblem:
        """Problem of given counts, with interpolated rows."""
        hit = counts > 0
        totals = self.rows.sum(axis=1, dtype=np.float64)
        return FitProblem(
            counts[hit],
            self.background[hit],
            SkyTable(self.rows[:, hit], totals, self.nside, "RING", "bilinear"),
            frame="icrs",
            photon_flux=1.0,
            description=Description("telescope", "flat", (100.0, 1000.0), n_bins=counts.size),
            background_total=BACKGROUND,
        )


def random_directions(n: int, seed: int) -> np.ndarray:
    """Unit vectors, shape (n, 3)."""
    vec = np.random.default_rng(seed).normal(size=(n, 3))
    return vec / np.linalg.norm(vec, axis=1, keepdims=True)


def find_bias(grid: Grid, direction: np.ndarray) -> tuple[float, float]:
    """East and north [deg] from a source without noise to the largest TS."""
    counts = grid.background + BRIGHT * grid.expected(direction)
    step = 0.3 * grid.pixel / N_STEPS * np.arange(-N_STEPS, N_STEPS + 1)
    x, y = (axis.ravel() for axis in np.meshgrid(step, step))
    here = direction[np.newaxis]
    axes = tangent_axes(here, np.array([0.0, 0.0, 1.0]))
    around = from_tangent(here, axes, x[np.newaxis], y[np.newaxis])[0]
    best = fit_pixels(grid.problem(counts), around).ts.argmax()
    return float(x[best]), float(y[best])


class Coverage(NamedTuple):
    """Of one source: largest TS, and for each level, without and with the systematic error,
    whether the region holds it, and its area [deg2]."""

    ts: float
    is_inside: list[list[bool]]
    area: list[list[float]]


def find_regions(
    grid: Grid, direction: np.ndarray, flux: float, rng: np.random.Generator
) -> Coverage:
    """Observe a source and localise it as an analysis does."""
    problem = grid.problem(
        rng.poisson(grid.background + flux * grid.expected(direction)).astype(np.float64)
    )
    ipix = np.arange(nside_to_npix(MAP_NSIDE))
    ts = fit_pixels(problem, nest_to_vec(MAP_NSIDE, ipix)).ts
    skymap = SkyMap(MAP_NSIDE, "icrs", ipix, {"ts": ts})
    error = systematic_error("auto", grid.pixel)
    goal = make_goal(RefineOptions(), LEVELS, MAP_NSIDE.bit_length() - 1, error)
    cells = refine_map(start_cells(skymap, goal), lambda uniq: fit_cells(problem, uniq), goal)
    found = [localise(cells, LEVELS, error=each) for each in (0.0, error)]
    home = found[0].cells.find(direction[np.newaxis])[0]
    return Coverage(
        float(np.nanmax(cells.ts)),
        [[bool(home in region.cells) for region in each.credible] for each in found],
        [[region.area for region in each.credible] for each in found],
    )


def print_bias(n: int, seed: int) -> None:
    header = "| response nside | scattered nside | Compton angle [deg] | energy [keV] |"
    print(f"{header} along an axis [deg] | share of a pixel | 90 % within [deg] |")
    print("|---" * 7 + "|")
    for shape in SHAPES:
        grid = Grid(shape)
        bias = np.array([find_bias(grid, direction) for direction in random_directions(n, seed)])
        error = np.sqrt(np.mean(bias**2))
        print(
            f"| {shape.nside} | {shape.nside_psichi} | {180 / shape.n_phi:g} "
            f"| {shape.energy[0]:.0f} to {shape.energy[1]:.0f} | {error:.3f} "
            f"| {error / grid.pixel:.3f} | {np.quantile(np.hypot(*bias.T), 0.9):.2f} |",
            flush=True,
        )


def print_coverage(shape: Shape, n: int, seed: int) -> None:
    grid, rng = Grid(shape), np.random.default_rng(seed)
    header = ["counts", "median TS", "systematic error [deg]"]
    header += [f"{100 * level:g} %" for level in LEVELS] + ["median area of 90 % [deg2]"]
    print(f"\n{shape}\n\n| {' | '.join(header)} |\n{'|---' * len(header)}|")
    for flux in COUNTS:
        each = [find_regions(grid, place, flux, rng) for place in random_directions(n, seed)]
        ts = np.median([one.ts for one in each])
        for row, error in enumerate((0.0, systematic_error("auto", grid.pixel))):
            covered = np.mean([one.is_inside[row] for one in each], axis=0)
            area = np.median([one.area[row][LEVELS.index(0.9)] for one in each])
            cells = [f"{flux:g}", f"{ts:.0f}", f"{error:.2f}"]
            cells += [f"{part:.3f} ± {binomial_error(part, n):.3f}" for part in covered]
            print(f"| {' | '.join(cells)} | {area:.3g} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print_bias(options.simulations, options.seed)
    for shape in (DEMO, SHAPES[4]):
        print_coverage(shape, options.simulations, options.seed)


if __name__ == "__main__":
    main()
