"""Quantities that vary smoothly over the sky, as exposure, interpolated between grid points."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from skyquilt.sky.healpix import interp_ring
from skyquilt.sky.pixels import check_ipix, nside_to_npix


class SkyGrid(Protocol):
    """Several quantities on the sky."""

    @property
    def n_quantity(self) -> int:
        """Number of quantities."""

    def at(self, directions: np.ndarray) -> np.ndarray:
        """Values at unit vectors of shape (n, 3): float64, shape (n, n_quantity)."""


@dataclass(frozen=True, eq=False)
class HealpixGrid:
    """Values at the centres of HEALPix pixels, bilinear in between.

    Attributes
    ----------
    nside : int
        Resolution.
    values : ndarray of float64, shape (n_pixel, n_quantity)
        Values per pixel.
    ipix : ndarray of int64, shape (n_pixel,), optional
        Ring pixels that have values, ascending; 0 in all others. All pixels when left out.

    Raises
    ------
    ValueError
        If shapes do not fit, pixels do not exist or do not ascend, or values are not finite.
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
            Bilinear means of four pixels.
        """
        ipix, weight = interp_ring(self.nside, directions)
        if self.ipix is not None:
            place = np.minimum(np.searchsorted(self.ipix, ipix), len(self.ipix) - 1)
            weight = np.where(self.ipix[place] == ipix, weight, 0.0)
            ipix = place
        total = weight[:, 0, np.newaxis] * self.values[ipix[:, 0]]
        for k in range(1, 4):
            total += weight[:, k, np.newaxis] * self.values[ipix[:, k]]
        return total
