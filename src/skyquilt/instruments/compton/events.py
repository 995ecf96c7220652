"""Unbinned events of a Compton telescope: measured values in one set of units, checked."""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from skyquilt.config.accept import way_out
from skyquilt.errors import InputError
from skyquilt.instruments.compton.event_files import (
    BLOCK_BYTES,
    NO_POINTING,
    Pointing,
    open_columns,
)

logger = logging.getLogger(__name__)

# The format mixes units on purpose: angles in the spacecraft frame are in radians with a
# colatitude, galactic angles in degrees with a latitude.
_UNITS = {"Energies": "keV", "TimeTags": "s", "Phi": "rad"}
_DIRECTION_UNITS = {
    "local": {"Chi local": "rad", "Psi local": "rad"},
    "galactic": {"Chi galactic": "deg", "Psi galactic": "deg"},
}
_RANGES = {
    "Phi": (0, np.pi),
    "Chi local": (-np.pi, 2 * np.pi),
    "Psi local": (0, np.pi),
    "Chi galactic": (-180, 360),
    "Psi galactic": (-90, 90),
}
# Relative excess over a range that single precision can cause.
_ROUNDING = 1e-6
# Number of events whose galactic angles are not all within 3.2 deg of one another by chance:
# for one event of an isotropic sky the probability is 5e-4.
_ENOUGH = 10


class Events(NamedTuple):
    """Some events; each attribute is an ndarray of float64, shape (n,).

    Attributes
    ----------
    time : ndarray
        Arrival time [UNIX s].
    energy : ndarray
        Measured energy [keV].
    phi : ndarray
        Compton scattering angle [deg]; NaN where the energies allow none.
    lon, lat : ndarray
        Scattered direction PsiChi [deg], in the frame asked for.
    """

    time: np.ndarray
    energy: np.ndarray
    phi: np.ndarray
    lon: np.ndarray
    lat: np.ndarray


class EventFile(NamedTuple):
    """Events of one file: their number, and an iterator over them block by block.

    The numbers of events that are in no block, by reason, are complete when it has ended.
    """

    n_events: int
    blocks: Iterator[Events]
    dropped: Counter[str]


@contextmanager
def open_events(
    path: str | Path,
    frame: Literal["local", "galactic"],
    block_bytes: int = BLOCK_BYTES,
    pointing: Pointing = NO_POINTING,
    *,
    may_be_small: bool = False,
) -> Iterator[EventFile]:
    """Open a file of unbinned events; blocks are read and checked as they are asked for.

    Parameters
    ----------
    path : str or Path
        FITS (plain or gzipped) or HDF5 file with the columns that cosipy writes, or event list of
        MEGAlib (plain or gzipped).
    frame : {"local", "galactic"}
        Frame of the scattered direction.
    block_bytes : int, optional
        Size of a block in the file.
    pointing : Pointing, optional
        Attitude of the spacecraft, for galactic directions of event lists without it.
    may_be_small : bool
        Whether galactic angles that could be radians are degrees all the same: a warning.

    Yields
    ------
    EventFile
        Number of events, and the blocks.

    Raises
    ------
    InputError
        If the file is damaged or lacks a column (see `open_columns`), or if a value is
        impossible: not finite (only `Phi` may be NaN), or an angle outside its range, as when
        galactic angles are in radians.
    """
    names = _DIRECTION_UNITS[frame]
    with open_columns(path, _UNITS | names, block_bytes, pointing) as columns:
        blocks = _events(Path(path), frame, columns.blocks, may_be_small)
        yield EventFile(columns.n_rows, blocks, columns.dropped)


def _events(
    path: Path, frame: str, blocks: Iterator[dict[str, np.ndarray]], may_be_small: bool
) -> Iterator[Events]:
    n_before = 0
    for block in blocks:
        for name, values in block.items():
            _check_column(path, name, values, n_before)
        if frame == "galactic" and n_before == 0:
            _check_degrees(path, block["Chi galactic"], block["Psi galactic"], may_be_small)
        yield _in_common_units(frame, block)
        n_before += len(block["TimeTags"])


def _check_column(path: Path, name: str, values: np.ndarray, n_before: int) -> None:
    """Refuse values that the format excludes."""
    if values.ndim != 1:
        raise InputError(
            f"{path}: column {name!r} has {values.shape[1:]} numbers per event, not 1."
        )
    is_good = np.isfinite(values)
    if name == "Phi":
        is_good |= np.isnan(values)
    _refuse(path, name, values, ~is_good, n_before, "is not finite")
    if name in _RANGES:
        low, high = _RANGES[name]
        is_bad = (values < low - _ROUNDING * abs(low)) | (values > high + _ROUNDING * high)
        unit = (_UNITS | _DIRECTION_UNITS["local"] | _DIRECTION_UNITS["galactic"])[name]
        _refuse(path, name, values, is_bad, n_before, f"is outside [{low:g}, {high:g}] {unit}")


def _refuse(
    path: Path, name: str, values: np.ndarray, is_bad: np.ndarray, n_before: int, fault: str
) -> None:
    if is_bad.any():
        first = int(np.argmax(is_bad))
        raise InputError(
            f"{path}: {name!r} {fault}: {values[first]:g} in row {n_before + first}, and "
            f"{np.count_nonzero(is_bad) - 1} more in the block of {values.size}. "
            "Check the file's units and its origin; remove events that are not usable."
        )


def _check_degrees(path: Path, lon: np.ndarray, lat: np.ndarray, may_be_small: bool) -> None:
    """Refuse galactic angles as MEGAlib writes them: radians, with a colatitude."""
    are_small = np.all(np.abs(lon) <= np.pi) and np.all((lat >= 0) & (lat <= np.pi))
    if lon.size < _ENOUGH or not are_small:
        return
    message = (
        f"{path}: galactic angles look like radians with a colatitude, as MEGAlib writes "
        f"them: the first {lon.size} events all have |Chi galactic| <= pi and Psi galactic in "
        "[0, pi]. Write longitude and latitude in degrees, or bin in the local frame."
    )
    if not may_be_small:
        raise InputError(f"{message} {way_out('radians', 'the binning')}")
    logger.warning("%s (accepted: radians)", message)


def _in_common_units(frame: str, block: dict[str, np.ndarray]) -> Events:
    """Events with all angles in degrees and latitudes, rounding errors clipped."""
    if frame == "local":
        lon = np.degrees(block["Chi local"])
        lat = 90 - np.degrees(block["Psi local"])
    else:
        lon, lat = block["Chi galactic"], block["Psi galactic"]
    phi = np.degrees(block["Phi"])
    return Events(block["TimeTags"], block["Energies"], phi, lon, np.clip(lat, -90, 90))
