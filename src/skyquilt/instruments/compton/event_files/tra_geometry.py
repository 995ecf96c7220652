"""From energies and positions of the first two interactions to the columns of an event."""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.compton.event_files.columns import Pointing
from skyquilt.instruments.compton.orientation import attitude_at, rotations
from skyquilt.sky.frames import lonlat_to_vec

ELECTRON_KEV = 510.99895
"""Rest energy of the electron [keV] (CODATA 2018)."""
N_NUMBERS = 13
"""Numbers of an event: time, two energies, two positions, two directions."""

OUTSIDE = "outside time edges"
NO_DIRECTION = "interactions at one position"


def compute_columns(
    numbers: np.ndarray,
    units: Mapping[str, str],
    pointing: Pointing,
    path: str,
    dropped: Counter[str],
) -> dict[str, np.ndarray]:
    """Columns of events, named and in the units of cosipy's unbinned data.

    Parameters
    ----------
    numbers : ndarray of float64, shape (n, 13)
        Time [UNIX s], energies of the scattered photon and of the electron [keV], positions of the
        first and the second interaction [cm], longitude and latitude of the spacecraft's x and z
        [deg, galactic; NaN where they are not known].
    units : mapping
        Names of the columns that are wanted.
    pointing : Pointing
        Attitude, where it is not that of the events.
    path : str
        File, for messages.
    dropped : Counter
        Number of events left out by reason; is added to.

    Raises
    ------
    InputError
        If galactic directions are wanted and the attitude of an event is not known.
    """
    numbers = _in_span(numbers, pointing, dropped)
    toward = numbers[:, 3:6] - numbers[:, 6:9]
    length = np.linalg.norm(toward, axis=1)
    dropped[NO_DIRECTION] += int(np.count_nonzero(length == 0))
    numbers, toward = (one[length != 0] for one in (numbers, toward))
    time, photon, electron = numbers[:, :3].T
    columns = {"TimeTags": time, "Energies": photon + electron, "Phi": _angle(photon, electron)}
    if "Chi local" in units:
        columns |= _local(toward)
    if "Chi galactic" in units:
        columns |= _galactic(toward, _attitude(numbers, pointing, path))
    return {name: columns[name] for name in units}


def _in_span(numbers: np.ndarray, pointing: Pointing, dropped: Counter[str]) -> np.ndarray:
    """Events within the time for which an attitude is asked for."""
    if pointing.span is None:
        return numbers
    start, stop = pointing.span
    is_outside = (numbers[:, 0] < start) | (numbers[:, 0] >= stop)
    dropped[OUTSIDE] += int(np.count_nonzero(is_outside))
    return numbers[~is_outside]


def _angle(photon: np.ndarray, electron: np.ndarray) -> np.ndarray:
    """Compton angle [rad] from the energies; NaN where they allow none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        cosine = 1 - ELECTRON_KEV * (1 / photon - 1 / (photon + electron))
        return np.arccos(np.where(np.abs(cosine) <= 1, cosine, np.nan))


def _local(toward: np.ndarray) -> dict[str, np.ndarray]:
    """Azimuth in [0, 2 pi) and colatitude [rad] in the spacecraft frame."""
    x, y, z = toward.T
    return {
        "Chi local": np.arctan2(y, x) % (2 * np.pi),
        "Psi local": np.arctan2(np.hypot(x, y), z),
    }


def _galactic(toward: np.ndarray, to_local: np.ndarray) -> dict[str, np.ndarray]:
    """Galactic longitude and latitude [deg]; `to_local` turns galactic vectors into local ones."""
    x, y, z = np.einsum("nij,ni->jn", to_local, toward)
    return {
        "Chi galactic": np.degrees(np.arctan2(y, x)) % 360,
        "Psi galactic": np.degrees(np.arctan2(z, np.hypot(x, y))),
    }


def _attitude(numbers: np.ndarray, pointing: Pointing, path: str) -> np.ndarray:
    """Rotations from galactic to spacecraft coordinates of the events, shape (n, 3, 3)."""
    if pointing.orientation is not None:
        return attitude_at(pointing.orientation, numbers[:, 0])
    is_unknown = ~np.isfinite(numbers[:, 9:13]).all(axis=1)
    if is_unknown.any():
        raise InputError(
            f"{path}: {int(is_unknown.sum())} of {is_unknown.size} events have no pointing (lines "
            f"GX and GZ), the first at {numbers[np.argmax(is_unknown), 0]:.6f} s: give the "
            "orientation file as `orientation`, or bin in the local frame."
        )
    x_lon, x_lat, z_lon, z_lat = numbers[:, 9:13].T
    is_beyond = np.maximum(np.abs(x_lat), np.abs(z_lat)) > 90
    if is_beyond.any():
        row = np.argmax(is_beyond)
        raise InputError(
            f"{path}: lines GX and GZ of the event at {numbers[row, 0]:.6f} s have latitudes "
            f"{x_lat[row]:g} and {z_lat[row]:g} deg, beyond the poles: the file is damaged."
        )
    return rotations(lonlat_to_vec(x_lon, x_lat), lonlat_to_vec(z_lon, z_lat))
