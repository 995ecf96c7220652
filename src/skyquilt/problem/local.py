"""Expectation of a short observation, from response rows per spacecraft direction."""

from dataclasses import dataclass

import numpy as np
from numba import njit

from skyquilt.problem.expectation import (
    Block,
    SparseWeights,
    add_weight,
    take_weights,
    weighted_rows,
)
from skyquilt.sky.healpix import check_directions, interp_ring_pixel
from skyquilt.sky.pixels import nside_to_npix
from skyquilt.status import GOOD, OCCULTED

# Work of finding the four neighbours of one attitude sample, in multiply-adds of a row:
# 0.2 us against 0.1 ns (Xeon, 2 cores, 2026).
_WORK_PER_SAMPLE = 2000


@dataclass(frozen=True, eq=False)
class LocalTable:
    """Response rows per spacecraft direction, and the attitude during the observation.

    The source crosses the spacecraft's sky; each attitude sample adds the bilinear mean of the
    four rows around the source's place, times the sample's seconds.

    Attributes
    ----------
    rows : ndarray of float32, shape (12 nside^2, n_hit)
        Expected counts per second for unit flux in the hit bins, per spacecraft direction (RING).
    totals : ndarray of float64, shape (12 nside^2,)
        The same summed over all bins [s-1].
    nside : int
        Resolution of the rows.
    rotation : ndarray of float64, shape (n_t, 3, 3)
        Matrix from the sky frame to the spacecraft, per attitude sample.
    weight : ndarray of float64, shape (n_t,)
        Time of each sample [s].
    zenith : ndarray of float64, shape (n_t, 3), optional
        Direction from the Earth's centre to the spacecraft, unit vectors in the sky frame.
        With it, samples in which the source is at or below the horizon are left out.
    horizon_cos : ndarray of float64, shape (n_t,), optional
        Cosine of the angle from the zenith to the horizon; goes with `zenith`.

    Raises
    ------
    ValueError
        If shapes do not fit, `zenith` comes without `horizon_cos`, a matrix is no rotation, or
        a weight is negative or not finite.
    """

    rows: np.ndarray
    totals: np.ndarray
    nside: int
    rotation: np.ndarray
    weight: np.ndarray
    zenith: np.ndarray | None = None
    horizon_cos: np.ndarray | None = None

    def __post_init__(self):
        n_row, n_t = nside_to_npix(self.nside), len(self.weight)
        wanted = {"totals": (n_row,), "rotation": (n_t, 3, 3), "weight": (n_t,)}
        if self.zenith is not None or self.horizon_cos is not None:
            wanted |= {"zenith": (n_t, 3), "horizon_cos": (n_t,)}
        for name, shape in {"rows": (n_row, self.n_hit), **wanted}.items():
            if np.shape(getattr(self, name)) != shape:
                raise ValueError(
                    f"{name}: shape {np.shape(getattr(self, name))}, expected {shape} for nside "
                    f"{self.nside} and {n_t} attitude samples."
                )
        _check_attitude(self.rotation, self.weight)

    @property
    def n_hit(self) -> int:
        """Number of hit bins."""
        return self.rows.shape[1]

    def block(self, directions: np.ndarray) -> Block:
        """Expected counts for unit flux.

        Parameters
        ----------
        directions : ndarray of float64, shape (n, 3)
            Unit vectors in the sky frame.

        Returns
        -------
        Block
            OCCULTED where the source is below the horizon in all samples that have weight.
        """
        weights, status = self.weights(directions)
        return Block(*weighted_rows(self.rows, self.totals, weights), status)

    def weights(self, directions: np.ndarray) -> tuple[SparseWeights, np.ndarray]:
        """Seconds per spacecraft direction, and status, for each sky direction."""
        has_horizon = self.zenith is not None
        *weights, status = _local_weights(
            check_directions(directions),
            self.rotation,
            self.weight,
            self.zenith if has_horizon else np.empty((0, 3)),
            self.horizon_cos if has_horizon else np.empty(0),
            self.nside,
        )
        return SparseWeights(*weights), status

    def work_per_direction(self) -> float:
        """Estimated multiply-adds for one direction."""
        n_t = len(self.weight)
        return min(4 * n_t, len(self.totals)) * self.n_hit + n_t * _WORK_PER_SAMPLE


def _check_attitude(rotation: np.ndarray, weight: np.ndarray) -> None:
    product = rotation @ np.swapaxes(rotation, 1, 2)
    wrong = np.flatnonzero(~np.all(np.abs(product - np.eye(3)) <= 1e-6, axis=(1, 2)))
    if wrong.size:
        raise ValueError(f"rotation {wrong[0]} is no orthogonal matrix: {rotation[wrong[0]]}.")
    wrong = np.flatnonzero(~((weight >= 0) & np.isfinite(weight)))
    if wrong.size:
        raise ValueError(f"weight {wrong[0]} is {weight[wrong[0]]} s: allowed is 0 or more.")


@njit(cache=True, nogil=True)
def _local_weights(directions, rotation, weight, zenith, horizon_cos, nside):
    n, n_row = len(directions), 12 * nside * nside
    per_direction = min(4 * weight.size, n_row)
    row = np.empty(n * per_direction, np.int64)
    seconds = np.empty(n * per_direction)
    stop, status = np.empty(n, np.int64), np.empty(n, np.uint8)
    dense, touched = np.zeros(n_row), np.empty(per_direction, np.int64)
    end = 0
    for k in range(n):
        n_touched, status[k] = _add_path(
            directions[k], rotation, weight, zenith, horizon_cos, nside, dense, touched
        )
        end = take_weights(dense, touched, n_touched, row, seconds, end)
        stop[k] = end
    return stop, row[:end], seconds[:end], status


@njit(cache=True, nogil=True)
def _add_path(source, rotation, weight, zenith, horizon_cos, nside, dense, touched):
    """Add the seconds of all attitude samples; rows touched and status of the direction."""
    n_touched, n_seen, n_hidden = 0, 0, 0
    for t in range(weight.size):
        if weight[t] == 0:
            continue
        if len(zenith) and _dot(source, zenith[t]) <= horizon_cos[t]:
            n_hidden += 1
            continue
        n_seen += 1
        x = _dot(source, rotation[t, 0])
        y = _dot(source, rotation[t, 1])
        z = _dot(source, rotation[t, 2])
        ipix, share = interp_ring_pixel(nside, x, y, z)
        for k in range(4):
            n_touched = add_weight(dense, touched, n_touched, ipix[k], weight[t] * share[k])
    is_hidden = n_hidden > 0 and n_seen == 0
    return n_touched, OCCULTED if is_hidden else GOOD


@njit(cache=True, nogil=True)
def _dot(a, b):
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
