"""Two honest NumPy programs for the same map, to compare with: float64, rows kept in memory.

`fit_by_pixel` is what one writes first: weights by healpy, a product of the few rows that have
weight, Newton's method over all bins of the problem at once. `fit_by_block` does the same for a
block of pixels: one matrix product of all their rows, and Newton's method on the pixels that still
move.
Both stop as skyquilt used to: a step below 1e-6 of the standard error.
"""

import healpy
import numpy as np

from skyquilt.problem import FitProblem

MAX_ITER = 100
TOLERANCE = 1e-6
BLOCK = 32
"""Pixels of a block: the fastest of 16 to 256 with 1071 hit bins."""


class Tables:
    """A problem as NumPy likes it: contiguous float64 arrays."""

    def __init__(self, problem: FitProblem):
        table = problem.expectation
        self.nside, self.rotation, self.seconds = table.nside, table.rotation, table.weight
        self.rows = np.ascontiguousarray(table.rows, dtype=np.float64)
        self.totals = table.totals
        self.counts, self.background = problem.counts, problem.background


def fit_by_pixel(tables: Tables, directions: np.ndarray) -> np.ndarray:
    """TS of each direction, one after the other."""
    return np.array([_fit_one(tables, direction) for direction in directions])


def fit_by_block(tables: Tables, directions: np.ndarray) -> np.ndarray:
    """TS of each direction, `BLOCK` at a time."""
    blocks = np.array_split(directions, max(1, len(directions) // BLOCK))
    return np.concatenate([_fit_block(tables, block) for block in blocks])


def _weights(tables: Tables, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows that have weight for any of the directions; seconds, shape (n, n_used)."""
    local = np.einsum("tij,nj->nti", tables.rotation, directions)
    theta = np.arctan2(np.hypot(local[..., 0], local[..., 1]), local[..., 2])
    phi = np.arctan2(local[..., 1], local[..., 0])
    ipix, share = healpy.get_interp_weights(tables.nside, theta.ravel(), phi.ravel())
    used, place = np.unique(ipix, return_inverse=True)
    n = len(directions)
    seconds = (share.reshape(4, n, -1) * tables.seconds).ravel()
    pixel = np.broadcast_to(np.arange(n)[:, np.newaxis], (4, n, tables.seconds.size)).ravel()
    cell = pixel * used.size + place.ravel()
    return used, np.bincount(cell, seconds, n * used.size).reshape(n, -1)


def _fit_one(tables: Tables, direction: np.ndarray) -> float:
    used, seconds = _weights(tables, direction[np.newaxis])
    e, total = seconds[0] @ tables.rows[used], float(seconds[0] @ tables.totals[used])
    flux = 0.0
    for _ in range(MAX_ITER):
        ratio = e / (tables.background + flux * e)
        weighted = tables.counts * ratio
        slope, curvature = weighted.sum() - total, weighted @ ratio
        if slope <= 0 and flux == 0:
            return 0.0
        step = slope / curvature
        flux += step
        if abs(step) * curvature**0.5 < TOLERANCE:
            break
    return 2 * (tables.counts @ np.log1p(flux * e / tables.background) - flux * total)


def _fit_block(tables: Tables, directions: np.ndarray) -> np.ndarray:
    used, seconds = _weights(tables, directions)
    e, total = seconds @ tables.rows[used], seconds @ tables.totals[used]
    ts, flux = np.zeros(len(e)), np.zeros(len(e))
    moving = np.flatnonzero(e @ (tables.counts / tables.background) > total)
    rising = moving
    for _ in range(MAX_ITER):
        part, f = e[moving], flux[moving]
        ratio = part / (tables.background + f[:, np.newaxis] * part)
        slope = ratio @ tables.counts - total[moving]
        curvature = np.square(ratio, out=ratio) @ tables.counts
        step = slope / curvature
        flux[moving] += step
        moving = moving[np.abs(step) * np.sqrt(curvature) >= TOLERANCE]
        if not moving.size:
            break
    excess = np.log1p(flux[rising, np.newaxis] * e[rising] / tables.background)
    ts[rising] = 2 * (excess @ tables.counts - flux[rising] * total[rising])
    return ts
