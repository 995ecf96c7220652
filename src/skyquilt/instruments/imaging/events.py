"""Lists of photons: FITS tables with position, energy and time."""

import logging
from typing import NamedTuple

import numpy as np

from skyquilt.config.imaging import EventList
from skyquilt.errors import InputError
from skyquilt.instruments.imaging.energies import read_energies
from skyquilt.instruments.imaging.fits_file import column_unit, find_table, open_fits, read_column
from skyquilt.instruments.imaging.headers import unit_factor
from skyquilt.sky.frames import lonlat_to_vec

logger = logging.getLogger(__name__)

_POSITIONS = {"icrs": ("RA", "DEC"), "galactic": ("L", "B")}


class Events(NamedTuple):
    """Photons in the good times.

    Attributes
    ----------
    path : str
        The file.
    frame : {"galactic", "icrs"}
        Frame of the directions.
    direction : ndarray of float64, shape (n, 3)
        Unit vectors.
    energy : ndarray of float64, shape (n,)
        Measured energies [keV].
    """

    path: str
    frame: str
    direction: np.ndarray
    energy: np.ndarray


def read_events(section: EventList) -> Events:
    """Read photons: RA and DEC or, where these are missing, L and B, with ENERGY and TIME.

    Photons outside the good time intervals, if the file has some, are left out and counted.

    Raises
    ------
    InputError
        If the file is damaged or lacks a column, a value is not possible, or nothing is left.
    ConfigError
        If the unit of the energies is not known.
    """
    path = section.path
    with open_fits(path) as file:
        table = find_table(file, path, "EVENTS")
        frame = _find_frame(table, path)
        lon, lat = (_read_angle(table, path, column) for column in _POSITIONS[frame])
        energy = read_energies(table, section, "data.events", "ENERGY")
        is_good = _in_good_time(file, table, path)
    _check(path, np.abs(lat) <= 90, "latitudes", lat, "-90 to 90 deg")
    _check(path, np.abs(lon) <= 360, "longitudes", lon, "-360 to 360 deg")
    _check(path, np.isfinite(energy) & (energy > 0), "energies [keV]", energy, "above 0")
    return Events(path, frame, lonlat_to_vec(lon, lat)[is_good], energy[is_good])


def _find_frame(table, path: str) -> str:
    """Frame of the first pair of columns of positions that a table has."""
    names = {column.upper() for column in table.columns.names}
    for frame, columns in _POSITIONS.items():
        if names.issuperset(columns):
            return frame
    raise InputError(
        f"{path}: table EVENTS has neither the columns RA and DEC nor L and B; there are: "
        f"{', '.join(table.columns.names)}."
    )


def _read_angle(table, path: str, name: str) -> np.ndarray:
    factor = unit_factor(path, name, column_unit(table, name) or "deg", name, None, "deg")
    return read_column(table, path, name) * factor


def _in_good_time(file, table, path: str) -> np.ndarray:
    """Which events lie in the good time intervals; all, where the file has none."""
    if "GTI" not in file:
        return np.ones(len(table.data), dtype=bool)
    start, stop = (read_column(file["GTI"], path, name) for name in ("START", "STOP"))
    time = read_column(table, path, "TIME")
    if not (start.size and np.all(start <= stop)):
        raise InputError(
            f"{path}: table GTI has {start.size} intervals, {np.count_nonzero(~(start <= stop))} "
            "of them without a START at or before the STOP; there must be one or more, all good."
        )
    order = np.argsort(start)
    start, stop = start[order], np.maximum.accumulate(stop[order])
    place = np.searchsorted(start, time, side="right") - 1
    is_good = (place >= 0) & (time <= stop[place])
    n_bad = int(np.count_nonzero(~is_good))
    if n_bad and n_bad == time.size:
        raise InputError(
            f"{path}: none of the {time.size} events lies in the good time intervals of table GTI, "
            f"{start.min():.9g} to {stop.max():.9g} s."
        )
    if n_bad:
        logger.info("%s: %d events outside the good time intervals are left out", path, n_bad)
    return is_good


def _check(path: str, is_good: np.ndarray, what: str, values: np.ndarray, allowed: str) -> None:
    wrong = np.flatnonzero(~is_good)
    if wrong.size:
        raise InputError(
            f"{path}: {wrong.size} {what} are not possible, as {values[wrong[0]]} in row "
            f"{wrong[0]}: allowed is {allowed}."
        )
