"""A map in memory: pixels of one HEALPix grid and what was fitted there."""

from dataclasses import dataclass

import numpy as np

from skyquilt.sky.pixels import check_ipix, nside_to_npix


@dataclass(frozen=True)
class SkyMap:
    """Fitted quantities of all or some pixels of a HEALPix grid.

    Attributes
    ----------
    nside : int
        Resolution.
    frame : {"galactic", "icrs"}
        Frame of the grid.
    ipix : ndarray of int64, shape (n,)
        Nested pixels, ascending.
    columns : dict of str to ndarray, shape (n,)
        Quantities by lower-case name, some of `skyquilt.maps.file.COLUMNS`. NaN where the fit
        failed or was not tried.

    Raises
    ------
    ValueError
        If a pixel does not exist, the pixels are not ascending, or a column has another length.
    """

    nside: int
    frame: str
    ipix: np.ndarray
    columns: dict[str, np.ndarray]

    def __post_init__(self):
        check_ipix(self.ipix, self.nside)
        if np.any(np.diff(self.ipix) <= 0):
            raise ValueError("pixels are not ascending: sort them, each once.")
        for name, column in self.columns.items():
            if np.shape(column) != self.ipix.shape:
                raise ValueError(
                    f"column {name!r} has shape {np.shape(column)}, the map has "
                    f"{self.ipix.size} pixels."
                )

    @property
    def pixel_area(self) -> float:
        """Area of one pixel [deg2]."""
        return float(np.degrees(np.degrees(4 * np.pi)) / nside_to_npix(self.nside))

    @property
    def ts(self) -> np.ndarray:
        """Test statistic of a source, NaN where there is none, 0 where the flux is below zero."""
        return source_ts(self.columns)

    def as_photon_flux(self, name: str) -> np.ndarray | None:
        """A column of multiples of the reference spectrum as photon flux [ph cm-2 s-1].

        Parameters
        ----------
        name : str
            Column, as "flux_ul".

        Returns
        -------
        ndarray of float64, shape (n,), or None
            Photon fluxes; where the best flux is 0 the spectrum's median photon flux counts. None
            where no pixel tells it.

        Examples
        --------
        >>> columns = {"flux": np.array([2.0, 0.0]), "photon_flux": np.array([6.0, 0.0])}
        >>> skymap = SkyMap(1, "icrs", np.array([3, 7]), columns | {"flux_ul": np.ones(2)})
        >>> skymap.as_photon_flux("flux_ul")
        array([3., 3.])
        """
        flux, photon_flux = self.columns["flux"], self.columns["photon_flux"]
        is_told = np.isfinite(flux) & (flux != 0)
        if not np.any(is_told):
            return None
        per_flux = np.full(flux.shape, np.nan)
        np.divide(photon_flux, flux, out=per_flux, where=is_told)
        per_flux[~is_told] = np.median(per_flux[is_told])
        return self.columns[name] * per_flux

    def sample(self, name: str, ipix: np.ndarray) -> np.ndarray:
        """Values of a column at any pixels.

        Parameters
        ----------
        name : str
            Column.
        ipix : ndarray of int64, any shape
            Nested pixels of the grid.

        Returns
        -------
        ndarray of float64, shape of `ipix`
            Values; NaN for pixels that are not in the map. TS is that of `ts`.

        Examples
        --------
        >>> skymap = SkyMap(1, "icrs", np.array([3, 7]), {"ts": np.array([1.0, 2.0])})
        >>> skymap.sample("ts", np.array([7, 8, 3]))
        array([ 2., nan,  1.])
        """
        index = np.searchsorted(self.ipix, ipix)
        index = np.minimum(index, self.ipix.size - 1)
        is_in_map = self.ipix[index] == ipix
        values = self.ts if name == "ts" else self.columns[name]
        return np.where(is_in_map, values[index], np.nan)


def source_ts(columns: dict[str, np.ndarray]) -> np.ndarray:
    """TS of a source: that of the best flux of 0 and more.

    Where fluxes below zero were fitted, TS there says how much a hole is preferred to no source; it
    tells no source, and best position and regions are those of sources.

    Examples
    --------
    >>> source_ts({"ts": np.array([4.0, 9.0, np.nan]), "flux": np.array([1.0, -2.0, np.nan])})
    array([ 4.,  0., nan])
    """
    if "flux" not in columns or not np.any(columns["flux"] < 0):
        return columns["ts"]
    return np.where(columns["flux"] < 0, 0.0, columns["ts"])
