"""Time that a pixel takes, estimated from what some directions of the map see.

Events crowd, pixels of an image have counts or not, and a map may be coarser than the buckets in
which both are looked up: a mean over the whole sky would be off by factors of ten. The constants
are those of `benchmarks/time_plan.py` (EPYC and Xeon with AVX-512, one thread, 2026), which
compares estimates with measured times.
"""

import numpy as np

from skyquilt.likelihood.options import DEFAULT, FluxOptions
from skyquilt.problem.problem import FitProblem

N_SAMPLE = 32
"""Directions that are looked at."""

# of a fit: the pixel, a hit bin; errors and limits; a free background
_PIXEL, _BIN = 0.5e-6, 2.4e-9
_LIMITS, _LIMITS_BIN = 3.5e-6, 3e-9
_FREE, _FREE_BIN = 2e-6, 2e-9


def seconds_per_direction(
    problem: FitProblem,
    directions: np.ndarray,
    nside: int,
    options: FluxOptions = DEFAULT,
) -> float:
    """Estimated time to fit a pixel on one core [s].

    Parameters
    ----------
    problem : FitProblem
        The problem.
    directions : ndarray of float64, shape (n, 3)
        Some directions of the map, in the frame of the problem.
    nside : int
        Resolution of the map.
    options : FluxOptions
        What is fitted.
    """
    cost = problem.expectation.cost(directions, nside)
    seconds = cost.seconds + cost.n_fits * _PIXEL + cost.n_bins * _BIN
    if options.has_limits:
        seconds += cost.n_fits * _LIMITS + cost.n_bins * _LIMITS_BIN
    if options.free_background:
        seconds += cost.n_fits * _FREE + cost.n_bins * _FREE_BIN
    return seconds
