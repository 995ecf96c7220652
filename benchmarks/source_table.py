"""Positions, fluxes and numbers of sources that are found, as Markdown tables.

    python benchmarks/source_table.py --simulations 1000

The first table has as many simulations a row, the others a tenth of it; errors are one standard
error of these. The telescopes are those of `skyquilt.testing.imager` (point spread of 3 deg, pixels
of 1.8 deg) and `skyquilt.testing.toy` (a Compton telescope).
"""

import argparse
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from skyquilt.config.sources import SourceOptions
from skyquilt.fit.pixels import fit_pixels
from skyquilt.problem import FitProblem
from skyquilt.sky.frames import lonlat_to_vec, rotation, separation
from skyquilt.sky.healpix import nest_to_vec, vec_to_nest
from skyquilt.sky.neighbours import neighbours
from skyquilt.sky.regions import cone, ipix_from_ranges
from skyquilt.sky.tangent import tangent_axes
from skyquilt.sources.find import SourceList, find_sources
from skyquilt.testing.imager import Imager, map_of
from skyquilt.testing.toy import Telescope, binomial_error

DROPS = {"68 %": 2.28, "95 %": 5.99}
FLUXES = (0.5, 1.0, 4.0, 40.0)  # 50 to 4000 counts of the imager
BURSTS = (0.3, 1.0, 3.0)  # of the Compton telescope
PAIRS = ((1.0, 1.0), (3.0, 3.0), (30.0, 30.0), (3.0, 1.5), (30.0, 1.0))
GAPS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0)  # between two sources, in widths of the point spread
CROWD = 50  # sources of a sky
TS_EDGES = (15.0, 25.0, 40.0, 100.0, 300.0, 1000.0)


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
    n_others : int
        Sources besides it that were found.
    """

    ts: float
    offset: float
    drop: float
    round_drop: float
    pull: float
    coarse_offset: float
    n_others: int


class Match(NamedTuple):
    """Sources of simulations that were found, one value each.

    Attributes
    ----------
    number : ndarray of int64, shape (n,)
        Number of the true source.
    pull : ndarray of float64, shape (n,)
        Flux less the true flux, in standard errors.
    drop : ndarray of float64, shape (n,)
        Square of the offset in standard errors, along the axes of the ellipse.
    """

    number: np.ndarray
    pull: np.ndarray
    drop: np.ndarray


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print_positions(options.simulations, options.seed)
    print_pairs(max(options.simulations // 10, 1), options.seed)
    print_crowds(max(options.simulations // 10, 1), options.seed)
    print_empty(max(options.simulations // 10, 1), options.seed)


def print_positions(n_trials: int, seed: int) -> None:
    header = ["telescope", "flux", "found", "median TS", "offset from pixels", "offset [deg]"]
    header += [f"{name} in {shape}" for name in DROPS for shape in ("ellipse", "circle")]
    header += ["flux pull", "width", "others per map"]
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
        cells.append(rate(int(found.n_others.sum()), n))
        print(f"| {' | '.join(cells)} |", flush=True)


def print_pairs(n_trials: int, seed: int) -> None:
    header = ["counts", "widths apart", "found as 1", "as 2", "as more"]
    header += ["68 % in ellipse", "flux pull", "width", "flux of 1 over that of both"]
    print(f"\n| {' | '.join(header)} |\n{'|---' * len(header)}|")
    telescope = Imager()
    for pair in PAIRS:
        for gap in GAPS:
            rng, flux = np.random.default_rng(seed), np.array(pair)
            lists, matches = [], []
            for _ in range(n_trials):
                lon, lat = rng.uniform(0, 360), rng.uniform(-1, 1)
                truth = lonlat_to_vec(np.array([lon, lon + gap * telescope.width]), np.full(2, lat))
                problem = telescope.observe(truth, flux, rng)
                lists.append(find_near(problem, truth[0], 32, 25.0, threshold=25))
                if lists[-1].measured.ts.size == 2:
                    matches.append(match(lists[-1], truth, flux, problem.frame))
            number = np.array([found.measured.ts.size for found in lists])
            fractions = [np.mean(number == 1), np.mean(number == 2), np.mean(number > 2)]
            ones = [found.measured.flux[0] for found in lists if found.measured.ts.size == 1]
            cells = [" and ".join(f"{100 * one:.0f}" for one in pair), f"{gap}"]
            cells += [*(f"{one:.3f}" for one in fractions), *quality(matches)]
            cells.append(f"{np.mean(ones) / flux.sum():.3f}" if ones else "")
            print(f"| {' | '.join(cells)} |", flush=True)


def print_crowds(n_trials: int, seed: int) -> None:
    """Skies of many sources all over the sky, their expected TS alike on a logarithmic scale."""
    telescope, rng = Imager(), np.random.default_rng(seed)
    fluxes = np.geomspace(0.02, 20, 200)
    expected = [expected_ts(telescope, flux) for flux in fluxes]
    skies, n_false, n_listed = [], 0, 0
    for _ in range(n_trials):
        ts = np.exp(rng.uniform(*np.log([TS_EDGES[0], TS_EDGES[-1]]), CROWD))
        flux, truth = np.interp(ts, expected, fluxes), rng.normal(size=(CROWD, 3))
        truth /= np.linalg.norm(truth, axis=1, keepdims=True)
        problem = telescope.observe(truth, flux, rng)
        found = find_sources(problem, map_of(problem, 32), SourceOptions())
        matches = match(found, truth, flux, problem.frame)
        apart = separation(truth[:, np.newaxis], truth) + 360 * np.eye(CROWD)
        skies.append((ts, apart.min(axis=1) > 3 * telescope.width, matches))
        n_listed += found.measured.ts.size
        n_false += found.measured.ts.size - matches.number.size
    header = ["nearest other", "expected TS", "sources", "found", "68 % in ellipse", "flux pull"]
    header.append("width")
    print(f"\n| {' | '.join(header)} |\n{'|---' * len(header)}|")
    rows = [("over 3 widths", True, low, high) for low, high in pairwise(TS_EDGES)]
    rows.append(("below 3 widths", False, TS_EDGES[0], TS_EDGES[-1]))
    for where, wanted, low, high in rows:
        is_in = [(ts >= low) & (ts < high) & (is_alone == wanted) for ts, is_alone, _ in skies]
        matches = [
            Match(*(values[some[one.number]] for values in one))
            for some, (_, _, one) in zip(is_in, skies, strict=True)
        ]
        n = int(np.sum(is_in))
        part = sum(one.number.size for one in matches) / n
        cells = [where, f"{low:.0f} to {high:.0f}", f"{n}"]
        cells.append(f"{part:.3f} ± {binomial_error(part, n):.3f}")
        print(f"| {' | '.join(cells + quality(matches))} |", flush=True)
    print(
        f"\nOf {n_listed} sources listed in {n_trials} skies, {n_false} have no true source of "
        f"their own within the width of the point spread: {rate(n_false, n_trials)} per sky."
    )


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
        print(f"| {threshold:.0f} | {rate(count, n_trials)} |")


def match(found: SourceList, truth: np.ndarray, flux: np.ndarray, frame: str) -> Match:
    """Sources listed, strongest first, each with the nearest true one left within a width."""
    number, listed = [], []
    apart = separation(truth[:, np.newaxis], found.position.direction)
    for source in range(found.measured.ts.size):
        nearest = int(np.argmin(apart[:, source]))
        if apart[nearest, source] <= Imager().width:
            number.append(nearest)
            listed.append(source)
            apart[nearest] = np.inf
    number, some = np.array(number, dtype=int), found.take(np.array(listed, dtype=int))
    pull = (some.measured.flux - flux[number]) / some.measured.flux_err
    drop = [
        drop_of(offset_of(direction, true, frame), covariance)
        for direction, true, covariance in zip(
            some.position.direction, truth[number], some.position.covariance, strict=True
        )
    ]
    return Match(number, pull, np.array(drop))


def quality(matches: list[Match]) -> list[str]:
    """Containment of the 68 % ellipse, and mean and width of the pulls, as cells of a table."""
    if sum(one.number.size for one in matches) < 2:
        return [""] * 3
    _, pull, drop = map(np.concatenate, zip(*matches, strict=True))
    part, n = np.mean(drop <= DROPS["68 %"]), pull.size
    return [
        f"{part:.3f} ± {binomial_error(part, n):.3f}",
        f"{pull.mean():.2f} ± {pull.std() / n**0.5:.2f}",
        f"{pull.std():.2f} ± {(2 * n) ** -0.5:.2f}",
    ]


def rate(count: int, n_trials: int) -> str:
    """Mean number in a simulation, with its error; that of one where there was none."""
    return f"{count / n_trials:.3f} ± {max(count, 1) ** 0.5 / n_trials:.3f}"


def expected_ts(telescope: Imager, flux: float) -> float:
    """TS of a source whose counts are what is expected."""
    here = np.array([[1.0, 0.0, 0.0]])
    every = telescope.spread(np.arange(len(telescope.centres))).block(here)
    source, background = flux * every.unit_counts, telescope.background
    counts = background + source
    return float(2 * np.sum(counts * np.log(counts / background) - source))


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


def find_near(
    problem: FitProblem, direction: np.ndarray, nside: int, radius: float, threshold: float = 16
) -> SourceList:
    ipix = ipix_from_ranges(cone(nside, direction, radius))
    return find_sources(problem, map_of(problem, nside, ipix), SourceOptions(threshold=threshold))


def measure(
    problem: FitProblem, direction: np.ndarray, nside: int, radius: float, flux: float
) -> Found | None:
    """The source that was found nearest to the truth; None if none has a position."""
    found = find_near(problem, direction, nside, radius)
    found = found.take(np.flatnonzero(found.position.is_fitted))
    if not found.measured.ts.size:
        return None
    nearest = int(separation(found.position.direction, direction).argmin())
    position, covariance = found.position.direction[nearest], found.position.covariance[nearest]
    offset = offset_of(position, direction, problem.frame)
    measured = found.measured
    return Found(
        measured.ts[nearest],
        float(np.hypot(*offset)),
        drop_of(offset, covariance),
        float(offset @ offset / np.sqrt(np.linalg.det(covariance))),
        (measured.flux[nearest] - flux) / measured.flux_err[nearest],
        float(separation(top_of_pixels(problem, nside, position), direction)),
        measured.ts.size - 1,
    )


def offset_of(position: np.ndarray, direction: np.ndarray, frame: str) -> np.ndarray:
    """Offset of a direction from a position to the east and the north of ICRS [deg]."""
    east, north = tangent_axes(position[np.newaxis], rotation("icrs", frame)[:, 2])
    return np.degrees(
        np.array([direction @ east[0], direction @ north[0]]) / (direction @ position)
    )


def drop_of(offset: np.ndarray, covariance: np.ndarray) -> float:
    """Square of an offset in standard errors."""
    return float(offset @ np.linalg.solve(covariance, offset))


def top_of_pixels(problem: FitProblem, nside: int, near: np.ndarray) -> np.ndarray:
    """Top of the parabola through the pixel of highest TS near a direction, and its neighbours."""
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
