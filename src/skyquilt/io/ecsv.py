"""Tables as text that people and astropy read (ECSV): units, descriptions, provenance, checksum."""

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from skyquilt.io.fits_table import Column
from skyquilt.io.products import new_product
from skyquilt.io.schema import Schema
from skyquilt.io.seal import KEY, UNSEALED, seal


def write_ecsv(
    path: str | Path,
    schema: Schema,
    columns: Mapping[str, Column],
    record: Mapping[str, Any],
    degrees: tuple[str, ...] | None = None,
    about: Mapping[str, Any] | None = None,
) -> None:
    """Write a table as text.

    Parameters
    ----------
    path : str or Path
        File to write.
    schema : Schema
        Kind of file.
    columns : dict of str to Column
        Columns by name, in order.
    record : dict
        Provenance.
    degrees : tuple of str, optional
        Columns that are written with six digits behind the point; others then have six digits. All
        digits are written when left out.
    about : dict, optional
        What else the head tells.
    """
    from astropy.table import Column as TableColumn
    from astropy.table import Table

    def form(name: str, column: Column) -> str | None:
        if degrees is None or column.values.dtype.kind != "f":
            return None
        return "%.6f" if name in degrees else "%.6g"

    table = Table(
        [
            TableColumn(
                column.values,
                name=name,
                unit=column.unit or None,
                description=column.description,
                format=form(name, column),
            )
            for name, column in columns.items()
        ],
        meta={
            KEY: UNSEALED,
            "schema": schema.name,
            "schema_version": schema.version,
            **(about or {}),
            "provenance": dict(record),
        },
    )
    with new_product(path) as partial:
        text = StringIO()
        table.write(text, format="ascii.ecsv")
        partial.write_bytes(seal(text.getvalue().encode("utf-8")))
