"""`sources.ecsv` and `sources.fits`: the list of sources for people and for tools.

Both hold the same columns, with all digits. The FITS file has a second table `CATALOGUE` when
there is a catalogue to compare with, and the provenance as its last table; the text file has the
provenance and its checksum in its header.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from skyquilt.io.ecsv import write_ecsv
from skyquilt.io.fits_table import Column, read_table, write_table
from skyquilt.io.schema import Schema
from skyquilt.maps.source_positions import SourcePositions

# 1.0  first version
# 2.0  no `is_upper_limit`, as no source is below the threshold; errors of positions hold the
#      systematic one, `pos_err_sys`; table CATALOGUE has upper limits
# 2.1  `fit` added: how the fit of all sources together ended
# 2.2  energy_flux, energy_flux_err, energy_flux_ul
SCHEMA = Schema("skyquilt/sources", "2.2", "skyquilt sources")

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
    write_ecsv(path, SCHEMA, columns, record, _DEGREES)


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
