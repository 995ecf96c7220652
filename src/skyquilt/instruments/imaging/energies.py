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
    """Edges of the bands [keV] from the table EBOUNDS of an open file.

    Raises
    ------
    InputError
        If there is no such table, or bands do not follow each other.
    ConfigError
        If the unit is not known.
    """
    table = find_table(file, section.path, "EBOUNDS")
    low, high = (read_energies(table, section, name, key) for key in ("E_MIN", "E_MAX"))
    if np.any(np.abs(high[:-1] / low[1:] - 1) > _SAME_ENERGY):
        raise InputError(f"{section.path}: EBOUNDS has gaps or overlaps: {low} to {high} keV.")
    return check_ascending(section.path, np.append(low, high[-1:]))


def read_nodes(file: Any, section: Any, name: str) -> np.ndarray:
    """Energies [keV] from the table ENERGIES of an open file.

    Raises
    ------
    InputError
        If there is no such table, or the energies do not ascend.
    ConfigError
        If the unit is not known.
    """
    table = find_table(file, section.path, "ENERGIES")
    return check_ascending(section.path, read_energies(table, section, name, "Energy"))


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
