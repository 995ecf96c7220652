"""Fit of pixels, table in memory: against NumPy, against the machine, against the pixel number."""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from dc2 import all_directions, burst_problem
from measuring import Cost, Figure, alternate, at_least, below, cost_of, speedup
from numpy_fit import Tables, fit_by_block, fit_by_pixel
from rates import Rates, measure_rates

from skyquilt.fit.pixels import block_size, fit_pixels
from skyquilt.likelihood.options import FluxOptions
from skyquilt.likelihood.poisson import FluxFit, fit_flux
from skyquilt.problem import FitProblem

N_RUNS = 7
NSIDES = (16, 32, 64, 128)
TS_TOLERANCE = 1e-5  # sums of rows in float32, 6e-8 for each of 1100 counts at random, twice in TS


class Stages(NamedTuple):
    """Seconds per pixel, of one core, and what they are spent on.

    Attributes
    ----------
    weights, fit : float
        Weights of the rows; sums of weighted rows and their best flux.
    """

    weights: float
    fit: float


def time_fit_against_numpy() -> list[Figure]:
    """CPU per pixel at nside 16 against the NumPy programs, which must give the same TS."""
    problem, directions = burst_problem(), all_directions(16)
    tables, whole = Tables(problem), Tables(burst_problem(all_bins=True))
    check_equal(problem, directions, (fit_by_pixel, tables), (fit_by_block, tables))
    check_equal(problem, directions[::8], (fit_by_pixel, whole))
    own, all_bins, by_pixel, by_block = alternate(
        N_RUNS,
        lambda: per_pixel(lambda some: fit_pixels(problem, some), directions),
        lambda: per_pixel(lambda some: fit_by_pixel(whole, some), directions[::32]),
        lambda: per_pixel(lambda some: fit_by_pixel(tables, some), directions[::4]),
        lambda: per_pixel(lambda some: fit_by_block(tables, some), directions),
    )
    shape = f"{problem.counts.size} hit bins, 40 attitude samples"
    programs = {
        "NumPy pixel by pixel, all 27,648 bins": all_bins,
        "NumPy pixel by pixel, hit bins": by_pixel,
        "NumPy in blocks of pixels, hit bins": by_block,
    }
    times = [
        Figure(f"{name}: CPU per pixel", f"{c.cpu * 1e6:.1f} µs") for name, c in programs.items()
    ]
    return [
        Figure(f"fit: CPU per pixel ({shape})", f"{own.cpu * 1e6:.2f} µs"),
        *times,
        *(
            at_least(f"fit: times less CPU than {name}", cost.cpu / own.cpu, 40)
            for name, cost in programs.items()
        ),
    ]


def per_pixel(program: Callable[[np.ndarray], object], directions: np.ndarray) -> Cost:
    """Cost of a fit of some directions, divided by their number."""
    cost = cost_of(lambda: program(directions))
    return Cost(cost.wall / len(directions), cost.cpu / len(directions))


def check_equal(
    problem: FitProblem, directions: np.ndarray, *programs: tuple[Callable, Tables]
) -> None:
    """Check that NumPy programs fit the TS that skyquilt fits.

    Raises
    ------
    RuntimeError
        If they do not.
    """
    directions = directions[::16]
    ts = fit_pixels(problem, directions).ts
    for program, tables in programs:
        largest = np.abs(program(tables, directions) - ts).max()
        if not largest < TS_TOLERANCE:
            raise RuntimeError(f"{program.__name__}: TS differs by up to {largest}.")


def time_kernel_limit() -> list[Figure]:
    """Time of the stages of a fit against what reading and arithmetic alone would take."""
    problem, directions = burst_problem(), all_directions(32)
    rates = measure_rates(problem.expectation.rows.nbytes)
    runs = [stage_times(problem, directions) for _ in range(N_RUNS)]
    stages = Stages(*map(float, np.median(runs, axis=0)))
    limits = limits_of(problem, directions, rates)
    names = "weights of rows", "sums of rows and best flux"
    rows = [
        Figure(
            f"{name}, per pixel on one core",
            f"{took * 1e6:.2f} µs",
            share=f"limit {limit * 1e6:.2f} µs, {limit / took:.2f} reached",
        )
        for name, took, limit in zip(names, stages, limits, strict=True)
    ]
    share = sum(limits) / sum(stages)
    return [
        Figure("reads, table", f"{rates.read_table / 1e9:.0f} GB/s"),
        Figure("reads, 1 MiB", f"{rates.read_block / 1e9:.0f} GB/s"),
        Figure("fused multiply-adds, float64", f"{rates.multiply_adds / 1e9:.0f} G/s"),
        Figure("divisions, float64", f"{rates.divisions / 1e9:.2f} G/s"),
        *rows,
        at_least("kernels: part of this core's limit that is reached", share, 0.5, "{:.2f}"),
    ]


def stage_times(problem: FitProblem, directions: np.ndarray) -> Stages:
    """Time of the stages of a fit, by the calls that `fit_pixels` makes for each block."""
    spent, clock = np.zeros(2), time.process_time
    size = block_size(problem.expectation, len(directions), threads=1)
    for start in range(0, len(directions), size):
        times = [clock()]
        block = problem.expectation.block(directions[start : start + size])
        times.append(clock())
        fit_flux(problem.counts, problem.background, block)
        times.append(clock())
        spent += np.diff(times)
    return Stages(*(spent / len(directions)))


def limits_of(problem: FitProblem, directions: np.ndarray, rates: Rates) -> Stages:
    """Least time of each part: the longest of its reads, multiply-adds and divisions.

    Everything else is left out: conversions, comparisons, writing, calls. A multiplication
    or an addition that stands alone counts as a multiply-add.
    """
    n_hit, n_t = problem.counts.size, len(problem.expectation.weight)
    n_rows = len(problem.expectation.block(directions).weights.row) / len(directions)
    passes, logs = passes_of(fit_pixels(problem, directions))

    def longest(*, n_bytes: float, adds: float, divisions: float, bandwidth: float) -> float:
        reads = n_bytes / bandwidth
        return max(reads, adds / rates.multiply_adds, divisions / rates.divisions)

    # rotation 9, two arc tangents of 14, ring 2, its and the next one's layout 15, places and
    # pixels along them 10, four weights 8; divisions: two arc tangents, two roots, one between
    weights = longest(n_bytes=0, adds=72 * n_t, divisions=5 * n_t, bandwidth=rates.read_block)
    sums = longest(
        n_bytes=4 * n_hit * n_rows,
        adds=n_hit * n_rows / 2,  # float32, twice as many at a time
        divisions=0,
        bandwidth=rates.read_table,
    )
    # first pass: e / b and four moments; later ones: 1 / (1 + f r) and four moments; for the
    # logarithm a factor for each count. Each pass reads counts and e, the first one 1 / b as well.
    flux = longest(
        n_bytes=8 * n_hit * (3 + 2 * passes),
        adds=n_hit * (8 + 9 * passes) + problem.counts.sum() * logs,
        divisions=n_hit * passes,
        bandwidth=rates.read_block,
    )
    return Stages(weights, sums + flux)


def passes_of(fit: FluxFit) -> tuple[float, float]:
    """Passes over the hit bins after the first, and logarithms per hit bin, per pixel.

    The first step needs no pass of its own; a pixel that moves needs one pass with logarithms.
    """
    return float(np.maximum(fit.n_iter - 1, 0).mean()), float((fit.n_iter > 1).mean())


def time_limits() -> list[Figure]:
    """CPU per pixel with errors to both sides and upper limits, and with a free background."""
    problem, directions = burst_problem(), all_directions(16)
    kinds = {
        "without limits": FluxOptions(),
        "with errors to both sides and upper limits": FluxOptions(confidence_level=0.95),
        "with a free background": FluxOptions(free_background=True),
        "with both": FluxOptions(confidence_level=0.95, free_background=True),
    }
    costs = alternate(
        N_RUNS,
        *(
            lambda kind=kind: per_pixel(lambda some: fit_pixels(problem, some, kind), directions)
            for kind in kinds.values()
        ),
    )
    return [
        Figure(
            f"fit {name}: CPU per pixel",
            f"{cost.cpu * 1e6:.2f} µs",
            share=f"{cost.cpu / costs[0].cpu:.2f} times that without limits",
        )
        for name, cost in zip(kinds, costs, strict=True)
    ]


def time_scaling() -> list[Figure]:
    """Time against number of pixels, one thread, and nside 128 on two."""
    problem = burst_problem()
    seconds = scaling_times(problem, NSIDES)
    n_pixels = [12 * nside**2 for nside in NSIDES]
    slope = np.polyfit(np.log(n_pixels), np.log(seconds), 1)[0]
    directions = all_directions(128)
    (wall, *_), *_ = alternate(
        3, lambda: cost_of(lambda: fit_pixels(problem, directions, threads=2))
    )
    lines = [
        Figure(f"fit of nside {nside}, CPU, 1 thread", f"{took:.3f} s")
        for nside, took in zip(NSIDES, seconds, strict=True)
    ]
    is_linear = abs(slope - 1) <= 0.05
    return [
        *lines,
        Figure("slope of log time against log pixels", f"{slope:.3f}", "1.00 ± 0.05", is_linear),
        below("fit of nside 128, wall, 2 threads", wall, 15, "{:.2f} s"),
    ]


def scaling_times(problem: FitProblem, nsides: tuple[int, ...]) -> list[float]:
    """CPU of maps of several resolutions, taken in turns [s]."""
    skies = map(all_directions, nsides)
    measures = [lambda sky=sky: cost_of(lambda: fit_pixels(problem, sky)) for sky in skies]
    return [cost.cpu for cost in alternate(5, *measures)]


def time_two_threads() -> list[Figure]:
    """Wall time of nside 64 by one and by two threads."""
    return speedup("thread", *thread_times(burst_problem(), (1, 2)))


def thread_times(problem: FitProblem, threads: tuple[int, ...]) -> list[list[float]]:
    """Wall times of nside 64 by so many threads, taken in turns [s]."""
    directions = all_directions(64)
    rounds = [
        [cost_of(lambda n=n: fit_pixels(problem, directions, threads=n)).wall for n in threads]
        for _ in range(2 * N_RUNS)
    ]
    return [list(times) for times in zip(*rounds, strict=True)]
