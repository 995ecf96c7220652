"""FITS tables of skyquilt: typed columns, schema, checksums, provenance in a second table."""

import json
import unicodedata
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from skyquilt.errors import ProductError
from skyquilt.io.fits_headers import check_headers
from skyquilt.io.products import new_product
from skyquilt.io.schema import Schema

_FORMATS = {"f8": "D", "i4": "J", "i8": "K", "u1": "B", "b1": "L"}


class Column(NamedTuple):
    """One quantity.

    Attributes
    ----------
    values : ndarray, shape (n,)
        Numbers, truth values or text, one per row.
    unit : str
        FITS unit, "" if none.
    description : str
        Comment of the column.
    """

    values: np.ndarray
    unit: str
    description: str


def write_table(
    path: str | Path,
    schema: Schema,
    columns: Mapping[str, Column],
    cards: Mapping[str, Any],
    record: Mapping[str, Any],
    *,
    name: str = "SKYMAP",
    more: Mapping[str, Mapping[str, Column]] | None = None,
) -> None:
    """Write a table and its provenance.

    Parameters
    ----------
    path : str or Path
        File to write.
    schema : Schema
        Kind of file.
    columns : dict of str to Column
        Columns by name, in order.
    cards : dict
        Keywords of the table: values, or pairs of value and comment.
    record : dict
        Provenance; nested values are written as JSON.
    name : str
        Name of the table; `read_table` reads those of the default.
    more : dict of str to dict of str to Column, optional
        Further tables of the file by their names.
    """
    from astropy.io import fits

    hdu = table_hdu(name, columns, schema, cards)
    sign(hdu.header, record)
    further = [_plain_hdu(name, columns) for name, columns in (more or {}).items()]
    file = fits.HDUList([fits.PrimaryHDU(), hdu, *further, record_hdu(record)])
    with new_product(path) as partial:
        file.writeto(partial, checksum=True)


def read_table(
    path: str | Path,
    schema: Schema,
    *,
    name: str = "SKYMAP",
    only: Collection[str] | None = None,
) -> tuple[Mapping[str, Any], dict[str, np.ndarray], dict[str, Any]]:
    """Read a table written by `write_table`.

    Parameters
    ----------
    path : str or Path
        File to read; all of it is compared with its checksums.
    schema : Schema
        Kind of file.
    name : str
        Name of the table.
    only : collection of str, optional
        Columns to read, as far as the table has them; by default all.

    Returns
    -------
    header : mapping
        Keywords of the table.
    columns : dict of str to ndarray
        Columns by name, in this machine's byte order.
    record : dict
        Provenance.

    Raises
    ------
    ProductError
        If the file is missing, damaged or of another kind.
    """
    try:
        with open_checked(path) as file:
            header, table = file[name].header, file[name].data
            schema.check(path, header.get("SCHEMA"), header.get("SCHEMAV"))
            record = {row["KEY"]: json.loads(row["VALUE"]) for row in file["PROVENANCE"].data}
            names = [column for column in table.names if only is None or column in only]
            return header, {column: _native(table[column]) for column in names}, record
    except ProductError:
        raise
    except Exception as error:  # astropy meets damage with errors of many kinds
        raise ProductError(
            f"{path}: not a whole file of skyquilt ({str(error).strip()}); {schema.again}."
        ) from error


@contextmanager
def open_checked(path: str | Path) -> Iterator[Any]:
    """Open a FITS file and compare what is read with its checksums.

    What astropy warns of (a wrong checksum, a truncated file, a broken header) is raised.
    """
    from astropy.io import fits

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with open(path, "rb") as raw:
            headers = check_headers(raw)
            with fits.open(raw, checksum=True) as file:
                yield file
            if not all(header.keys() >= {"CHECKSUM", "DATASUM"} for header in headers):
                raise ProductError(f"{path}: damaged: a part of it has no checksum.")


def table_hdu(name: str, columns: Mapping[str, Column], schema: Schema, cards: Mapping[str, Any]):
    """Table with its keywords; `sign` tells who made it and when."""
    hdu = _plain_hdu(name, columns)
    hdu.header.update(cards)
    label(hdu.header, schema)
    return hdu


def label(header, schema: Schema) -> None:
    """Set the kind of file in a header, and make room for what `sign` sets."""
    header["SCHEMA"] = (schema.name, "kind of file")
    header["SCHEMAV"] = (schema.version, "version of the kind")
    header["CREATOR"] = ("", "program that made the file")
    header["DATE"] = ("", "time of writing, UTC")


def sign(header, record: Mapping[str, Any]) -> None:
    """Set the version of skyquilt and the time of a header from the provenance."""
    header["CREATOR"] = f"skyquilt {record['skyquilt']}"
    header["DATE"] = record["ended_utc"][:19]


def _plain_hdu(name: str, columns: Mapping[str, Column]):
    from astropy.io import fits

    made = [_fits_column(key, column) for key, column in columns.items()]
    hdu = fits.BinTableHDU.from_columns(made, name=name)
    for index, column in enumerate(columns.values(), 1):
        if column.description:
            hdu.header.comments[f"TTYPE{index}"] = column.description
    return hdu


def _fits_column(name: str, column: Column):
    from astropy.io import fits

    values = column.values
    if values.dtype.kind == "U":
        values = np.array([to_ascii(text) for text in values.tolist()], dtype=str)
        kind = f"{max(values.dtype.itemsize // 4, 1)}A"
    else:
        kind = _FORMATS[values.dtype.str[1:]]
    return fits.Column(name, kind, unit=column.unit or None, array=values)


def to_ascii(text: str) -> str:
    """Text in the letters that FITS has: without accents, `?` for what is no such letter.

    Examples
    --------
    >>> to_ascii("Größe \u03b1")
    'Gro?e ?'
    """
    plain = unicodedata.normalize("NFKD", text)
    letters = (letter for letter in plain if not unicodedata.combining(letter))
    return "".join(
        letter if letter.isascii() and letter.isprintable() else "?" for letter in letters
    )


def record_hdu(record: Mapping[str, Any]):
    """Table PROVENANCE; nested values are JSON."""
    from astropy.io import fits

    texts = np.array([json.dumps(value) for value in record.values()], np.bytes_)
    width = texts.itemsize
    keys = fits.Column("KEY", "24A", array=list(record))
    values = fits.Column("VALUE", f"{width}A", array=texts)
    return fits.BinTableHDU.from_columns([keys, values], name="PROVENANCE")


def _native(values: np.ndarray) -> np.ndarray:
    """Values in this machine's byte order."""
    return np.array(values, dtype=values.dtype.newbyteorder("="))
