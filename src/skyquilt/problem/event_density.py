"""Where photons one by one may come from: what is needed to simulate them.

A fit of photons needs expected densities at the photons that there are. A simulated sky has others,
at new positions and energies; this holds what is expected there.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from skyquilt.io.hdf5 import get, put
from skyquilt.problem.band_density import BandDensity
from skyquilt.problem.datasets import StoredDataset, get_all, put_all
from skyquilt.problem.sky_grid import get_grid, put_grid
from skyquilt.sky.frames import rotate, rotation

if TYPE_CHECKING:
    import h5py

_DATASETS = {
    "energy": StoredDataset("keV", "energies of the reference spectrum"),
    "spectrum": StoredDataset("cm-2 s-1 keV-1", "reference spectrum at these energies"),
    "psf_energy": StoredDataset("keV", "energies of the profiles"),
    "exposure_energy": StoredDataset("keV", "energies of the exposure"),
    "circles": StoredDataset("", "circles in which events lie: unit vector to the centre, chord"),
}
_ATTRIBUTES = ("frame", "background_frame", "span")


@dataclass(frozen=True, eq=False)
class EventDensity:
    """Background and reference spectrum at any position and energy.

    Attributes
    ----------
    background : BandDensity
        Expected background.
    frame, background_frame : {"galactic", "icrs"}
        Frame of the events, and that of the pixels of the background.
    span : tuple of float
        Lowest and highest energy of events [keV].
    energy, spectrum : ndarray of float64, shape (n,)
        Reference spectrum [ph cm-2 s-1 keV-1] at energies [keV] from end to end of the span, a
        power law between them.
    psf_energy, exposure_energy : ndarray of float64
        Energies of the point spread function and of the exposure [keV].
    circles : ndarray of float64, shape (n_circle, 4)
        Circles in all of which events lie: unit vector to the centre, in the frame of the events,
        and longest chord from there.

    Raises
    ------
    ValueError
        If the energies do not ascend from end to end of the span.
    """

    background: BandDensity
    frame: str
    background_frame: str
    span: tuple[float, float]
    energy: np.ndarray
    spectrum: np.ndarray
    psf_energy: np.ndarray
    exposure_energy: np.ndarray
    circles: np.ndarray

    def __post_init__(self):
        ends = (self.energy[0], self.energy[-1])
        if np.any(np.diff(self.energy) <= 0) or not np.allclose(ends, self.span, rtol=1e-9):
            raise ValueError(f"energy: allowed are ascending ones from end to end of {self.span}.")

    def background_at(self, direction: np.ndarray, energy: np.ndarray) -> np.ndarray:
        """Expected background at each of some events.

        Parameters
        ----------
        direction : ndarray of float64, shape (n, 3)
            Unit vectors in the frame of the events.
        energy : ndarray of float64, shape (n,)
            Energies [keV].

        Returns
        -------
        ndarray of float64, shape (n,)
            Expected counts per solid angle and energy [sr-1 keV-1]; 0 where there is none.
        """
        density = self.background.at_each(
            rotate(rotation(self.frame, self.background_frame), direction), energy
        )
        return np.where(self.is_inside(direction), density, 0.0)

    def background_per_sr(self, direction: np.ndarray) -> np.ndarray:
        """Expected background per solid angle in each band that it is given in.

        Parameters
        ----------
        direction : ndarray of float64, shape (n, 3)
            Unit vectors in the frame of the events.

        Returns
        -------
        ndarray of float64, shape (n, n_band)
            Expected counts [sr-1]; 0 where there are none.
        """
        grid = self.background.grid
        turned = rotate(rotation(self.frame, self.background_frame), direction)
        counts = np.where(self.is_inside(direction)[:, np.newaxis], grid.at(turned), 0.0)
        return counts * (self.background.scale * 12 * grid.nside**2 / (4 * np.pi))

    def is_inside(self, direction: np.ndarray) -> np.ndarray:
        """Whether directions, of shape (n, 3), lie in all circles and have a background."""
        inside = self.background.grid.is_known(
            rotate(rotation(self.frame, self.background_frame), direction)
        )
        for *center, chord in self.circles:
            inside &= np.linalg.norm(direction - center, axis=1) <= chord
        return inside

    def spectrum_at(self, energy: np.ndarray) -> np.ndarray:
        """Reference spectrum at energies [keV] within the span [ph cm-2 s-1 keV-1]."""
        logarithm = np.log(np.maximum(self.spectrum, np.finfo(float).tiny))
        return np.exp(np.interp(np.log(energy), np.log(self.energy), logarithm))

    def put(self, group: "h5py.Group") -> None:
        """Write to a group."""
        for name in _ATTRIBUTES:
            group.attrs[name] = getattr(self, name)
        group.attrs["scale"] = self.background.scale
        put_all(group, self, _DATASETS)
        put(group, "edges", self.background.edges, "keV", "edges of the bands of the background")
        put_grid(group.create_group("background"), self.background.grid, "", "expected counts")

    @classmethod
    def get(cls, group: "h5py.Group") -> "EventDensity":
        """Read from a group."""
        edges, scale = get(group, "edges"), float(group.attrs["scale"])
        low, high = map(float, group.attrs["span"])
        return cls(
            **get_all(group, _DATASETS),
            background=BandDensity(get_grid(group["background"]), edges, scale),
            frame=str(group.attrs["frame"]),
            background_frame=str(group.attrs["background_frame"]),
            span=(low, high),
        )


def node_positions(nodes: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Positions of energies among nodes, linear in the logarithm: 2.3 is 0.3 of the way to 3.

    Energies beyond the nodes have the position of the first or last.
    """
    position = np.interp(np.log(energy), np.log(nodes), np.arange(float(len(nodes))))
    return np.clip(position, 0, len(nodes) - 1)
