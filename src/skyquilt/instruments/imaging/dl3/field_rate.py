"""Background of an observation: rates in the field of view, on the sky."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.imaging.dl3.irfs import FieldBackground
from skyquilt.instruments.imaging.dl3.region import FieldBorders
from skyquilt.sky.frames import vec_to_lonlat

_CELL = np.radians(0.04)  # of the sum over the field of view
_PER_INTERVAL = 8  # energies of the sum between two of the rate


@dataclass(frozen=True, eq=False)
class ObservedBackground:
    """Expected background of one observation.

    Attributes
    ----------
    path : str
        Its file.
    rate : FieldBackground
        Rate in the field of view.
    borders : FieldBorders
        Part of the sky that events are taken of.
    time : float
        Time of the observation, times the factor on the rate [s].
    """

    path: str
    rate: FieldBackground
    borders: FieldBorders
    time: float

    def density(self, direction: np.ndarray, energy: np.ndarray) -> np.ndarray:
        """Expected counts per solid angle and energy [sr-1 keV-1] at events, shape (n,)."""
        return self.time * self.rate.at(energy, *self._in_field(direction))

    def densities(self, direction: np.ndarray, energy: np.ndarray) -> np.ndarray:
        """The same at all energies, of shape (m,), in each direction, of shape (n, 3); (n, m)."""
        return self.time * self.rate.everywhere(energy, *self._in_field(direction)).T

    def density_at_events(self, direction: np.ndarray, energy: np.ndarray) -> np.ndarray:
        """The same, if it is above 0 at all events.

        Raises
        ------
        InputError
            If there is none at an event, which has no finite likelihood then.
        """
        density = self.density(direction, energy)
        bad = np.flatnonzero(~(density > 0))
        if bad.size:
            lon, lat = vec_to_lonlat(direction[bad[0]])
            raise InputError(
                f"{self.path}: {bad.size} of {density.size} events lie where the expected "
                f"background is 0, as one of {energy[bad[0]]:.6g} keV at ({lon:.4f}, {lat:.4f}) "
                "icrs, and have no finite likelihood: give a background that is above 0 wherever "
                "there are events, a smaller `data.region`, or another `energy.range`."
            )
        return density

    def totals(self, edges: np.ndarray) -> np.ndarray:
        """Expected counts in bands of energy, over the region, shape (n_band,)."""
        nodes = np.unique(np.concatenate([edges, self._steps(edges)]))
        lon, lat, solid = self._cells
        found = np.sum(self.rate.everywhere(nodes, lon, lat) * solid, axis=1)
        upto = np.append(0, np.cumsum((found[1:] + found[:-1]) / 2 * np.diff(nodes)))
        return self.time * np.diff(upto[np.searchsorted(nodes, edges)])

    def _steps(self, edges: np.ndarray) -> np.ndarray:
        inner = self.rate.energy.nodes
        ends = np.unique(np.clip(np.concatenate([edges, inner]), edges[0], edges[-1]))
        part = np.arange(_PER_INTERVAL) / _PER_INTERVAL
        return (ends[:-1, np.newaxis] * (ends[1:] / ends[:-1])[:, np.newaxis] ** part).ravel()

    @cached_property
    def _cells(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Longitude, latitude and solid angle of the cells of the region."""
        n = int(np.ceil(self.borders.radius / _CELL))
        middle = (np.arange(-n, n) + 0.5) * self.borders.radius / n
        lon, lat = (one.ravel() for one in np.meshgrid(middle, middle))
        solid = (self.borders.radius / n) ** 2 * np.cos(lat)
        east, north = self._axes
        direction = (
            (np.cos(lat) * np.cos(lon))[:, np.newaxis] * self.borders.pointing
            + (np.cos(lat) * np.sin(lon))[:, np.newaxis] * east
            + np.sin(lat)[:, np.newaxis] * north
        )
        inside = self.borders.contain(direction)
        return lon[inside], lat[inside], solid[inside]

    def _in_field(self, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Longitude, which grows with right ascension, and latitude around the pointing [rad]."""
        east, north = self._axes
        lon = np.arctan2(direction @ east, direction @ self.borders.pointing)
        return lon, np.arcsin(np.clip(direction @ north, -1, 1))

    @property
    def _axes(self) -> tuple[np.ndarray, np.ndarray]:
        """Unit vectors to the east and north of the pointing."""
        east = np.cross([0.0, 0.0, 1.0], self.borders.pointing)
        length = np.linalg.norm(east)
        east = east / length if length > 1e-9 else np.array([0.0, 1.0, 0.0])
        return east, np.cross(self.borders.pointing, east)
