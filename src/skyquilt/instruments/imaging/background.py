"""Expected background as a density over sky and energy."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skyquilt.config.imaging import ImagingData
from skyquilt.errors import InputError
from skyquilt.instruments.imaging.events import Events
from skyquilt.instruments.imaging.healpix_cube import HealpixCube
from skyquilt.problem.sky_grid import HealpixGrid
from skyquilt.sky.frames import rotate, rotation


@dataclass(frozen=True, eq=False)
class Background:
    """Expected counts in pixels and bands, spread within both.

    Between the centres of pixels the density is bilinear. Within a band it is a power law, of the
    slope between the means of the bands beside it, that keeps the counts of the band; of index -2
    where there is one band, or a band without counts.

    Attributes
    ----------
    cube : HealpixCube
        Expected counts per pixel and band.
    scale : float
        Factor on them.
    share : ndarray of float64, shape (n_pixel,), optional
        Share of each pixel that is observed; all of it when left out.
    """

    cube: HealpixCube
    scale: float = 1.0
    share: np.ndarray | None = None

    def band_totals(self) -> np.ndarray:
        """Expected counts of each band, over the sky that is observed."""
        share = 1.0 if self.share is None else self.share[:, np.newaxis]
        return self.scale * np.sum(share * self.cube.values, axis=0)

    def total(self, span: tuple[float, float]) -> float:
        """Expected counts between two energies [keV]."""
        edges = np.clip(self.cube.energies, *span)
        share = self._integral(edges[:-1], edges[1:]) / self._norm
        return float(np.sum(self.band_totals() * share))

    def density(self, events: Events) -> np.ndarray:
        """Expected counts per solid angle and energy [sr-1 keV-1] at each event.

        Raises
        ------
        InputError
            If there is none at the place of an event.
        """
        band = self._bands(events.energy)
        counts = self._counts(events.frame, events.direction)[np.arange(band.size), band]
        density = self._spread(counts, band, events.energy)
        n_bad = int(np.count_nonzero(~(density > 0)))
        if n_bad:
            raise InputError(
                f"{self.cube.path}: {n_bad} of {density.size} events lie where the expected "
                "background is 0, and have no finite likelihood: give the background a value "
                "wherever there are events, or another `energy.range`."
            )
        return density

    def at(self, frame: str, direction: np.ndarray, energy: np.ndarray) -> np.ndarray:
        """The same at any places and energies, 0 where there is none.

        Parameters
        ----------
        frame : {"galactic", "icrs"}
            Frame of the directions.
        direction : ndarray of float64, shape (n, 3)
            Unit vectors.
        energy : ndarray of float64, shape (m,)
            Energies [keV].

        Returns
        -------
        ndarray of float64, shape (n, m)
            Densities [sr-1 keV-1].
        """
        band = self._bands(energy)
        return self._spread(self._counts(frame, direction)[:, band], band, energy)

    def _bands(self, energy: np.ndarray) -> np.ndarray:
        band = np.searchsorted(self.cube.energies, energy, side="right") - 1
        return np.clip(band, 0, len(self.cube.energies) - 2)

    def _counts(self, frame: str, direction: np.ndarray) -> np.ndarray:
        """Counts of a pixel around each direction, per band."""
        return self._grid.at(rotate(rotation(frame, self.cube.frame), direction))

    def _spread(self, counts: np.ndarray, band: np.ndarray, energy: np.ndarray) -> np.ndarray:
        """Densities [sr-1 keV-1] at energies in bands with these counts."""
        slope = self._slope[band]
        density = counts * energy**slope / self._norm[band] * (12 * self.cube.nside**2)
        return density * (self.scale / (4 * np.pi))

    @cached_property
    def _grid(self) -> HealpixGrid:
        ipix = None if self.cube.is_full else self.cube.ipix
        return HealpixGrid(self.cube.nside, self.cube.values, ipix)

    @cached_property
    def _slope(self) -> np.ndarray:
        """Index of the power law in each band."""
        edges, totals = self.cube.energies, self.cube.values.sum(axis=0)
        if len(totals) == 1 or not np.all(totals > 0):
            return np.full(len(totals), -2.0)
        middle = np.log(edges[1:] * edges[:-1]) / 2
        return np.gradient(np.log(totals / np.diff(edges)), middle)

    @cached_property
    def _norm(self) -> np.ndarray:
        return self._integral(self.cube.energies[:-1], self.cube.energies[1:])

    def _integral(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Integral of E^slope in each band, by Gauss-Legendre in the logarithm of energy."""
        node, weight = np.polynomial.legendre.leggauss(8)
        half = np.log(high / low)[:, np.newaxis] / 2
        energy = low[:, np.newaxis] * np.exp(half * (1 + node))
        return np.sum(weight * half * energy ** (self._slope[:, np.newaxis] + 1), axis=1)


def describe_scale(data: ImagingData) -> str:
    """Where the factor on the background comes from, for people."""
    source = "background file" if data.background.scale == 1 else "configuration"
    return source if data.interval is None else f"{source}, and good time in `data.interval`"
