"""TS of simulated skies of photons one by one against half chi2, and fluxes put into them.

    SKYQUILT_DATA=<folder of the data> python benchmarks/event_skies.py

Skies like that of the example fermi-2fhl are drawn from its background, once as it is and once with
so many times more photons. TS is that of a grid of directions. Where a direction sees few
photons TS does not follow half chi2, which holds for many: often there is none near, and TS is 0.
"""

import one_thread  # noqa: F401

# isort: split
import argparse
import os
from collections.abc import Iterator
from dataclasses import replace

import fermi_sky
import numpy as np
from scipy.stats import chi2

from skyquilt.config.load import load_config
from skyquilt.fit.pixels import fit_pixels
from skyquilt.instruments.imaging.prepare import make_problem
from skyquilt.problem import FitProblem
from skyquilt.simulate import InjectedSource, draw_sky, generator, hit_bins
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.testing.analyses import ask_one

NSIDE = 32
LEVELS = (0.0, 1.0, 2.706, 4.0, 9.0)
MORE = 100.0
"""Factor on the background of the second kind of skies."""
LATITUDES = ((0.0, 5.0), (5.0, 20.0), (20.0, 90.0))
FLUXES = (1.0, 3.0, 10.0)
"""Of injected sources, multiples of the reference spectrum."""
N_SOURCES = 48
"""Sources in each sky, 18 deg or more from one another."""


def brighten(problem: FitProblem, factor: float) -> FitProblem:
    """The problem with another background."""
    wise = problem.expectation
    spread = wise.density.background
    density = replace(wise.density, background=replace(spread, scale=factor * spread.scale))
    return replace(problem, expectation=replace(wise, density=density))


def null_rows(problem: FitProblem, label: str, n_skies: int) -> Iterator[list[str]]:
    """Fraction of directions above some TS, by galactic latitude."""
    directions = nest_to_vec(NSIDE, np.arange(12 * NSIDE**2))
    ts = np.stack(
        [
            fit_pixels(hit_bins(draw_sky(problem, generator(1, label, k))), directions).ts
            for k in range(n_skies)
        ]
    )
    galactic = rotate(rotation(problem.frame, "galactic"), directions)
    latitude = np.degrees(np.arcsin(np.abs(galactic[:, 2])))
    for low, high in LATITUDES:
        is_here = (latitude >= low) & (latitude < high)
        inside = (f"{np.mean(ts[:, is_here] > level):.4f}" for level in LEVELS)
        yield [label, f"{low:g} to {high:g}", f"{ts[:, is_here].size}", *inside]


def flux_rows(problem: FitProblem, n_skies: int) -> Iterator[list[str]]:
    """Mean ratio and pull of the flux of injected sources, all over the sky."""
    directions = nest_to_vec(2, np.arange(48))[:N_SOURCES]
    for flux in FLUXES:
        sources = [InjectedSource(direction, flux) for direction in directions]
        fits = [
            fit_pixels(hit_bins(draw_sky(problem, generator(2, str(flux), k), sources)), directions)
            for k in range(n_skies)
        ]
        found = np.concatenate([fit.flux for fit in fits])
        error = np.concatenate([fit.flux_err for fit in fits])
        ts = np.concatenate([fit.ts for fit in fits])
        pull = (found - flux) / error
        scatter = 1 / np.sqrt(found.size)
        yield [
            *(f"{flux:g}", f"{found.size}", f"{np.median(ts):.0f}"),
            f"{np.mean(found) / flux:.3f} ± {np.std(found) / flux * scatter:.3f}",
            f"{pull.mean():.2f} ± {scatter:.2f}",
            f"{pull.std():.2f} ± {scatter / np.sqrt(2):.2f}",
        ]


def print_rows(header: list[str], rows: Iterator[list[str]]) -> None:
    """A table in Markdown."""
    print(f"| {' | '.join(header)} |\n|{'---|' * len(header)}")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--skies", type=int, default=8, help="skies of each kind")
    n_skies = parser.parse_args().skies
    if "SKYQUILT_DATA" not in os.environ:
        raise SystemExit("set SKYQUILT_DATA to the folder of the data, above fermi/")
    config = load_config(fermi_sky.EXAMPLES / "fermi-2fhl.yaml")
    problem = make_problem(ask_one(config.analyses["fermi-2fhl"]), all_bins=True)
    header = ["skies", "latitude [deg]", "directions", *(f"TS > {level:g}" for level in LEVELS)]
    print_rows(header, null_rows(problem, "2FHL", n_skies))
    bright = brighten(problem, MORE)
    for row in null_rows(bright, f"2FHL, {MORE:g} times the background", max(1, n_skies // 4)):
        print(f"| {' | '.join(row)} |")
    half = [0.5 * chi2.sf(level, 1) for level in LEVELS]
    print(f"| half chi2 | | | {' | '.join(f'{part:.4f}' for part in half)} |\n")
    header = ["flux", "sources", "TS, median", "mean flux / flux", "pull, mean", "pull, width"]
    print_rows(header, flux_rows(problem, n_skies))


if __name__ == "__main__":
    main()
