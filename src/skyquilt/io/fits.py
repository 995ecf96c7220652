"""HEALPix maps as FITS tables that healpy and astropy open unchanged."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from skyquilt.io.fits_table import Column, read_table, write_table
from skyquilt.io.hdf5 import Schema
from skyquilt.sky.pixels import nest_to_ring, ring_to_nest

# 1.0  first version
SCHEMA = Schema("skyquilt/maps", "1.0", "skyquilt merge")
COORDSYS = {"galactic": "G", "icrs": "C"}
_FRAME = {letter: frame for frame, letter in COORDSYS.items()}


def write_maps(
    path: str | Path,
    nside: int,
    ordering: str,
    frame: str,
    ipix: np.ndarray,
    columns: dict[str, Column],
    record: dict,
    schema: Schema = SCHEMA,
    cards: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Write HEALPix maps, one column each.

    A full sky is written with implicit pixel numbers (first column is the first map), a part of
    it with explicit ones (first column `PIXEL`), as healpy does.

    Parameters
    ----------
    path : str or Path
        File to write.
    nside : int
        Resolution.
    ordering : {"nested", "ring"}
        Ordering in the file.
    frame : {"galactic", "icrs"}
        Frame of the pixels.
    ipix : ndarray of int64, shape (n_pixels,)
        Nested pixel numbers, ascending.
    columns : dict of str to Column
        Maps by upper-case name.
    record : dict
        Provenance; nested values are written as JSON.
    schema : Schema, optional
        Kind of file.
    cards : dict, optional
        Further keywords, which replace those of the map.
    """
    number = ipix if ordering == "nested" else nest_to_ring(nside, ipix)
    order = np.argsort(number)
    table = {name: column._replace(values=column.values[order]) for name, column in columns.items()}
    if ipix.size < 12 * nside**2:
        table = {"PIXEL": Column(number[order], "", "")} | table
    healpix = _healpix_cards(nside, ordering, frame, ipix.size)
    write_table(path, schema, table, healpix | dict(cards), record)


def read_maps(path: str | Path) -> tuple[int, str, np.ndarray, dict[str, np.ndarray], dict]:
    """Read maps written by `write_maps`.

    Returns
    -------
    nside : int
        Resolution.
    frame : {"galactic", "icrs"}
        Frame of the pixels.
    ipix : ndarray of int64, shape (n_pixels,)
        Nested pixel numbers, ascending.
    columns : dict of str to ndarray
        Maps by upper-case name.
    record : dict
        Provenance.

    Raises
    ------
    ProductError
        If the file is missing, damaged or of another kind.
    """
    header, columns, record = read_table(path, SCHEMA)
    nside = int(header["NSIDE"])
    number = columns.pop("PIXEL", np.arange(12 * nside**2))
    ipix = number if header["ORDERING"] == "NESTED" else ring_to_nest(nside, number)
    order = np.argsort(ipix)
    columns = {name: values[order] for name, values in columns.items()}
    return nside, _FRAME[header["COORDSYS"]], ipix[order], columns, record


def _healpix_cards(nside: int, ordering: str, frame: str, n_pixels: int) -> dict:
    is_full = n_pixels == 12 * nside**2
    cards = {
        "PIXTYPE": ("HEALPIX", "HEALPix pixelisation"),
        "ORDERING": (ordering.upper(), "pixel ordering, NESTED or RING"),
        "COORDSYS": (COORDSYS[frame], "G: galactic, C: ICRS"),
        "NSIDE": (nside, "resolution"),
        "INDXSCHM": ("IMPLICIT" if is_full else "EXPLICIT", "pixel numbers in the table?"),
        "OBJECT": ("FULLSKY" if is_full else "PARTIAL", "sky coverage"),
    }
    if is_full:
        cards |= {"FIRSTPIX": (0, "first pixel"), "LASTPIX": (n_pixels - 1, "last pixel")}
    return cards
