"""Expectation of data binned on the sky, from response rows per sky pixel."""

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
from skyquilt.sky.healpix import check_directions, interp_ring_pixel, vec_to_ring_pixel
from skyquilt.sky.pixels import nside_to_npix, ring_to_nest_pixel
from skyquilt.status import GOOD

_ALLOWED = {"ordering": ("RING", "NESTED"), "interpolation": ("bilinear", "nearest")}


@dataclass(frozen=True, eq=False)
class SkyTable:
    """Response rows per sky pixel, exposure included.

    Attributes
    ----------
    rows : ndarray of float32, shape (12 nside^2, n_hit)
        Expected counts for unit flux in the hit bins, per sky pixel.
    totals : ndarray of float64, shape (12 nside^2,)
        The same summed over all bins.
    nside : int
        Resolution of the rows.
    ordering : {"RING", "NESTED"}
        Ordering of the rows.
    interpolation : {"bilinear", "nearest"}
        Mean of the four rows around a direction, or the row of the pixel that contains it.

    Raises
    ------
    ValueError
        If shapes do not fit, or ordering or interpolation is unknown.
    """

    rows: np.ndarray
    totals: np.ndarray
    nside: int
    ordering: str
    interpolation: str

    def __post_init__(self):
        for name, allowed in _ALLOWED.items():
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"{name} {getattr(self, name)!r}: allowed are {', '.join(allowed)}."
                )
        n_row = nside_to_npix(self.nside)
        for name, shape in {"rows": (n_row, self.n_hit), "totals": (n_row,)}.items():
            if np.shape(getattr(self, name)) != shape:
                raise ValueError(
                    f"{name}: shape {np.shape(getattr(self, name))}, expected {shape} for nside "
                    f"{self.nside}."
                )

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
            All directions are GOOD.
        """
        weights = self.weights(directions)
        status = np.full(len(directions), GOOD, dtype=np.uint8)
        return Block(*weighted_rows(self.rows, self.totals, weights), status)

    def weights(self, directions: np.ndarray) -> SparseWeights:
        """Weights of the rows for each direction, sum 1."""
        return SparseWeights(
            *_sky_weights(
                check_directions(directions),
                self.nside,
                self.ordering == "NESTED",
                self.interpolation == "bilinear",
            )
        )

    def work_per_direction(self) -> float:
        """Estimated multiply-adds for one direction."""
        return (4.0 if self.interpolation == "bilinear" else 1.0) * self.n_hit


@njit(cache=True, nogil=True)
def _sky_weights(directions, nside, is_nested, is_bilinear):
    n = len(directions)
    stop, row, weight = np.empty(n, np.int64), np.empty(4 * n, np.int64), np.empty(4 * n)
    dense, touched = np.zeros(12 * nside * nside), np.empty(4, np.int64)
    end = 0
    for k in range(n):
        n_touched = _add_neighbours(directions[k], nside, is_nested, is_bilinear, dense, touched)
        end = take_weights(dense, touched, n_touched, row, weight, end)
        stop[k] = end
    return stop, row[:end], weight[:end]


@njit(cache=True, nogil=True)
def _add_neighbours(source, nside, is_nested, is_bilinear, dense, touched):
    x, y, z = source
    if not is_bilinear:
        nearest = _row_of(nside, vec_to_ring_pixel(nside, x, y, z), is_nested)
        return add_weight(dense, touched, 0, nearest, 1.0)
    ipix, share = interp_ring_pixel(nside, x, y, z)
    n_touched = 0
    for k in range(4):
        row = _row_of(nside, ipix[k], is_nested)
        n_touched = add_weight(dense, touched, n_touched, row, share[k])
    return n_touched


@njit(cache=True, nogil=True)
def _row_of(nside, ipix, is_nested):
    return ring_to_nest_pixel(nside, ipix) if is_nested else ipix
