"""Energies of the files of imaging instruments, in keV."""

from typing import Any

import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.imaging.fits_file import column_unit, find_table, read_column
from skyquilt.instruments.imaging.headers import unit_factor

_SAME_ENERGY = 1e-4  # relative; EBOUNDS are often single precision, in another unit


def read_energies(table: Any, section: Any, name: str, column: str) -> np.ndarray:
    """A column of energies [keV].

    Parameters
    ----------
    table : BinTableHDU
        Table of an open file.
    section : EventList, CountsCube, BackgroundCube, ExposureCube or PointSpreadTable
        Section of the analysis: its `energy_unit` is used where the header has no unit.
    name : str
        Its name, for messages.
    column : str
        Name of the column.

    Raises
    ------
    InputError
        If there is no such column, or its unit is of another kind.
    ConfigError
        If the unit is not known.
    """
    values = read_column(table, section.path, column)
    stated, key = column_unit(table, column), f"{name}.energy_unit"
    factor = unit_factor(section.path, "the energies", stated, key, section.energy_unit, "keV")
    return values * factor


def read_bounds(file: Any, section: Any, name: str) -> np.ndarray:
    """Edges of the bands [keV] of an open file: table EBOUNDS, or that which BANDSHDU names.

    Raises
    ------
    InputError
        If there is no such table, it has more axes, or bands do not follow each other.
    ConfigError
        If the unit is not known.
    """
    names = ("EBOUNDS", *_bands(file, section.path))
    if "ENERGIES" in file and not any(name in file for name in names):
        raise InputError(
            f"{section.path}: no table EBOUNDS, but ENERGIES: its values are at energies, as those "
            "of an exposure or an intensity; counts in bands are needed."
        )
    table = find_table(file, section.path, *names)
    stored = {column.upper() for column in table.columns.names}
    ends = ("ENERGY_MIN", "ENERGY_MAX") if "ENERGY_MIN" in stored else ("E_MIN", "E_MAX")
    low, high = (read_energies(table, section, name, key) for key in ends)
    if np.any(np.abs(high[:-1] / low[1:] - 1) > _SAME_ENERGY):
        raise InputError(f"{section.path}: EBOUNDS has gaps or overlaps: {low} to {high} keV.")
    return check_ascending(section.path, np.append(low, high[-1:]))


def read_nodes(file: Any, section: Any, name: str) -> np.ndarray:
    """Energies [keV] of an open file: table ENERGIES, or that which BANDSHDU names.

    In bands (BANDSHDU, EBOUNDS) the values are those at their middle, which the Fermi tools and
    GADF put at the root of the product of the ends.

    Raises
    ------
    InputError
        If there is no such table, it has more axes, or the energies do not ascend.
    ConfigError
        If the unit is not known.
    """
    table = find_table(file, section.path, "ENERGIES", *_bands(file, section.path), "EBOUNDS")
    stored = {column.upper() for column in table.columns.names}
    if "ENERGY_TRUE" in stored or "ENERGY" in stored or "E_MIN" not in stored:
        column = "ENERGY_TRUE" if "ENERGY_TRUE" in stored else "Energy"
        return check_ascending(section.path, read_energies(table, section, name, column))
    low, high = (read_energies(table, section, name, key) for key in ("E_MIN", "E_MAX"))
    return check_ascending(section.path, np.sqrt(low * high))


def _bands(file: Any, path: str) -> list[str]:
    """Name of the table of the axes besides the sky, if the header of a map says it."""
    names = [str(hdu.header["BANDSHDU"]) for hdu in file if "BANDSHDU" in hdu.header]
    for hdu in file:
        if "AXCOLS2" in hdu.header:
            raise InputError(
                f"{path}: the map has the axes {hdu.header.get('AXCOLS1')} and "
                f"{hdu.header['AXCOLS2']}; one of energies is needed."
            )
    return names[:1]


def check_ascending(path: str, energies: np.ndarray) -> np.ndarray:
    """Energies, if they are above 0 and ascend.

    Raises
    ------
    InputError
        If they are not, or there are none.
    """
    is_good = energies.size and np.all(np.isfinite(energies)) and energies[0] > 0
    if not (is_good and np.all(np.diff(energies) > 0)):
        raise InputError(f"{path}: energies must be above 0 and ascend, they are {energies}.")
    return energies
