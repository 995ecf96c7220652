"""Where the source is: position, regions, flux."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from skyquilt.api.maps import Maps, html_table
from skyquilt.errors import ConfigError, RunError
from skyquilt.localisation.file import MULTIORDER, SKYMAP
from skyquilt.localisation.posterior import flatten_probability
from skyquilt.maps.credible import find_credible_region, probability_inside
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.multiorder_file import read_multiorder
from skyquilt.maps.region import Region
from skyquilt.maps.summary_file import NAME, read_summary
from skyquilt.sky.frames import lonlat_to_vec
from skyquilt.sky.pixels import nest_to_ring

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord
    from astropy.units import Quantity
    from matplotlib.axes import Axes


class Localisation:
    """Posterior probability of the position, regions, and the flux at the best position.

    Parameters
    ----------
    cells : MultiOrderMap
        Content of skymap.multiorder.fits.
    summary : dict
        Content of summary.json.
    folder : Path
        Where the files are.
    keep : object, optional
        What must live as long as this does.

    Attributes
    ----------
    summary : dict
        All numbers, as in `summary.json`.
    folder : Path
        Where the files are.
    """

    def __init__(
        self, cells: MultiOrderMap, summary: dict[str, Any], folder: Path, keep: object = None
    ):
        self._cells, self._keep = cells, keep
        self.summary, self.folder = summary, folder

    @classmethod
    def read(cls, folder: str | Path, keep: object = None) -> Self:
        """Localisation of the folder of an analysis.

        Raises
        ------
        ProductError
            If a file is missing, damaged or of another kind.
        """
        folder = Path(folder)
        cells, _ = read_multiorder(folder / MULTIORDER, SKYMAP)
        return cls(cells, read_summary(folder / NAME), folder, keep)

    @cached_property
    def maps(self) -> Maps:
        """Maps of one resolution that it started from."""
        return Maps.read(self.folder / "maps.fits", keep=self._keep)

    @property
    def position(self) -> "SkyCoord":
        """Best position (ICRS).

        Raises
        ------
        ConfigError
            If no position prefers a source.
        """
        from astropy.coordinates import SkyCoord

        best = self._best()["icrs"]
        return SkyCoord(best["lon"], best["lat"], unit="deg", frame="icrs")

    @property
    def ts(self) -> float:
        """Test statistic at the best position; 0 where none prefers a source."""
        best = self.summary["best"]
        return 0.0 if best is None else best["ts"]

    @property
    def flux(self) -> "Quantity":
        """Photon flux at the best position [cm-2 s-1]."""
        return self._in_photons("flux")

    @property
    def flux_err(self) -> "Quantity":
        """Errors of the flux downwards and upwards [cm-2 s-1], shape (2,)."""
        names = ("flux_err_lo", "flux_err_hi")
        if self._best().get(names[0]) is None:
            names = ("flux_err", "flux_err")
        low, high = (self._in_photons(name) for name in names)
        return np.stack([low, high])

    @property
    def flux_ul(self) -> "Quantity":
        """Upper limit on the flux [cm-2 s-1]."""
        return self._in_photons("flux_ul")

    @property
    def energy_flux(self) -> "Quantity":
        """Energy flux at the best position [erg cm-2 s-1], in the energies of the flux."""
        from astropy import units

        best = self._best()
        if best.get("energy_flux") is None:
            raise ConfigError(
                "there is no energy flux: the summary is of an earlier skyquilt; localise again."
            )
        return units.Quantity(best["energy_flux"], "erg cm-2 s-1")

    def region(self, level: float = 0.9) -> Any:
        """Credible region as a MOC of mocpy, which must be installed.

        Parameters
        ----------
        level : float, optional
            Probability in it.

        Returns
        -------
        mocpy.MOC
            The region.

        Raises
        ------
        RunError
            If mocpy is not there.
        ValueError
            If the level is outside (0, 1).
        """
        try:
            from mocpy import MOC
        except ImportError as error:
            raise RunError("a region as a MOC needs mocpy: `pip install mocpy`.") from error
        inside = self._region(level).cells
        order = self._cells.order[inside].astype(np.uint8)
        ipix = self._cells.ipix[inside].astype(np.uint64)
        return MOC.from_healpix_cells(ipix, order, max_depth=self._cells.max_order)

    def area(self, level: float = 0.9) -> "Quantity":
        """Area of a credible region [deg2]."""
        from astropy import units

        return units.Quantity(self._region(level).area, "deg2")

    def contains(self, position: "SkyCoord", level: float = 0.9) -> Any:
        """Whether a credible region holds positions.

        Parameters
        ----------
        position : SkyCoord
            One position or an array of them, in any frame.
        level : float, optional
            Probability in the region.

        Returns
        -------
        bool or ndarray of bool
            One for each position.
        """
        inside = self._region(level).cells
        cell = self._cell(position)
        found = np.isin(cell, inside).reshape(np.shape(position))
        return bool(found) if np.ndim(found) == 0 else found

    def probability(self, position: "SkyCoord") -> Any:
        """Probability of the smallest credible region that holds positions ("searched").

        Parameters
        ----------
        position : SkyCoord
            One position or an array of them.

        Returns
        -------
        float or ndarray of float64
            Between 0 and 1.
        """
        density = self._cells.columns["probdensity"]
        found = np.array(
            [
                probability_inside(self._cells, density, density >= density[cell])
                for cell in self._cell(position)
            ]
        ).reshape(np.shape(position))
        return float(found) if np.ndim(found) == 0 else found

    def to_healpy(self, nside: int | None = None) -> np.ndarray:
        """Probability of each pixel of the whole sky, in ring order and ICRS.

        Parameters
        ----------
        nside : int, optional
            Resolution; that of the finest cells up to 256 if left out.

        Returns
        -------
        ndarray of float64, shape (12 nside^2,)
            Probabilities, sum 1.
        """
        nside = min(1 << self._cells.max_order, 256) if nside is None else nside
        nested = flatten_probability(self._cells, self._cells.columns["probdensity"], nside)
        ring = np.empty_like(nested)
        ring[nest_to_ring(nside, np.arange(nested.size))] = nested
        return ring

    def plot(self, ax: "Axes | None" = None, colormap: str = "viridis") -> "Axes":
        """Draw the surroundings of the best position, with the credible regions.

        Parameters
        ----------
        ax : WCSAxes, optional
            Where to draw the probability density, and the best position; without it a figure of TS
            and of all regions is made.
        colormap : str, optional
            Name of a colormap of matplotlib.

        Returns
        -------
        Axes
            The axes.
        """
        from skyquilt.api.draw import draw_localisation

        return draw_localisation(self._cells, self.summary, self.maps.skymap, ax, colormap)

    def __repr__(self) -> str:
        return f"<Localisation {self._describe()}>"

    def _repr_html_(self) -> str:
        rows = {"best position": self._describe()}
        if self.summary["best"] is not None:
            low, high = self.flux_err.value
            rows["flux"] = f"{self.flux.value:.3g} -{low:.2g} +{high:.2g} ph cm-2 s-1"
        for region in self.summary["credible"]:
            rows[f"{100 * region['level']:g} % credible"] = f"{region['area_deg2']:.4g} deg2"
        return html_table(f"localisation of {self.summary['analysis']}", rows)

    def _describe(self) -> str:
        if self.summary["best"] is None:
            return "no source"
        icrs = self._best()["icrs"]
        return (
            f"TS {self.ts:.1f}, RA {icrs['lon']:.3f}, Dec {icrs['lat']:+.3f} deg, "
            f"90 % in {self._region(0.9).area:.3g} deg2"
        )

    def _region(self, level: float) -> Region:
        return find_credible_region(self._cells, self._cells.columns["probdensity"], level)

    def _cell(self, position: "SkyCoord") -> np.ndarray:
        icrs = position.icrs
        vec = lonlat_to_vec(np.ravel(icrs.ra.deg), np.ravel(icrs.dec.deg))
        return self._cells.find(vec)

    def _best(self) -> dict[str, Any]:
        best = self.summary["best"]
        if best is None:
            raise ConfigError(f"{self.summary['analysis']}: no position prefers a source.")
        return best

    def _in_photons(self, name: str) -> "Quantity":
        from astropy import units

        best = self._best()
        if best.get(name) is None:
            raise ConfigError(f"there is no {name}: it was fitted with `limits: false`.")
        return units.Quantity(best[name] * best["photon_flux"] / best["flux"], "cm-2 s-1")
