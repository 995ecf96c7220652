"""HEALPix maps as FITS tables that healpy and astropy open unchanged."""

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from skyquilt.io.fits_pieces import Piece, write_pieces
from skyquilt.io.fits_table import Column, read_table
from skyquilt.io.schema import Schema
from skyquilt.sky.pixels import nest_to_ring, nside_to_npix, ring_to_nest
from skyquilt.sky.regions import ipix_from_ranges

# 1.0  first version
SCHEMA = Schema("skyquilt/maps", "1.0", "skyquilt merge")
COORDSYS = {"galactic": "G", "icrs": "C"}
_FRAME = {letter: frame for frame, letter in COORDSYS.items()}


def write_maps(
    path: str | Path,
    nside: int,
    ordering: str,
    frame: str,
    ranges: np.ndarray,
    pieces: Iterable[tuple[np.ndarray, dict[str, Column]]],
    record: Callable[[], dict[str, Any]],
    schema: Schema = SCHEMA,
    cards: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Write HEALPix maps, one column each; one piece of the sky is held at a time.

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
    ranges : ndarray of int64, shape (n, 2)
        Nested pixels [start, stop) of the maps, ascending.
    pieces : iterable of (ndarray of int64, dict of str to Column)
        Nested pixels and the maps there by upper-case name; together each pixel once.
    record : callable
        Gives the provenance, after the last piece; nested values are written as JSON.
    schema : Schema, optional
        Kind of file.
    cards : dict, optional
        Further keywords, which replace those of the map.
    """
    n_pixels = int(np.sum(ranges[:, 1] - ranges[:, 0]))
    is_full = n_pixels == nside_to_npix(nside)
    known = None if is_full else np.sort(_number(nside, ordering, ipix_from_ranges(ranges)))

    def place(piece: tuple[np.ndarray, dict[str, Column]]) -> Piece:
        ipix, columns = piece
        number = _number(nside, ordering, ipix)
        if known is None:
            return Piece(number, columns)
        return Piece(np.searchsorted(known, number), {"PIXEL": Column(number, "", "")} | columns)

    healpix = _healpix_cards(nside, ordering, frame, n_pixels)
    write_pieces(path, schema, n_pixels, map(place, pieces), healpix | dict(cards), record)


def _number(nside: int, ordering: str, ipix: np.ndarray) -> np.ndarray:
    """Numbers of nested pixels in an ordering."""
    return ipix if ordering == "nested" else nest_to_ring(nside, ipix)


def read_maps(
    path: str | Path, only: Collection[str] | None = None
) -> tuple[int, str, np.ndarray, dict[str, np.ndarray], dict]:
    """Read maps written by `write_maps`.

    Parameters
    ----------
    path : str or Path
        File to read.
    only : collection of str, optional
        Upper-case names of the maps to read, as far as there are such; by default all.

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
    wanted = None if only is None else {"PIXEL", *only}
    header, columns, record = read_table(path, SCHEMA, only=wanted)
    nside = int(header["NSIDE"])
    number = columns.pop("PIXEL", np.arange(12 * nside**2))
    ipix = number if header["ORDERING"] == "NESTED" else ring_to_nest(nside, number)
    if header["ORDERING"] != "NESTED":
        order = np.argsort(ipix)
        ipix = ipix[order]
        for name in columns:  # one after the other, so that only one is there twice
            columns[name] = columns[name][order]
    return nside, _FRAME[header["COORDSYS"]], ipix, columns, record


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
