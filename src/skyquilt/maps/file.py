"""`maps.fits`: write and read the maps of an analysis."""

from pathlib import Path
from typing import Any

from skyquilt.io.fits import read_maps, write_maps
from skyquilt.io.fits_table import Column
from skyquilt.maps.skymap import SkyMap

COLUMNS = {
    "probdensity": ("sr-1", "probability density of the position"),
    "ts": ("", "test statistic, 2 (ln L1 - ln L0)"),
    "sqrt_ts": ("", "sign(flux) sqrt(TS)"),
    "flux": ("", "multiple of the reference spectrum"),
    "flux_err": ("", "standard error of FLUX"),
    "flux_err_lo": ("", "FLUX down to TS - 1, or to 0"),
    "flux_err_hi": ("", "FLUX up to TS - 1"),
    "flux_ul": ("", "upper limit on FLUX"),
    "photon_flux": ("cm-2 s-1", "photon flux, selected energies"),
    "exposure": ("cm2 s", "expected counts per photon flux"),
    "npred": ("", "expected source counts"),
    "background_norm": ("", "factor on the background"),
    "n_iter": ("", "steps of the fit"),
    "template": ("", "best spectrum, its number from 0"),
    "status": ("", "0 good, 1 at bound, else failed"),
}


def write_skymap(path: str | Path, skymap: SkyMap, ordering: str, record: dict[str, Any]) -> None:
    """Write maps in the asked ordering."""
    columns = {
        name.upper(): Column(values, *COLUMNS[name]) for name, values in skymap.columns.items()
    }
    write_maps(path, skymap.nside, ordering, skymap.frame, skymap.ipix, columns, record)


def read_skymap(path: str | Path) -> tuple[SkyMap, dict[str, Any]]:
    """Read maps and their provenance.

    Raises
    ------
    ProductError
        If the file is missing, damaged or of another kind.
    """
    nside, frame, ipix, columns, record = read_maps(path)
    lower = {name.lower(): values for name, values in columns.items()}
    return SkyMap(nside, frame, ipix, lower), record
