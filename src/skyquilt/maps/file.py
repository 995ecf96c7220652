"""`maps.fits`: write and read the maps of an analysis."""

from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from skyquilt.io.fits import read_maps, write_maps
from skyquilt.io.fits_table import Column
from skyquilt.maps.skymap import SkyMap
from skyquilt.sky.regions import ranges_from_ipix

COLUMNS = {
    "probdensity": ("sr-1", "probability density of the position"),
    "ts": ("", "test statistic, 2 (ln L1 - ln L0)"),
    "sqrt_ts": ("", "sign(flux) sqrt(TS)"),
    "flux": ("", "multiple of the reference spectrum"),
    "flux_err": ("", "standard error of FLUX"),
    "flux_err_lo": ("", "FLUX down to TS - 1, or to 0"),
    "flux_err_hi": ("", "FLUX up to TS - 1"),
    "flux_ul": ("", "upper limit on FLUX"),
    "photon_flux": ("cm-2 s-1", "photon flux, selected energies or flux_range"),
    "exposure": ("cm2 s", "expected counts per photon flux"),
    "npred": ("", "expected source counts"),
    "background_norm": ("", "factor on the background"),
    "n_iter": ("", "steps of the fit"),
    "template": ("", "best spectrum, its number from 0"),
    "status": ("", "0 good, 1 at bound, else failed"),
}


def write_skymap(path: str | Path, skymap: SkyMap, ordering: str, record: dict[str, Any]) -> None:
    """Write maps in the asked ordering."""
    ranges = ranges_from_ipix(skymap.ipix)
    write_parts(path, skymap.nside, ordering, skymap.frame, ranges, [skymap], lambda: record)


def write_parts(
    path: str | Path,
    nside: int,
    ordering: str,
    frame: str,
    ranges: np.ndarray,
    parts: Iterable[SkyMap],
    record: Callable[[], dict[str, Any]],
) -> None:
    """Write maps of which one part after the other is held.

    Parameters
    ----------
    path, nside, ordering, frame, ranges, record
        See `skyquilt.io.fits.write_maps`.
    parts : iterable of SkyMap
        Maps of some pixels each, with the same columns; together each pixel once.
    """
    write_maps(path, nside, ordering, frame, ranges, map(_describe, parts), record)


def _describe(part: SkyMap) -> tuple[np.ndarray, dict[str, Column]]:
    columns = part.columns.items()
    return part.ipix, {name.upper(): Column(values, *COLUMNS[name]) for name, values in columns}


def read_skymap(
    path: str | Path, only: Collection[str] | None = None
) -> tuple[SkyMap, dict[str, Any]]:
    """Read maps and their provenance.

    Parameters
    ----------
    path : str or Path
        File to read.
    only : collection of str, optional
        Names of the columns to hold, as far as the file has them; by default all.

    Raises
    ------
    ProductError
        If the file is missing, damaged or of another kind.
    """
    names = None if only is None else [name.upper() for name in only]
    nside, frame, ipix, columns, record = read_maps(path, names)
    lower = {name.lower(): values for name, values in columns.items()}
    return SkyMap(nside, frame, ipix, lower), record
