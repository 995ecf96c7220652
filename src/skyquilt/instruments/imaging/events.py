"""Lists of photons: FITS tables with position, energy and time."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from skyquilt.config.imaging import EventList
from skyquilt.errors import InputError
from skyquilt.instruments.imaging.energies import read_energies
from skyquilt.instruments.imaging.event_header import check_equinox, check_kind, find_single_table
from skyquilt.instruments.imaging.event_times import read_event_times
from skyquilt.instruments.imaging.fits_file import column_unit, open_fits, read_column
from skyquilt.instruments.imaging.good_times import GoodTimes
from skyquilt.instruments.imaging.headers import unit_factor
from skyquilt.instruments.imaging.selections import Selected, read_selections, sort_selections
from skyquilt.instruments.judge import object_to
from skyquilt.sky.frames import lonlat_to_vec

_POSITIONS = {"icrs": ("RA", "DEC"), "galactic": ("L", "B")}


class ImagingEvents(NamedTuple):
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
    selected : Selected
        What the header says of their selection.
    time_span : tuple of float or None
        Start of the first and end of the last good time [UNIX s]; None where not known.
    good, whole : GoodTimes or None
        Good times of the interval, and of the whole file.
    time : ndarray of float64, shape (n,), or None
        Times on the clock of the good times [s]; None where no good times are known.
    row : ndarray of int64, shape (n,), or None
        Rows of the file, from 0; None of simulated ones.
    event_id : ndarray of int64, shape (n,), or None
        EVENT_ID, where the file has it.
    """

    path: str
    frame: str
    direction: np.ndarray
    energy: np.ndarray
    selected: Selected = Selected()
    time_span: tuple[float, float] | None = None
    good: GoodTimes | None = None
    whole: GoodTimes | None = None
    time: np.ndarray | None = None
    row: np.ndarray | None = None
    event_id: np.ndarray | None = None

    def keep(self, chosen: np.ndarray) -> "ImagingEvents":
        """Some of the events: by a mask, or by their numbers in a new order."""
        return self._replace(
            direction=self.direction[chosen],
            energy=self.energy[chosen],
            time=None if self.time is None else self.time[chosen],
            row=None if self.row is None else self.row[chosen],
            event_id=None if self.event_id is None else self.event_id[chosen],
        )


def read_events(
    section: EventList,
    accepted: Collection[str] = (),
    interval: tuple[float, float] | None = None,
) -> ImagingEvents:
    """Read photons: RA and DEC or, where these are missing, L and B, with ENERGY and TIME.

    Photons outside the good time intervals, if the file has some, are left out and counted.

    Parameters
    ----------
    section : EventList
        Section of the analysis.
    accepted : collection of str
        Checks that it accepts: "selection", "clock".
    interval : tuple of float, optional
        Interval [start, stop) that events are cut to [UNIX s].

    Raises
    ------
    InputError
        If the file is damaged or lacks a column, a value is not possible, none of its events lies
        in the good times, no good time in the interval, or its header says something that is not
        understood.
    ConfigError
        If the unit of the energies is not known.
    """
    path = section.path
    with open_fits(path) as file:
        table = find_single_table(file, path, "EVENTS")
        check_kind(table.header, path, accepted)
        frame = _find_frame(table, path)
        if frame == "icrs":
            check_equinox(table.header, file[0].header, path)
        lon, lat = (_read_angle(table, path, column) for column in _POSITIONS[frame])
        energy = read_energies(table, section, "data.events", "ENERGY")
        unit = column_unit(table, "ENERGY") or section.energy_unit
        selected = sort_selections(read_selections(table.header, path), unit)
        for unknown in selected.unknown:
            object_to(accepted, "selection", f"{path}: {unknown}.")
        event_id = _read_ids(table, path)
        times = read_event_times(file, table, path, selected.time, accepted, interval)
    _check(path, np.abs(lat) <= 90, "latitudes", lat, "-90 to 90 deg")
    _check(path, np.abs(lon) <= 360, "longitudes", lon, "-360 to 360 deg")
    _check(path, np.isfinite(energy) & (energy > 0), "energies [keV]", energy, "above 0")
    kept, direction = times.is_good, lonlat_to_vec(lon, lat)
    time = None if times.time is None else times.time[kept]
    known = (times.span, times.good, times.whole, time, np.flatnonzero(kept))
    ids = None if event_id is None else event_id[kept]
    return ImagingEvents(path, frame, direction[kept], energy[kept], selected, *known, ids)


def _read_ids(table, path: str) -> np.ndarray | None:
    """Column EVENT_ID as whole numbers; None where there is none of them."""
    names = {column.upper() for column in table.columns.names}
    if "EVENT_ID" not in names:
        return None
    values = np.asarray(table.data["EVENT_ID"])
    return values.astype(np.int64) if values.dtype.kind in "iu" and values.ndim == 1 else None


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


def _check(path: str, is_good: np.ndarray, what: str, values: np.ndarray, allowed: str) -> None:
    wrong = np.flatnonzero(~is_good)
    if wrong.size:
        raise InputError(
            f"{path}: {wrong.size} {what} are not possible, as {values[wrong[0]]} in row "
            f"{wrong[0]}: allowed is {allowed}."
        )
