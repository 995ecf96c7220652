"""HEALPix maps in the layout that gammapy reads.

References
----------
Data formats for gamma-ray astronomy, sky maps in HEALPix:
https://gamma-astro-data-formats.readthedocs.io/en/latest/skymaps/healpix/
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from skyquilt.io.fits import COORDSYS
from skyquilt.io.fits_table import label, record_hdu, sign
from skyquilt.io.products import new_product
from skyquilt.io.schema import Schema

# 1.0  first version
SCHEMA = Schema("skyquilt/gadf-maps", "1.0", "skyquilt export-gadf")


def write_gadf(
    path: str | Path,
    nside: int,
    frame: str,
    ipix: np.ndarray,
    maps: Mapping[str, tuple[np.ndarray, str]],
    record: Mapping[str, Any],
) -> None:
    """Write maps of the whole sky, one table each, named after the quantity in upper case.

    Parameters
    ----------
    path : str or Path
        File to write.
    nside : int
        Resolution.
    frame : {"galactic", "icrs"}
        Frame of the pixels.
    ipix : ndarray of int64, shape (n,)
        Nested pixels; all others become NaN, as gammapy 2.1 reads no list of pixels.
    maps : dict of str to pair of ndarray and str
        Values, shape (n,), and FITS unit.
    record : dict
        Provenance; nested values are written as JSON into a last table.
    """
    from astropy.io import fits

    tables = []
    for name, (values, unit) in maps.items():
        full = np.full(12 * nside**2, np.nan)
        full[ipix] = values
        column = fits.Column("CHANNEL1", "D", unit=unit or None, array=full)
        table = fits.BinTableHDU.from_columns([column], name=name.upper())
        table.header.update(_cards(nside, frame, unit))
        tables.append(table)
    primary = fits.PrimaryHDU()
    label(primary.header, SCHEMA)
    sign(primary.header, record)
    with new_product(path) as partial:
        fits.HDUList([primary, *tables, record_hdu(record)]).writeto(partial, checksum=True)


def _cards(nside: int, frame: str, unit: str) -> dict[str, Any]:
    return {
        "PIXTYPE": "HEALPIX",
        "ORDERING": "NESTED",
        "COORDSYS": COORDSYS[frame],
        "NSIDE": nside,
        "ORDER": nside.bit_length() - 1,
        "INDXSCHM": "IMPLICIT",
        "FIRSTPIX": 0,
        "LASTPIX": 12 * nside**2 - 1,
        "HPX_CONV": "GADF",
        "BUNIT": unit,
    }
