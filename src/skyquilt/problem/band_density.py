"""Expected counts in pixels and energy bands as a density over sky and energy."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skyquilt.problem.sky_grid import HealpixGrid


@dataclass(frozen=True, eq=False)
class BandDensity:
    """Counts spread within pixels and bands.

    Between the centres of pixels the density is bilinear. Within a band it is a power law, of the
    slope between the means of the bands beside it, that keeps the counts of the band; of index -2
    where there is one band, or a band without counts.

    Attributes
    ----------
    grid : HealpixGrid
        Expected counts per pixel and band.
    edges : ndarray of float64, shape (n_band + 1,)
        Edges of the bands [keV].
    scale : float
        Factor on the counts.
    whole : BandDensity, optional
        Sum of all components where this is one of several, which then have its slopes: so their
        densities add up.
    """

    grid: HealpixGrid
    edges: np.ndarray
    scale: float = 1.0
    whole: "BandDensity | None" = None

    def at(self, direction: np.ndarray, energy: np.ndarray) -> np.ndarray:
        """Expected counts per solid angle and energy at all energies in each direction.

        Parameters
        ----------
        direction : ndarray of float64, shape (n, 3)
            Unit vectors in the frame of the pixels.
        energy : ndarray of float64, shape (m,)
            Energies [keV].

        Returns
        -------
        ndarray of float64, shape (n, m)
            Densities [sr-1 keV-1].
        """
        band = self._bands(energy)
        return self._spread(self.grid.at(direction)[:, band], band, energy)

    def at_each(self, direction: np.ndarray, energy: np.ndarray) -> np.ndarray:
        """The same at pairs of a direction and an energy, shape (n,)."""
        band = self._bands(energy)
        counts = self.grid.at(direction)[np.arange(band.size), band]
        return self._spread(counts, band, energy)

    def fractions(self, span: tuple[float, float]) -> np.ndarray:
        """Fraction of the counts of each band that lie between two energies [keV]."""
        edges = np.clip(self.edges, *span)
        return self._integral(edges[:-1], edges[1:]) / self._norm

    @cached_property
    def slope(self) -> np.ndarray:
        """Index of the power law in each band, shape (n_band,)."""
        if self.whole is not None:
            return self.whole.slope
        totals = self.grid.values.sum(axis=0)
        if len(totals) == 1 or not np.all(totals > 0):
            return np.full(len(totals), -2.0)
        middle = np.log(self.edges[1:] * self.edges[:-1]) / 2
        return np.gradient(np.log(totals / np.diff(self.edges)), middle)

    def _bands(self, energy: np.ndarray) -> np.ndarray:
        band = np.searchsorted(self.edges, energy, side="right") - 1
        return np.clip(band, 0, len(self.edges) - 2)

    def _spread(self, counts: np.ndarray, band: np.ndarray, energy: np.ndarray) -> np.ndarray:
        """Densities [sr-1 keV-1] at energies in bands with these counts per pixel."""
        slope = self.slope[band]
        density = counts * energy**slope / self._norm[band] * (12 * self.grid.nside**2)
        return density * (self.scale / (4 * np.pi))

    @cached_property
    def _norm(self) -> np.ndarray:
        return self._integral(self.edges[:-1], self.edges[1:])

    def _integral(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Integral of E^slope in each band, by Gauss-Legendre in the logarithm of energy."""
        node, weight = np.polynomial.legendre.leggauss(8)
        half = np.log(high / low)[:, np.newaxis] / 2
        energy = low[:, np.newaxis] * np.exp(half * (1 + node))
        return np.sum(weight * half * energy ** (self.slope[:, np.newaxis] + 1), axis=1)
