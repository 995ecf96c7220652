"""Maps of an analysis, with units and positions."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from skyquilt.errors import ConfigError
from skyquilt.maps.file import COLUMNS, read_skymap
from skyquilt.maps.skymap import SkyMap
from skyquilt.sky.frames import vec_to_lonlat
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.sky.pixels import nest_to_ring
from skyquilt.spectra.energies import flux_range, format_range

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord
    from astropy.table import QTable
    from astropy.units import Quantity
    from matplotlib.axes import Axes


class Maps:
    """Test statistic, flux and more of the pixels of a sky.

    Parameters
    ----------
    skymap : SkyMap
        The pixels and what was fitted there.
    about : dict
        Description of the fit problem.
    keep : object, optional
        What must live as long as the maps do.

    Attributes
    ----------
    skymap : SkyMap
        The arrays, without units.
    nside : int
        Resolution.
    frame : {"galactic", "icrs"}
        Frame of the pixels.
    ipix : ndarray of int64, shape (n,)
        Nested pixels, ascending.
    columns : tuple of str
        What there is of each pixel.
    """

    def __init__(self, skymap: SkyMap, about: dict[str, Any], keep: object = None):
        self.skymap, self._about, self._keep = skymap, about, keep
        self.nside, self.frame, self.ipix = skymap.nside, skymap.frame, skymap.ipix
        self.columns = tuple(skymap.columns)

    @classmethod
    def read(cls, path: str | Path, keep: object = None) -> Self:
        """Maps of a file `maps.fits`.

        Raises
        ------
        ProductError
            If the file is missing, damaged or of another kind.
        """
        skymap, record = read_skymap(path)
        return cls(skymap, record["description"], keep)

    @property
    def ts(self) -> np.ndarray:
        """Test statistic of each pixel, shape (n,); NaN where nothing was fitted."""
        return self.skymap.ts

    @property
    def flux(self) -> "Quantity":
        """Photon flux of each pixel [cm-2 s-1], in the energies `energy_range`."""
        return self["photon_flux"]

    @property
    def flux_err(self) -> "Quantity":
        """Standard error of `flux`."""
        return self._in_photons("flux_err")

    @property
    def flux_ul(self) -> "Quantity":
        """Upper limit on `flux`."""
        return self._in_photons("flux_ul")

    @property
    def energy_range(self) -> "Quantity":
        """Lowest and highest energy of the fluxes, shape (2,) [keV]."""
        from astropy import units

        return units.Quantity(flux_range(self._about), "keV")

    @property
    def coords(self) -> "SkyCoord":
        """Centres of the pixels."""
        from astropy.coordinates import SkyCoord

        return SkyCoord(*self._lonlat(), unit="deg", frame=self.frame)

    @property
    def position(self) -> "SkyCoord":
        """Centre of the pixel of the largest TS.

        Raises
        ------
        ConfigError
            If no pixel has a TS.
        """
        return self.coords[self._highest()]

    def __getitem__(self, name: str) -> Any:
        """A column: a Quantity where it has a unit, an array else."""
        from astropy import units

        self._check(name)
        values, unit = self.skymap.columns[name], COLUMNS[name][0]
        return units.Quantity(values, unit, copy=False) if unit else values

    def to_table(self) -> "QTable":
        """All columns, with pixels and positions."""
        from astropy.table import QTable

        columns = {name: self[name] for name in self.columns}
        return QTable({"ipix": self.ipix, "position": self.coords, **columns})

    def to_healpy(self, name: str = "ts") -> np.ndarray:
        """Map of the whole sky for healpy: ring order, in the frame of the maps.

        Parameters
        ----------
        name : str, optional
            Column.

        Returns
        -------
        ndarray of float64, shape (12 nside^2,)
            Values; `healpy.UNSEEN` where nothing was fitted.
        """
        from healpy import UNSEEN

        self._check(name)
        values = np.full(12 * self.nside**2, UNSEEN)
        column = np.asarray(self.ts if name == "ts" else self[name], float)
        values[nest_to_ring(self.nside, self.ipix)] = np.where(np.isnan(column), UNSEEN, column)
        return values

    def to_gammapy(self, name: str = "ts") -> Any:
        """Map of gammapy, which must be installed.

        Parameters
        ----------
        name : str, optional
            Column.

        Returns
        -------
        HpxNDMap
            Map of the whole sky, NaN where nothing was fitted.
        """
        from gammapy.maps import HpxGeom, HpxNDMap

        values = self.to_healpy(name)
        frame = "galactic" if self.frame == "galactic" else "icrs"
        geometry = HpxGeom(nside=self.nside, nest=False, frame=frame)
        unit = COLUMNS[name][0]
        return HpxNDMap(geometry, np.where(values < -1e30, np.nan, values), unit=unit)

    def plot(self, name: str = "ts", ax: "Axes | None" = None, colormap: str = "viridis") -> "Axes":
        """Draw a column.

        Parameters
        ----------
        name : str, optional
            Column.
        ax : Axes, optional
            Where to draw: axes of astropy (WCSAxes) in any projection, or plain ones, which become
            a Mollweide map. Without it a figure is made.
        colormap : str, optional
            Name of a colormap of matplotlib.

        Returns
        -------
        Axes
            The axes.
        """
        from skyquilt.api.draw import draw_maps

        self._check(name)
        label = f"{name} [{COLUMNS[name][0]}]" if COLUMNS[name][0] else name
        if name == "photon_flux":
            label += f", {format_range(*flux_range(self._about))}"
        return draw_maps(self.skymap, name, label, ax, colormap)

    def __repr__(self) -> str:
        return f"<Maps nside {self.nside}, {self.frame}, {self.ipix.size} pixels, {self._best()}>"

    def _repr_html_(self) -> str:
        energies = format_range(*flux_range(self._about))
        rows = {
            "resolution": f"nside {self.nside}, {self.ipix.size} pixels, {self.frame}",
            "energies": energies,
            "largest TS": self._best(),
            "columns": ", ".join(self.columns),
        }
        return html_table("Maps", rows)

    def _check(self, name: str) -> None:
        if name not in self.columns:
            raise KeyError(f"{name!r}: the maps have {', '.join(self.columns)}")

    def _best(self) -> str:
        if not np.any(self.ts > 0):
            return "no source"
        lon, lat = (values[self._highest()] for values in self._lonlat())
        return f"TS {np.nanmax(self.ts):.1f} at lon {lon:.2f}, lat {lat:+.2f} deg"

    def _highest(self) -> int:
        if np.all(np.isnan(self.ts)):
            raise ConfigError("no pixel of the maps has a TS: there is no best position.")
        return int(np.nanargmax(self.ts))

    def _lonlat(self) -> tuple[np.ndarray, np.ndarray]:
        return vec_to_lonlat(nest_to_vec(self.nside, self.ipix))

    def _in_photons(self, name: str) -> "Quantity":
        """A multiple of the reference spectrum as photon flux.

        The photon flux of the reference is that of the pixel of the largest flux, over its
        multiple; of each spectrum where there are several.
        """
        from astropy import units

        columns = self.skymap.columns
        if name not in columns:
            raise ConfigError(f"the maps have no {name}: they were fitted with `limits: false`.")
        flux, photons = columns["flux"], columns["photon_flux"]
        number = columns.get("template", np.zeros(flux.size, np.int64))
        reference = np.full(flux.size, np.nan)
        for template in np.unique(number):
            here = np.flatnonzero((number == template) & (np.nan_to_num(flux) != 0))
            if here.size:
                best = here[np.argmax(np.abs(flux[here]))]
                reference[number == template] = photons[best] / flux[best]
        return units.Quantity(columns[name] * reference, "cm-2 s-1")


def html_table(title: str, rows: dict[str, str]) -> str:
    """Two columns for a notebook."""
    from html import escape

    cells = "".join(f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in rows.items())
    return f"<table><caption><b>skyquilt {escape(title)}</b></caption>{cells}</table>"
