"""Orbit and attitude: zenith pointing with rocking, livetime with gaps."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skyquilt.config.simulation import SimulatedOrbit, Simulation
from skyquilt.config.units import to_value
from skyquilt.instruments.compton.orientation import EARTH_RADIUS_KM, Orientation, get_livetimes
from skyquilt.io.products import new_product
from skyquilt.sky.frames import rotation, vec_to_lonlat

ALTITUDE_KM = 550.0
_GRAVITY_KM3_S2 = 398600.4418  # of the Earth, WGS 84
_PERIOD_S = float(2 * np.pi * np.sqrt((EARTH_RADIUS_KM + ALTITUDE_KM) ** 3 / _GRAVITY_KM3_S2))
_SIDEREAL_DAY_S = 86164.1
_ROCKING_PERIOD_S = 12 * _PERIOD_S  # there and back
_SLEW_PART = 1 / 60  # of the rocking period that a slew from the zenith to one side takes
_LIVE_FRACTION = 0.92  # the rest is dead time
# No livetime in the South Atlantic Anomaly: 20 deg of longitude to either side of its middle,
# which the orbit reaches half a revolution after the start.
_SAA_HALF_WIDTH = np.radians(20.0)
HORIZON_COS = -np.sqrt(1 - (EARTH_RADIUS_KM / (EARTH_RADIUS_KM + ALTITUDE_KM)) ** 2)


@dataclass(frozen=True)
class Orbit:
    """Circular orbit and pointing, at any time.

    Attributes
    ----------
    settings : SimulatedOrbit
        Section `orbit` of the simulation.
    start : float
        Time at which the zenith has the right ascension `zenith_ra` [UNIX s].
    """

    settings: SimulatedOrbit
    start: float

    def zenith(self, time: np.ndarray) -> np.ndarray:
        """Direction from the Earth's centre to the spacecraft, galactic, shape (n, 3)."""
        phase = 2 * np.pi * (time - self.start) / _PERIOD_S
        return np.cos(phase)[:, None] * self._ascending() + np.sin(phase)[:, None] * self._ahead()

    def axes(self, time: np.ndarray) -> np.ndarray:
        """Axes x, y, z of the spacecraft, galactic, shape (n, 3, 3).

        The matrix turns galactic directions into the spacecraft's frame. The z axis is the
        boresight; y points against the direction of flight, about which the telescope rocks.
        """
        zenith, angle = self.zenith(time), self.rocking(time)[:, None]
        north = np.cross(self._ascending(), self._ahead())
        z = np.cos(angle) * zenith + np.sin(angle) * north
        x = np.cos(angle) * north - np.sin(angle) * zenith
        return np.stack([x, np.cross(z, x), z], axis=1)

    def rocking(self, time: np.ndarray) -> np.ndarray:
        """Angle from the zenith to the z axis, north positive [rad], shape (n,)."""
        phase = 2 * np.pi * (time - self.start) / _ROCKING_PERIOD_S
        return np.radians(self.settings.rocking) * np.clip(
            np.sin(phase) / np.sin(2 * np.pi * _SLEW_PART), -1, 1
        )

    def is_live(self, time: np.ndarray) -> np.ndarray:
        """Whether the detector takes data: not in the South Atlantic Anomaly, shape (n,)."""
        longitude = 2 * np.pi * (time - self.start) * (1 / _PERIOD_S - 1 / _SIDEREAL_DAY_S)
        return np.cos(longitude - np.pi) < np.cos(_SAA_HALF_WIDTH)

    def _ascending(self) -> np.ndarray:
        """Zenith at the start, galactic."""
        lon = np.radians(self.settings.zenith_ra)
        return rotation("icrs", "galactic") @ [np.cos(lon), np.sin(lon), 0]

    def _ahead(self) -> np.ndarray:
        """Zenith a quarter of a revolution later, galactic."""
        lon, tilt = np.radians(self.settings.zenith_ra), np.radians(self.settings.inclination)
        ahead = [-np.sin(lon) * np.cos(tilt), np.cos(lon) * np.cos(tilt), np.sin(tilt)]
        return rotation("icrs", "galactic") @ ahead


def fly(simulation: Simulation) -> Orientation:
    """Attitude and livetime over the whole observation.

    The records follow each other by `step`, in the intervals of bursts by `burst_step`; the last
    interval before a change may be shorter.

    Parameters
    ----------
    simulation : Simulation
        Section `simulation`.

    Returns
    -------
    Orientation
        The records; the last has no livetime.
    """
    orbit = Orbit(simulation.orbit, simulation.start)
    time = _stamps(simulation)
    livetime = _LIVE_FRACTION * np.append(np.diff(time), 0) * orbit.is_live(time)
    axes = orbit.axes(time)
    altitude = np.full(time.size, ALTITUDE_KM)
    return Orientation(
        "simulation", time, axes[:, 0], axes[:, 2], orbit.zenith(time), altitude, livetime
    )


def _stamps(simulation: Simulation) -> np.ndarray:
    """Stamps of the orientation records [UNIX s]."""
    bursts = simulation.burst_intervals.values()
    borders = np.unique([*simulation.span, *(edge for interval in bursts for edge in interval)])
    middles = (borders[:-1] + borders[1:]) / 2
    is_burst = [any(first < middle < last for first, last in bursts) for middle in middles]
    steps = np.where(
        is_burst,
        to_value(simulation.orbit.burst_step, "s"),
        to_value(simulation.orbit.step, "s"),
    )
    pieces = [
        np.arange(begin, end - 1e-6, step)
        for begin, end, step in zip(borders[:-1], borders[1:], steps, strict=True)
    ]
    return np.append(np.concatenate(pieces), borders[-1])


def write_orientation(path: Path, orientation: Orientation) -> None:
    """Write an orientation file (`.ori`), whole or not at all.

    Parameters
    ----------
    path : Path
        File to write.
    orientation : Orientation
        The records.
    """
    lonlat = [vec_to_lonlat(v) for v in (orientation.x, orientation.z, orientation.zenith)]
    (x_lon, x_lat), (z_lon, z_lat), (earth_lon, earth_lat) = lonlat
    columns = [orientation.time, x_lat, x_lon, z_lat, z_lon, orientation.altitude]
    records = np.column_stack([*columns, earth_lat, earth_lon, get_livetimes(orientation)])
    with new_product(path) as partial:
        np.savetxt(
            partial,
            records,
            fmt=["OG %.6f", *["%.12f"] * 4, "%.3f", *["%.12f"] * 2, "%.6f"],
            header="Type OrientationsGalactic",
            footer="EN",
            comments="",
        )
