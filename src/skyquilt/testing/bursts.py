"""Bursts in time bins, seen by a toy Compton telescope: data sets in cells, and their truth."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from skyquilt.light_curves.functions import LIGHT_CURVES, mean_over_bins
from skyquilt.model import Cells, one_axis
from skyquilt.model.sources import Background, Source
from skyquilt.problem.cells.data import CellData
from skyquilt.problem.cells.sights import CellCounts, CellHits, Views
from skyquilt.problem.true_energy import TrueEnergy
from skyquilt.sky.frames import lonlat_to_vec, vec_to_lonlat
from skyquilt.testing.toy import Telescope, turn

_EDGES_KEV = np.array([100.0, 200.0])  # one node of true energy
_MAX_LAT = 60.0  # of bursts [deg]
_TILT, _ROLL = (20.0, 29.0), (70.0, 74.0)  # of a slew of 9 deg [deg]


@dataclass(frozen=True)
class Burst:
    """A pulse in time bins.

    Attributes
    ----------
    peak, t0, sigma : float
        Gaussian light curve: flux at its maximum, its time and its standard deviation [s].
    counts : float
        Expected counts of the brightest bin.
    background : float
        Expected background counts in each bin.
    n_bin, width_s : int, float
        Time bins.
    """

    peak: float = 1.0
    t0: float = 20.0
    sigma: float = 5.7
    counts: float = 27.0
    background: float = 40.0
    n_bin: int = 20
    width_s: float = 2.0

    @property
    def cells(self) -> Cells:
        """Time bins [s]."""
        start = self.width_s * np.arange(self.n_bin)
        return one_axis("time_bin", start, start + self.width_s)

    @property
    def fluxes(self) -> np.ndarray:
        """Mean flux in each bin."""
        cells = self.cells
        assert cells.start is not None
        assert cells.stop is not None
        mean = mean_over_bins(LIGHT_CURVES["gaussian"], cells.start, cells.stop)
        return mean(*map(np.float64, (self.peak, self.t0, self.sigma)))


@dataclass(frozen=True, eq=False)
class RingCells:
    """Rings of a toy telescope in time bins, without a table between which they are interpolated.

    Attributes
    ----------
    telescope : Telescope
        The telescope.
    rotation : ndarray of float64, shape (n_cell, 3, 3)
        From the sky to the spacecraft, in each time bin.
    seconds : float
        Length of each.
    """

    telescope: Telescope
    rotation: np.ndarray
    seconds: float

    @property
    def true_energy(self) -> TrueEnergy:
        """The one node."""
        return TrueEnergy.of_bins(_EDGES_KEV)

    def see(self, views: Views, cells: CellHits) -> "RingSights":
        """Look at a point source."""
        direction = np.broadcast_to(
            views.directions[:, :, 0], (len(views.directions), cells.n_cell, 3)
        )
        local = np.einsum("cij,vcj->vci", self.rotation, direction)
        rows = self.telescope.expect_local(local.reshape(-1, 3)) * self.seconds
        rows = rows.reshape(*local.shape[:2], -1)
        hit = rows[:, cells.cell, cells.column]
        return RingSights(CellCounts(hit, rows.sum(axis=2)), cells.cell)

    def take(self, cells: slice) -> "RingCells":
        """The same of some of the time bins only."""
        return replace(self, rotation=self.rotation[cells])


class RingSights(NamedTuple):
    """What is seen for a photon of the one node."""

    counts: CellCounts
    cell: np.ndarray

    def contract(self, flux: np.ndarray, *, first_only: bool = False) -> CellCounts:
        """Expected counts for a spectrum."""
        hit, total = (part[:1] if first_only else part for part in self.counts)
        photons = flux[..., 0]  # of the one node
        return CellCounts((photons[self.cell] if photons.ndim else photons) * hit, photons * total)


class Scene:
    """A burst at a position, and what the telescope expects of it.

    Parameters
    ----------
    burst : Burst
        The pulse.
    rng : Generator
        Draws the position, within 40 deg of the boresight and 60 of the equator.
    telescope : Telescope, optional
        The telescope.
    """

    def __init__(
        self, burst: Burst, rng: np.random.Generator, telescope: Telescope | None = None
    ) -> None:
        self.burst = burst
        self._telescope = telescope or Telescope(background_counts=burst.background)
        self.lat = 90.0
        while abs(self.lat) > _MAX_LAT:  # longitudes are no angles near a pole
            direction = self._telescope.random_direction(rng, 40.0)
            self.lon, self.lat = (float(part) for part in np.ravel(vec_to_lonlat(direction)))
        local = self._rotation @ lonlat_to_vec(self.lon, self.lat)
        unit = burst.width_s * self._telescope.expect_local(local)
        level = burst.counts / np.max(burst.fluxes * unit.sum(axis=1))
        self._expected = level * burst.fluxes[:, np.newaxis] * unit
        self.source = Source("burst", _flat(level), ())
        self.background = Background("norm")

    @property
    def source_counts(self) -> np.ndarray:
        """Expected counts of the burst in each bin."""
        return self._expected.sum(axis=1)

    def observe(self, rng: np.random.Generator) -> CellData:
        """Poisson counts in all time bins."""
        return self._data(rng.poisson(self._expected + self._telescope.background))

    def split(self, data: CellData) -> list[CellData]:
        """Each time bin by itself."""
        return [self._of_bin(data, number) for number in range(self.burst.n_bin)]

    def _data(self, counts: np.ndarray) -> CellData:
        cell, column = np.nonzero(counts)
        burst, background = self.burst, self._telescope.background
        start = burst.width_s * np.arange(burst.n_bin)
        return CellData(
            name="",
            frame="galactic",
            start=start,
            stop=start + burst.width_s,
            livetime=np.full(start.size, burst.width_s),
            cell=cell,
            column=column,
            counts=counts[cell, column].astype(np.float64),
            components=("",),
            background=background[np.newaxis],
            background_total=np.array([background.sum()]),
            fraction=np.ones(start.size),
            expectation=RingCells(self._telescope, self._rotation, burst.width_s),
            angle_deg=0.1,
        )

    def _of_bin(self, data: CellData, number: int) -> CellData:
        own, one = data.cell == number, slice(number, number + 1)
        rotation, seconds = self._rotation[one], self.burst.width_s
        return replace(
            data,
            start=data.start[one],
            stop=data.stop[one],
            livetime=data.livetime[one],
            cell=np.zeros(np.count_nonzero(own), np.int64),
            column=data.column[own],
            counts=data.counts[own],
            fraction=data.fraction[one],
            expectation=RingCells(self._telescope, rotation, seconds),
        )

    @cached_property
    def _rotation(self) -> np.ndarray:
        """Attitude in the middle of each time bin: a slew."""
        part = (np.arange(self.burst.n_bin) + 0.5) / self.burst.n_bin
        tilt, roll = (np.radians(low + (high - low) * part) for low, high in (_TILT, _ROLL))
        return turn(roll, 2) @ turn(tilt, 0)


def _flat(level: float) -> Callable[[np.ndarray], np.ndarray]:
    """Spectrum that has so many photons in the one node."""
    width = _EDGES_KEV[1] - _EDGES_KEV[0]
    return lambda energy: level / width + 0 * energy
