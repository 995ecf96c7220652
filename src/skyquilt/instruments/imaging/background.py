"""Expected background as a density over sky and energy."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skyquilt.config.imaging import ImagingData
from skyquilt.errors import InputError
from skyquilt.instruments.imaging.events import Events
from skyquilt.instruments.imaging.healpix_cube import HealpixCube
from skyquilt.problem.band_density import BandDensity
from skyquilt.problem.sky_grid import HealpixGrid
from skyquilt.sky.frames import rotate, rotation


@dataclass(frozen=True, eq=False)
class Background:
    """Expected counts in pixels and bands, spread within both.

    How, see `skyquilt.problem.band_density`.

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
        return float(np.sum(self.band_totals() * self.spread.fractions(span)))

    def density(self, events: Events) -> np.ndarray:
        """Expected counts per solid angle and energy [sr-1 keV-1] at each event.

        Raises
        ------
        InputError
            If there is none at the place of an event.
        """
        density = self.spread.at_each(self._turn(events.frame, events.direction), events.energy)
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
        return self.spread.at(self._turn(frame, direction), energy)

    @cached_property
    def spread(self) -> BandDensity:
        """The counts spread within pixels and bands, in the frame of the cube."""
        ipix = None if self.cube.is_full else self.cube.ipix
        grid = HealpixGrid(self.cube.nside, self.cube.values, ipix)
        return BandDensity(grid, self.cube.energies, self.scale)

    def _turn(self, frame: str, direction: np.ndarray) -> np.ndarray:
        return rotate(rotation(frame, self.cube.frame), direction)


def describe_scale(data: ImagingData) -> str:
    """Where the factor on the background comes from, for people."""
    source = "background file" if data.background.scale == 1 else "configuration"
    return source if data.interval is None else f"{source}, and good time in `data.interval`"
