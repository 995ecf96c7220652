"""Quantities that vary smoothly over the sky, as exposure, interpolated between grid points."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from skyquilt.io.hdf5 import get, put
from skyquilt.sky.healpix import interp_ring, vec_to_ring
from skyquilt.sky.pixels import check_ipix, nside_to_npix
from skyquilt.status import GOOD, NO_EXPOSURE

if TYPE_CHECKING:
    import h5py


@dataclass(frozen=True, eq=False)
class HealpixGrid:
    """Values at the centres of HEALPix pixels, bilinear in between.

    A pixel without values is not known, which is not 0: in it there are none. In a pixel that has
    values and borders on such, those of the neighbours that are known count.

    Attributes
    ----------
    nside : int
        Resolution.
    values : ndarray of float64, shape (n_pixel, n_quantity)
        Values per pixel.
    ipix : ndarray of int64, shape (n_pixel,), optional
        Ring pixels that have values, ascending. All pixels when left out.

    Raises
    ------
    ValueError
        If shapes do not fit, there are no pixels, they do not exist or do not ascend, or values
        are not finite.
    """

    nside: int
    values: np.ndarray
    ipix: np.ndarray | None = None

    def __post_init__(self):
        n_pixel = nside_to_npix(self.nside) if self.ipix is None else len(self.ipix)
        if self.values.ndim != 2 or len(self.values) != n_pixel:
            raise ValueError(f"values: shape {self.values.shape}, expected ({n_pixel}, n).")
        if not np.all(np.isfinite(self.values)):
            raise ValueError("values: some are not finite.")
        if n_pixel == 0:
            raise ValueError("values: no pixel has any.")
        if self.ipix is not None and np.any(np.diff(check_ipix(self.ipix, self.nside)) <= 0):
            raise ValueError("ipix: allowed are ascending pixels, each once.")

    @property
    def n_quantity(self) -> int:
        """Number of quantities."""
        return self.values.shape[1]

    def at(self, directions: np.ndarray) -> np.ndarray:
        """Values at given directions.

        Parameters
        ----------
        directions : ndarray of float64, shape (n, 3)
            Unit vectors.

        Returns
        -------
        ndarray of float64, shape (n, n_quantity)
            Bilinear means of four pixels; NaN in pixels that have no values.
        """
        ipix, weight = interp_ring(self.nside, directions)
        if self.ipix is None:
            return self._mean(ipix, weight)
        index, is_there = _find(self.ipix, ipix)
        total = self._mean(index, np.where(is_there, weight, 0.0))
        at_edge = np.flatnonzero(np.any(~is_there & (weight > 0), axis=1))
        if len(at_edge):
            fraction = np.sum(weight[at_edge], axis=1, where=is_there[at_edge], keepdims=True)
            own, is_known = _find(self.ipix, vec_to_ring(self.nside, directions[at_edge]))
            near = np.divide(total[at_edge], fraction, out=self.values[own], where=fraction > 0)
            total[at_edge] = np.where(is_known[:, np.newaxis], near, np.nan)
        return total

    def is_known(self, directions: np.ndarray) -> np.ndarray:
        """Whether the pixels of directions, of shape (n, 3), have values."""
        if self.ipix is None:
            return np.ones(len(directions), dtype=bool)
        return _find(self.ipix, vec_to_ring(self.nside, directions))[1]

    def _mean(self, index: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Weighted sums of four rows."""
        total = weight[:, 0, np.newaxis] * self.values[index[:, 0]]
        for k in range(1, 4):
            total += weight[:, k, np.newaxis] * self.values[index[:, k]]
        return total


def _find(known: np.ndarray, ipix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices of pixels among those that are known, ascending, and which of them there are."""
    index = np.minimum(np.searchsorted(known, ipix), len(known) - 1)
    return index, known[index] == ipix


class Interpolated(Protocol):
    """Quantities that are known at some directions."""

    def at(self, directions: np.ndarray) -> np.ndarray:
        """Values at unit vectors of shape (n, 3), shape (n, n_quantity); NaN if not known."""


def known_values(grid: Interpolated, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values of a grid at directions, and their status.

    Returns
    -------
    values : ndarray of float64, shape (n, n_quantity)
        Values; 0 where they are not known.
    status : ndarray of uint8, shape (n,)
        GOOD, or NO_EXPOSURE where they are not known.
    """
    values = grid.at(directions)
    is_unknown = np.isnan(values).any(axis=1)
    values[is_unknown] = 0
    return values, np.where(is_unknown, NO_EXPOSURE, GOOD).astype(np.uint8)


def put_grid(group: "h5py.Group", grid: HealpixGrid, unit: str, about: str) -> None:
    """Write a grid to a group."""
    group.attrs["kind"] = "healpix"
    group.attrs["nside"] = grid.nside
    put(group, "values", grid.values, unit, f"{about}, one row per RING pixel")
    if grid.ipix is not None:
        put(group, "ipix", grid.ipix, "", "pixels of the rows")


def get_grid(group: "h5py.Group") -> HealpixGrid:
    """Read what `put_grid` wrote."""
    ipix = get(group, "ipix") if "ipix" in group else None
    return HealpixGrid(int(group.attrs["nside"]), get(group, "values"), ipix)
