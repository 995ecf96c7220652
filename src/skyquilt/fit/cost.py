"""Time that a pixel takes, estimated from what some directions of the map see.

Events crowd, pixels of an image have counts or not, and a map may be coarser than the buckets in
which both are looked up: a mean over the whole sky would be off by factors of ten. The constants
are those of `benchmarks/time_plan.py` (EPYC and Xeon with AVX-512, one thread, 2026), which
compares estimates with measured times.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from skyquilt.blocks import RowBlock
from skyquilt.likelihood.options import DEFAULT, FluxOptions
from skyquilt.problem.event_wise import EventWise
from skyquilt.problem.expectation import Expectation
from skyquilt.problem.joint import Joint
from skyquilt.problem.local import LocalTable
from skyquilt.problem.point_spread import PointSpread
from skyquilt.problem.problem import FitProblem
from skyquilt.problem.shaped import Shaped
from skyquilt.problem.sky_table import SkyTable
from skyquilt.problem.templates import Templates

N_SAMPLE = 32
"""Directions that are looked at."""

# multiply-adds of rows, in the cache [s]; what weights cost per attitude sample
_ADD, _SAMPLE = 0.2e-9, 30e-9
# a direction, a bucket of directions; an event that is looked at, and one within reach
_SPARSE, _BUCKET, _LOOK, _EVENT = 1e-6, 40e-6, 3e-9, 30e-9
# a pixel that is looked at; one near the source, and each of its components
_PIXEL_LOOK, _NEAR, _COMPONENT, _MOST_NEAR = 17e-9, 0.1e-6, 0.06e-6, 100.0
# of a fit: the pixel, a hit bin; errors and limits; a free background
_PIXEL, _BIN = 0.5e-6, 2.4e-9
_LIMITS, _LIMITS_BIN = 3.5e-6, 3e-9
_FREE, _FREE_BIN = 2e-6, 2e-9


class Cost(NamedTuple):
    """Cost of the expected counts of a direction.

    Attributes
    ----------
    seconds : float
        Time to find them [s].
    n_bins : float
        Bins that see it.
    """

    seconds: float
    n_bins: float

    def plus(self, other: "Cost") -> "Cost":
        """Both, side by side."""
        return Cost(self.seconds + other.seconds, self.n_bins + other.n_bins)


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
    expectation = problem.expectation
    each: Sequence[Expectation] = (expectation,)
    if isinstance(expectation, Templates):
        each = expectation.expectations
    seconds = 0.0
    for one in each:
        cost = expectation_cost(one, directions, nside)
        seconds += cost.seconds + _PIXEL + cost.n_bins * _BIN
        if options.has_limits:
            seconds += _LIMITS + cost.n_bins * _LIMITS_BIN
        if options.free_background:
            seconds += _FREE + cost.n_bins * _FREE_BIN
    return seconds


def expectation_cost(expectation: Expectation, directions: np.ndarray, nside: int) -> Cost:
    """Cost of the expected counts, for directions in the frame of the expectation."""
    match expectation:
        case Joint():
            total = Cost(0.0, 0.0)
            for part, turned in expectation.split(directions):
                total = total.plus(expectation_cost(part, turned, nside))
            return total
        case Shaped():
            points = expectation_cost(expectation.expectation, directions, nside)
            n_node = expectation.points.weight.size
            return Cost(n_node * points.seconds, expectation.entries_per_direction)
        case LocalTable() | SkyTable():
            return _table_cost(expectation, directions)
        case EventWise() | PointSpread():
            return _sparse_cost(expectation, directions, nside)
    work = expectation.work_per_direction()
    return Cost(work * _ADD, expectation.entries_per_direction)


def _table_cost(table: LocalTable | SkyTable, directions: np.ndarray) -> Cost:
    block: RowBlock = table.block(directions)
    n_rows = block.weights.row.size / max(len(directions), 1)
    n_sample = len(table.weight) if isinstance(table, LocalTable) else 1
    return Cost(n_rows * table.n_hit * _ADD + n_sample * _SAMPLE, float(table.n_hit))


def _sparse_cost(expectation: EventWise | PointSpread, directions: np.ndarray, nside: int) -> Cost:
    n, looks = max(len(directions), 1), expectation.looks(directions)
    n_bins = expectation.block(directions).csr().bin.size / n
    buckets = _SPARSE + _BUCKET * min(1.0, (expectation.bucket_nside / nside) ** 2)
    if isinstance(expectation, EventWise):
        return Cost(buckets + looks * _LOOK + n_bins * _EVENT, n_bins)
    near = min(looks, _MOST_NEAR) * expectation.fraction_hit(looks)
    n_component = len(expectation.profile)
    seconds = buckets + looks * _PIXEL_LOOK + near * (_NEAR + n_component * _COMPONENT)
    return Cost(seconds, n_bins)
