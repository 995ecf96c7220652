"""Read an orientation file, whichever its format, and check what it says."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import numpy as np

from skyquilt.errors import InputError, OutputError, ProductError
from skyquilt.instruments.compton.event_files.tra import refuse_tra
from skyquilt.instruments.compton.orientation import Orientation
from skyquilt.instruments.compton.orientation_files.fits import read_fits
from skyquilt.instruments.compton.orientation_files.kept import keep, kept_path, pick_kept
from skyquilt.instruments.compton.orientation_files.records import Interval, Records, collect
from skyquilt.instruments.compton.orientation_files.text import read_text
from skyquilt.instruments.compton.stream import open_inflated
from skyquilt.sky.frames import lonlat_to_vec

logger = logging.getLogger(__name__)

_FITS = b"SIMPLE  ="
# The x and z axes may be this far from orthogonal (cosine): rounding of the file, no more.
_MAX_SKEW = 1e-3
# A livetime may be this much longer than its interval (relative): rounding of the file, no more.
_ROUNDING = 1e-6


def read_orientation(
    path: str | Path,
    interval: Interval | None = None,
    other: Interval | None = None,
    cache: str | Path | None = None,
) -> Orientation:
    """Read an orientation file.

    Parameters
    ----------
    path : str or Path
        Text of MEGAlib (`.ori`) or FITS table of cosipy, plain or gzipped; the content tells
        which. Text and gzipped files are read in blocks, of a plain FITS file only the rows that
        the intervals need.
    interval : tuple of float, optional
        Keep the pointings that are needed for this interval [UNIX s] only.
    other : tuple of float, optional
        Another interval whose livetimes are asked for; of a plain FITS file, and of text whose
        numbers are in the cache, stamps and livetimes outside both are not kept.
    cache : str or Path, optional
        Folder that keeps the numbers of large text files, so that the next time only the records
        that the intervals need are read.

    Raises
    ------
    InputError
        If the file is missing, truncated, not of this kind, or has stamps out of order.
    """
    path = str(path)
    refuse_tra(path, "an orientation")
    with open_inflated(path) as (file, is_plain):
        start = file.read(len(_FITS))
        file.seek(0)
        if start == _FITS:
            records = read_fits(file, path, interval, other, is_plain=is_plain)
        elif cache is None or (kept := kept_path(Path(path), Path(cache))) is None:
            records = collect(read_text(file, path), interval)
        else:
            records = _read_kept(file, path, kept, interval, other)
    if len(records.time) < 2:
        raise InputError(
            f"{path}: {len(records.time)} records; at least 2 are needed for one interval."
        )
    _check_times(records, path)
    return _orientation(records, path)


def _read_kept(
    file: IO[bytes], path: str, kept: Path, interval: Interval | None, other: Interval | None
) -> Records:
    """Records of a text file; all of its stamps are checked when its numbers are kept first."""
    with suppress(ProductError):  # not there yet, or damaged
        return pick_kept(kept, interval, other)
    with suppress(OutputError, ProductError):  # the cache may be one's own to read only
        keep(kept, _checked(read_text(file, path), path))
        return pick_kept(kept, interval, other)
    file.seek(0)
    return collect(read_text(file, path), interval)


def _checked(blocks: Iterator[np.ndarray], path: str) -> Iterator[np.ndarray]:
    """The same blocks; stamps that do not increase are refused."""
    parts = []
    for block in blocks:
        parts.append(block[:, 0].copy())
        yield block
    time = np.concatenate(parts) if parts else np.empty(0)
    _check_stamps(time, path)


def _orientation(records: Records, path: str) -> Orientation:
    x_lat, x_lon, z_lat, z_lon, altitude, zenith_lat, zenith_lon = records.pointings.T
    orientation = Orientation(
        path,
        time=records.time,
        x=lonlat_to_vec(x_lon, x_lat),
        z=lonlat_to_vec(z_lon, z_lat),
        zenith=lonlat_to_vec(zenith_lon, zenith_lat),
        altitude=altitude.copy(),
        livetime=records.livetime,
        first=records.first,
        covers=records.covers,
    )
    _check_angles(records, path)
    _check_axes(orientation)
    return orientation


def _check_times(records: Records, path: str) -> None:
    """Stamps must increase; livetimes be at least 0, and no longer than their intervals."""
    time, livetime = records.time, records.livetime
    _check_stamps(time, path)
    if livetime is None:
        return
    if np.any(livetime < 0):
        row = int(np.argmax(livetime < 0))
        raise InputError(f"{path}: record {row} has livetime {livetime[row]} s; it must be >= 0.")
    too_long = np.flatnonzero(livetime[:-1] > (1 + _ROUNDING) * np.diff(time) + _ROUNDING)
    if too_long.size:
        row = int(too_long[0])
        logger.warning(
            "%s: %d livetimes are longer than their intervals; the first is %g s in the %g s from "
            "%.6f s; they are used as they are",
            *(path, too_long.size, livetime[row], time[row + 1] - time[row], time[row]),
        )


def _check_stamps(time: np.ndarray, path: str) -> None:
    late = np.flatnonzero(np.diff(time) <= 0)
    if late.size:
        pair = time[late[0] : late[0] + 2]
        raise InputError(
            f"{path}: time stamps must increase; record {late[0] + 1} has {pair[1]:.6f} after "
            f"{pair[0]:.6f} s ({late.size} such records): sort the file and remove duplicates."
        )


def _check_angles(records: Records, path: str) -> None:
    """Latitudes beyond the poles are longitudes, or in another unit."""
    latitudes = records.pointings[:, [0, 2, 5]]
    bad = np.flatnonzero(np.any(np.abs(latitudes) > 90, axis=1))
    if bad.size:
        row = int(bad[0])
        raise InputError(
            f"{path}: record {records.first + row} has a latitude beyond 90 deg: "
            f"{latitudes[row].tolist()} (x, z, Earth): wrong columns or units?"
        )


def _check_axes(orientation: Orientation) -> None:
    skew = np.abs(np.einsum("ij,ij->i", orientation.x, orientation.z))
    if skew.max() > _MAX_SKEW:
        row = int(np.argmax(skew))
        angle = np.degrees(np.arccos(min(skew[row], 1)))
        raise InputError(
            f"{orientation.path}: x and z axes of record {orientation.first + row} are "
            f"{angle:.3f} deg apart, not 90: wrong columns or units?"
        )
