"""HEALPix maps as FITS tables that healpy and astropy open unchanged."""

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from skyquilt.errors import ProductError
from skyquilt.io.products import new_product
from skyquilt.sky.pixels import nest_to_ring, ring_to_nest

# 1.0  first version
SCHEMA, SCHEMA_VERSION = "skyquilt/maps", "1.0"
_COORDSYS = {"galactic": "G", "icrs": "C"}
_FRAME = {letter: frame for frame, letter in _COORDSYS.items()}


class Column(NamedTuple):
    """One quantity on the sky.

    Attributes
    ----------
    values : ndarray, shape (n_pixels,)
        In the order of the pixels.
    unit : str
        FITS unit, "" if none.
    description : str
        Comment of the column.
    """

    values: np.ndarray
    unit: str
    description: str


def write_maps(
    path: str | Path,
    nside: int,
    ordering: str,
    frame: str,
    ipix: np.ndarray,
    columns: dict[str, Column],
    record: dict,
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
    """
    from astropy.io import fits

    number = ipix if ordering == "nested" else nest_to_ring(nside, ipix)
    order = np.argsort(number)
    is_full = ipix.size == 12 * nside**2
    table = [_fits_column(name, column, order) for name, column in columns.items()]
    if not is_full:
        table.insert(0, fits.Column("PIXEL", "K", array=number[order]))
    hdu = fits.BinTableHDU.from_columns(table, name="SKYMAP")
    hdu.header.update(_healpix_cards(nside, ordering, frame, ipix.size))
    for index, column in enumerate(table, 1):
        if column.name in columns:
            hdu.header.comments[f"TTYPE{index}"] = columns[column.name].description
    hdu.header["CREATOR"] = (f"skyquilt {record['skyquilt']}", "program that made the file")
    hdu.header["DATE"] = (record["ended_utc"][:19], "time of writing, UTC")
    file = fits.HDUList([fits.PrimaryHDU(), hdu, _record_hdu(record)])
    with new_product(path) as partial:
        file.writeto(partial, checksum=True)


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
    from astropy.io import fits

    try:
        with _strict_warnings(), open(path, "rb") as raw, fits.open(raw, checksum=True) as file:
            header, table = file["SKYMAP"].header, file["SKYMAP"].data
            _check_header(path, header)
            record = {row["KEY"]: json.loads(row["VALUE"]) for row in file["PROVENANCE"].data}
            columns = {name: _native(table[name]) for name in table.names}
    except ProductError:
        raise
    except Exception as error:  # astropy meets damage with errors of many kinds
        raise ProductError(
            f"{path}: not a whole map of skyquilt ({str(error).strip()}); make it again with "
            "`skyquilt merge`."
        ) from error
    nside = int(header["NSIDE"])
    number = columns.pop("PIXEL", np.arange(12 * nside**2))
    ipix = number if header["ORDERING"] == "NESTED" else ring_to_nest(nside, number)
    order = np.argsort(ipix)
    columns = {name: values[order] for name, values in columns.items()}
    return nside, _FRAME[header["COORDSYS"]], ipix[order], columns, record


def _fits_column(name: str, column: Column, order: np.ndarray):
    from astropy.io import fits

    formats = {"f8": "D", "i4": "J", "i8": "K", "u1": "B"}
    kind = formats[column.values.dtype.str[1:]]
    return fits.Column(name, kind, unit=column.unit or None, array=column.values[order])


def _healpix_cards(nside: int, ordering: str, frame: str, n_pixels: int) -> dict:
    is_full = n_pixels == 12 * nside**2
    cards = {
        "PIXTYPE": ("HEALPIX", "HEALPix pixelisation"),
        "ORDERING": (ordering.upper(), "pixel ordering, NESTED or RING"),
        "COORDSYS": (_COORDSYS[frame], "G: galactic, C: ICRS"),
        "NSIDE": (nside, "resolution"),
        "INDXSCHM": ("IMPLICIT" if is_full else "EXPLICIT", "pixel numbers in the table?"),
        "OBJECT": ("FULLSKY" if is_full else "PARTIAL", "sky coverage"),
        "SCHEMA": (SCHEMA, "kind of file"),
        "SCHEMAV": (SCHEMA_VERSION, "version of the kind"),
    }
    if is_full:
        cards |= {"FIRSTPIX": (0, "first pixel"), "LASTPIX": (n_pixels - 1, "last pixel")}
    return cards


def _record_hdu(record: dict):
    from astropy.io import fits

    texts = [json.dumps(value) for value in record.values()]
    width = max(map(len, texts))
    keys = fits.Column("KEY", "24A", array=list(record))
    values = fits.Column("VALUE", f"{width}A", array=texts)
    return fits.BinTableHDU.from_columns([keys, values], name="PROVENANCE")


def _check_header(path: str | Path, header) -> None:
    kind, version = header.get("SCHEMA"), str(header.get("SCHEMAV"))
    if kind != SCHEMA or version.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        raise ProductError(
            f"{path}: {kind} version {version}, not {SCHEMA} version {SCHEMA_VERSION}; make it "
            "again with `skyquilt merge`."
        )


@contextmanager
def _strict_warnings() -> Iterator[None]:
    """Raise what astropy warns of: a wrong checksum, a truncated file, a broken header."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def _native(values: np.ndarray) -> np.ndarray:
    """Values in this machine's byte order."""
    return np.array(values, dtype=values.dtype.newbyteorder("="))
