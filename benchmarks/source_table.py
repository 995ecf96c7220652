"""Positions, fluxes and numbers of sources that are found, as Markdown tables.

    python benchmarks/source_table.py --simulations 1000

Errors are one standard error of as many simulations. The telescopes are the toys of `imager.py`
(point spread of 3 deg, pixels of the data 1.8 deg) and `toy.py` (a Compton telescope).
"""

import argparse
from typing import NamedTuple

import numpy as np
from imager import Imager, map_of
from toy import Telescope, binomial_error

from skyquilt.config.sources import SourceOptions
from skyquilt.fit.pixels import fit_pixels
from skyquilt.maps.sources.find import SourceList, find_sources
from skyquilt.problem import FitProblem
from skyquilt.sky.frames import lonlat_to_vec, rotation, separation
from skyquilt.sky.healpix import nest_to_vec, vec_to_nest
from skyquilt.sky.neighbours import neighbours
from skyquilt.sky.regions import cone, ipix_from_ranges
from skyquilt.sky.tangent import tangent_axes

DROPS = {"68 %": 2.28, "95 %": 5.99}
FLUXES = (0.5, 1.0, 4.0)  # 50, 100, 400 counts of the imager
BURSTS = (0.3, 1.0, 3.0)  # of the Compton telescope
GAPS = (1.5, 2.0, 2.5, 3.0, 4.0)  # between two sources, in widths of the point spread


class Found(NamedTuple):
    """One source of a simulation, as it was found.

    Attributes
    ----------
    ts : float
        Test statistic.
    offset : float
        Distance from the truth [deg].
    drop, round_drop : float
        Square of the offset in standard errors: along the axes of the ellipse, and of the circle.
    pull : float
        Flux less the true flux, in standard errors.
    coarse_offset : float
        Distance of the top of a parabola through the pixels of the map [deg].
    """

    ts: float
    offset: float
    drop: float
    round_drop: float
    pull: float
    coarse_offset: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print_positions(options.simulations, options.seed)
    print_pairs(max(options.simulations // 10, 1), options.seed)
    print_empty(max(options.simulations // 10, 1), options.seed)


def print_positions(n_trials: int, seed: int) -> None:
    header = ["telescope", "flux", "found", "median TS", "offset from pixels", "offset [deg]"]
    header += [f"{name} in {shape}" for name in DROPS for shape in ("ellipse", "circle")]
    header += ["flux pull", "width"]
    print(f"| {' | '.join(header)} |\n{'|---' * len(header)}|")
    cases = [("imager", flux, observe_imager) for flux in FLUXES]
    cases += [("Compton", flux, observe_burst) for flux in BURSTS]
    for telescope, flux, observe in cases:
        rng = np.random.default_rng(seed)
        trials = [measure(*observe(flux, rng), flux) for _ in range(n_trials)]
        found = Found(*np.array([trial for trial in trials if trial is not None]).T)
        n = found.ts.size
        cells = [telescope, f"{flux}", f"{n / n_trials:.3f}", f"{np.median(found.ts):.0f}"]
        cells += [f"{np.median(values):.3f}" for values in (found.coarse_offset, found.offset)]
        for drop in DROPS.values():
            for values in (found.drop, found.round_drop):
                fraction = np.mean(values <= drop)
                cells.append(f"{fraction:.3f} ± {binomial_error(fraction, n):.3f}")
        cells.append(f"{found.pull.mean():.3f} ± {n**-0.5:.3f}")
        cells.append(f"{found.pull.std():.3f} ± {(2 * n) ** -0.5:.3f}")
        print(f"| {' | '.join(cells)} |", flush=True)


def print_pairs(n_trials: int, seed: int) -> None:
    print(
        "\n| two sources of 300 and 150 counts, widths apart | found as 1 | as 2 | as more "
        "| flux pulls | width |\n|---|---|---|---|---|---|"
    )
    telescope, flux = Imager(), np.array([3.0, 1.5])
    for gap in GAPS:
        rng = np.random.default_rng(seed)
        number, pulls = [], []
        for _ in range(n_trials):
            lon = rng.uniform(0, 360)
            pair = lonlat_to_vec(np.array([lon, lon + gap * telescope.width]), np.zeros(2))
            problem = telescope.observe(pair, flux, rng)
            found = find_near(problem, pair[0], 32, 25.0)
            number.append(found.measured.ts.size)
            if number[-1] == 2:
                nearest = separation(pair[:, np.newaxis], found.position.direction).argmin(axis=1)
                measured = found.measured
                pulls += list((measured.flux[nearest] - flux) / measured.flux_err[nearest])
        number, pulls = np.array(number), np.array(pulls) if pulls else np.array([np.nan])
        shares = [np.mean(number == 1), np.mean(number == 2), np.mean(number > 2)]
        cells = [f"{gap}", *(f"{share:.3f}" for share in shares)]
        cells += [f"{pulls.mean():.2f} ± {pulls.size**-0.5:.2f}", f"{pulls.std():.2f}"]
        print(f"| {' | '.join(cells)} |", flush=True)


def print_empty(n_trials: int, seed: int) -> None:
    telescope, rng = Imager(), np.random.default_rng(seed)
    counts = dict.fromkeys((9.0, 16.0, 25.0), 0)
    for _ in range(n_trials):
        problem = telescope.observe(np.empty((0, 3)), np.empty(0), rng)
        skymap = map_of(problem, 32)
        for threshold in counts:
            found = find_sources(problem, skymap, SourceOptions(threshold=threshold))
            counts[threshold] += found.measured.ts.size
    print(f"\n| threshold | sources per sky in {n_trials} skies without any |\n|---|---|")
    for threshold, count in counts.items():
        rate = count / n_trials
        print(f"| {threshold:.0f} | {rate:.3f} ± {max(count, 1) ** 0.5 / n_trials:.3f} |")


def observe_imager(flux: float, rng: np.random.Generator) -> tuple:
    """Source anywhere, found in a map with pixels of 1.8 deg."""
    direction = rng.normal(size=3)
    direction /= np.linalg.norm(direction)
    problem = Imager().observe(direction[np.newaxis], np.array([flux]), rng)
    return problem, direction, 32, 15.0


def observe_burst(flux: float, rng: np.random.Generator) -> tuple:
    """Burst within 60 deg of the axis, found in a map with pixels of 3.7 deg."""
    telescope = Telescope()
    direction = telescope.random_direction(rng)
    return telescope.observe(direction, flux, rng), direction, 16, 30.0


def find_near(problem: FitProblem, direction: np.ndarray, nside: int, radius: float) -> SourceList:
    ipix = ipix_from_ranges(cone(nside, direction, radius))
    return find_sources(problem, map_of(problem, nside, ipix), SourceOptions(threshold=16))


def measure(
    problem: FitProblem, direction: np.ndarray, nside: int, radius: float, flux: float
) -> Found | None:
    """The source that was found nearest to the truth; None if none has a position."""
    found = find_near(problem, direction, nside, radius)
    found = found.take(np.flatnonzero(found.position.is_fitted))
    if not found.measured.ts.size:
        return None
    nearest = int(separation(found.position.direction, direction).argmin())
    place, covariance = found.position.direction[nearest], found.position.covariance[nearest]
    east, north = tangent_axes(place[np.newaxis], rotation("icrs", problem.frame)[:, 2])
    offset = np.degrees(np.array([direction @ east[0], direction @ north[0]]) / (direction @ place))
    measured = found.measured
    return Found(
        measured.ts[nearest],
        float(np.hypot(*offset)),
        float(offset @ np.linalg.solve(covariance, offset)),
        float(offset @ offset / np.sqrt(np.linalg.det(covariance))),
        (measured.flux[nearest] - flux) / measured.flux_err[nearest],
        float(separation(top_of_pixels(problem, nside, place), direction)),
    )


def top_of_pixels(problem: FitProblem, nside: int, near: np.ndarray) -> np.ndarray:
    """Top of the parabola through the pixel of highest TS near a place, and its neighbours."""
    home = vec_to_nest(nside, near[np.newaxis])
    around = np.unique(np.append(neighbours(nside, home), home))
    around = around[around >= 0]
    ts = fit_pixels(problem, nest_to_vec(nside, around)).ts
    centre = around[[np.argmax(ts)]]
    nine = np.append(neighbours(nside, centre), centre)
    vec = nest_to_vec(nside, nine[nine >= 0])
    ts = fit_pixels(problem, vec).ts
    middle = nest_to_vec(nside, centre)
    east, north = tangent_axes(middle, rotation("icrs", problem.frame)[:, 2])
    x, y = (vec @ axis[0] / (vec @ middle[0]) for axis in (east, north))
    design = np.stack([np.ones_like(x), x, y, x**2, x * y, y**2], axis=1)
    _, c1, c2, c3, c4, c5 = np.linalg.lstsq(design, ts)[0]
    step = np.linalg.solve([[2 * c3, c4], [c4, 2 * c5]], [-c1, -c2])
    top = middle[0] + step[0] * east[0] + step[1] * north[0]
    return top / np.linalg.norm(top)


if __name__ == "__main__":
    main()
