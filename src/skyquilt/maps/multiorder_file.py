"""Multi-order maps as FITS tables: UNIQ first, in the layout of gravitational-wave sky maps."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from skyquilt.errors import ProductError
from skyquilt.io.fits_table import Column, read_table, write_table
from skyquilt.io.schema import Schema
from skyquilt.maps.file import COLUMNS
from skyquilt.maps.multiorder import MultiOrderMap

# 1.0  first version
REFINED = Schema("skyquilt/refined", "1.0", "skyquilt refine")


def write_multiorder(
    path: str | Path,
    cells: MultiOrderMap,
    record: Mapping[str, Any],
    schema: Schema = REFINED,
    cards: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Write a multi-order map: UNIQ, then the columns of the map in their order.

    Parameters
    ----------
    path : str or Path
        File to write.
    cells : MultiOrderMap
        The map, in ICRS: readers take no other frame.
    record : dict
        Provenance; nested values are written as JSON.
    schema : Schema, optional
        Kind of file.
    cards : dict, optional
        Further keywords.

    Raises
    ------
    ValueError
        If the map is not in ICRS.
    """
    if cells.frame != "icrs":
        raise ValueError(f"frame {cells.frame!r}: a multi-order file holds icrs only.")
    table = {"UNIQ": Column(cells.uniq, "", "4 * 4^order + nested pixel")} | {
        name.upper(): Column(values, *COLUMNS[name]) for name, values in cells.columns.items()
    }
    healpix = {
        "PIXTYPE": ("HEALPIX", "HEALPix pixelisation"),
        "ORDERING": ("NUNIQ", "pixels of many orders"),
        "COORDSYS": ("C", "ICRS"),
        "MOCORDER": (cells.max_order, "finest order"),
        "INDXSCHM": ("EXPLICIT", "pixel numbers in the table"),
    }
    write_table(path, schema, table, healpix | dict(cards), record)


def read_multiorder(
    path: str | Path, schema: Schema = REFINED
) -> tuple[MultiOrderMap, dict[str, Any]]:
    """Read a multi-order map and its provenance.

    Raises
    ------
    ProductError
        If the file is missing, damaged or of another kind.
    """
    _, columns, record = read_table(path, schema)
    lower = {name.lower(): values for name, values in columns.items()}
    try:
        return MultiOrderMap("icrs", lower.pop("uniq"), lower), record
    except ValueError as error:
        raise ProductError(
            f"{path}: not a possible map ({error}); make it again with `{schema.made_by}`."
        ) from error
