"""`sources.ecsv` and `sources.fits`: the list of sources for people and for tools.

Both hold the same columns, with all digits. The FITS file has a second table `CATALOGUE` when
there is a catalogue to compare with, and the provenance as its last table; the text file has the
provenance and its checksum in its header.
"""

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from skyquilt.io.fits_table import Column, read_table, write_table
from skyquilt.io.products import new_product
from skyquilt.io.schema import Schema
from skyquilt.io.seal import KEY, UNSEALED, seal
from skyquilt.maps.source_positions import SourcePositions

# 1.0  first version
# 2.0  no `is_upper_limit`, as no source is below the threshold; errors of positions hold the
#      systematic one, `pos_err_sys`; table CATALOGUE has upper limits
SCHEMA = Schema("skyquilt/sources", "2.0", "skyquilt sources")

_DEGREES = ("ra", "dec", "glon", "glat")


def write_sources(
    path: str | Path,
    columns: Mapping[str, Column],
    catalogue: Mapping[str, Column] | None,
    record: dict[str, Any],
) -> None:
    """Write `path` as ECSV, and a FITS file beside it.

    Parameters
    ----------
    path : str or Path
        Text file to write; the FITS file has the same name with the ending .fits.
    columns : dict of str to Column
        The list of sources.
    catalogue : dict of str to Column, or None
        The catalogue's objects in the region of the map.
    record : dict
        Provenance.
    """
    more = {} if catalogue is None else {"CATALOGUE": catalogue}
    fits_path = Path(path).with_suffix(".fits")
    write_table(fits_path, SCHEMA, columns, {}, record, name="SOURCES", more=more)
    _write_text(path, columns, record)


def read_sources(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read the columns of `sources.fits`, and its provenance.

    Raises
    ------
    ProductError
        If the file is missing, damaged or of another kind.
    """
    _, columns, record = read_table(path, SCHEMA, name="SOURCES")
    return columns, record


def read_positions(path: str | Path) -> SourcePositions:
    """Read the positions of `sources.fits`; errors as of `read_sources`."""
    columns, _ = read_sources(path)
    return SourcePositions(*(columns[name] for name in SourcePositions._fields))


def _write_text(path: str | Path, columns: Mapping[str, Column], record: dict[str, Any]) -> None:
    from astropy.table import Column as TableColumn
    from astropy.table import Table

    table = Table(
        [
            TableColumn(
                column.values,
                name=name,
                unit=column.unit or None,
                description=column.description,
                format=_format(name, column.values),
            )
            for name, column in columns.items()
        ],
        meta={
            KEY: UNSEALED,
            "schema": SCHEMA.name,
            "schema_version": SCHEMA.version,
            "provenance": record,
        },
    )
    with new_product(path) as partial:
        text = StringIO()
        table.write(text, format="ascii.ecsv")
        partial.write_bytes(seal(text.getvalue().encode("utf-8")))


def _format(name: str, values: np.ndarray) -> str | None:
    """Format in which astropy prints a column that has more digits than the measurement."""
    if values.dtype.kind != "f":
        return None
    return "%.6f" if name in _DEGREES else "%.6g"
