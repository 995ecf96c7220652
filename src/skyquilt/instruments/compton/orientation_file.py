"""Read orientation files (`.ori`), text with one record per time stamp."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.compton.orientation import Orientation
from skyquilt.sky.frames import lonlat_to_vec

_BLOCK = 1 << 24  # bytes of text parsed at a time
_N_FIELDS = 9
# The x and z axes may be this far from orthogonal (cosine): rounding of the file, no more.
_MAX_SKEW = 1e-3


def read_orientation(path: str | Path, interval: tuple[float, float] | None = None) -> Orientation:
    """Read an orientation file.

    Parameters
    ----------
    path : str or Path
        Text file; it is read in blocks.
    interval : tuple of float, optional
        Keep the pointings that are needed for this interval [UNIX s] only; time stamps and
        livetimes are kept for the whole file.

    Raises
    ------
    InputError
        If the file is missing, truncated, not of this kind, or has stamps out of order.
    """
    path = str(path)
    try:
        with open(path, "rb") as file:
            times, pointings, first = _collect(_blocks(file, path), interval)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}.") from error
    if len(times) < 2:
        raise InputError(f"{path}: {len(times)} records; at least 2 are needed for one interval.")
    _check_times(times, path)
    x_lat, x_lon, z_lat, z_lon, altitude, zenith_lat, zenith_lon = pointings.T
    orientation = Orientation(
        path,
        time=times[:, 0].copy(),
        x=lonlat_to_vec(x_lon, x_lat),
        z=lonlat_to_vec(z_lon, z_lat),
        zenith=lonlat_to_vec(zenith_lon, zenith_lat),
        altitude=altitude.copy(),
        livetime=times[:, 1].copy(),
        first=first,
    )
    _check_axes(orientation)
    return orientation


def _collect(
    blocks: Iterator[np.ndarray], interval: tuple[float, float] | None
) -> tuple[np.ndarray, np.ndarray, int]:
    """Time and livetime of all records, pointings of those needed, and the first of these."""
    start, stop = interval or (-np.inf, np.inf)
    times, pointings, first, n_before, last = [], [], 0, 0, -np.inf
    for block in (block for block in blocks if len(block)):
        time = block[:, 0]
        times.append(block[:, [0, 8]])
        if time[0] <= start:  # what was kept lies before the interval
            pointings.clear()
        if last < stop:
            low = max(np.searchsorted(time, start, side="right") - 1, 0)
            high = np.searchsorted(time, stop) + 1
            first = first if pointings else n_before + int(low)
            pointings.append(block[low:high, 1:8].copy())
        n_before, last = n_before + len(block), time[-1]
    if not times:
        return np.empty((0, 2)), np.empty((0, 7)), 0
    return np.concatenate(times), np.concatenate(pointings), first


def _describe(header: bytes) -> str:
    """What a first line is that should be another."""
    if not header:
        return "the file is empty"
    if not header.isascii():
        return "the file is no text"
    return f"the first line is {header[:40].decode().strip()!r}"


def _blocks(file, path: str) -> Iterator[np.ndarray]:
    """`OG` records in arrays of shape (n, 9)."""
    header = file.readline()
    if not header.startswith(b"Type OrientationsGalactic"):
        raise InputError(
            f"{path}: {_describe(header)}; an orientation file begins with 'Type "
            "OrientationsGalactic'."
        )
    rest, ended = b"", False
    while not ended and (block := file.read(_BLOCK)):
        text = rest + block
        cut = text.rfind(b"\n") + 1
        text, rest = text[:cut], text[cut:]
        text, ended = _before_end(text)
        yield _parse(text, path)
    if not ended and rest.strip() != b"EN":
        raise InputError(f"{path}: no line 'EN' at the end; the file is truncated.")


def _before_end(text: bytes) -> tuple[bytes, bool]:
    """Text up to the line `EN`, and whether there is one."""
    end = text.find(b"\nEN")
    if text.startswith(b"EN"):
        return b"", True
    return (text, False) if end < 0 else (text[: end + 1], True)


def _parse(text: bytes, path: str) -> np.ndarray:
    """Numbers of the records in `text`, shape (n, 9)."""
    lines = text.count(b"OG")
    try:
        numbers = np.array(text.replace(b"OG", b"").split(), dtype=np.float64)
    except ValueError as error:
        raise InputError(f"{path}: {_first_bad_line(text)}") from error
    if numbers.size != _N_FIELDS * lines:
        raise InputError(f"{path}: {_first_bad_line(text)}")
    records = numbers.reshape(lines, _N_FIELDS)
    if not np.all(np.isfinite(records)):
        bad = records[np.argmax(~np.isfinite(records).all(axis=1))]
        raise InputError(f"{path}: a record has a value that is not finite: {bad.tolist()}.")
    return records


def _first_bad_line(text: bytes) -> str:
    """Description of the first line that is no record of nine numbers."""
    bad = next(line for line in text.splitlines() if not _is_record(line))
    return (
        f"line {bad.decode(errors='replace')!r} is no record 'OG' with {_N_FIELDS} numbers "
        "(time, x lat, x lon, z lat, z lon, altitude, Earth lat, Earth lon, livetime)."
    )


def _is_record(line: bytes) -> bool:
    fields = line.split()
    try:
        [float(field) for field in fields[1:]]
    except ValueError:
        return False
    return not fields or (fields[0] == b"OG" and len(fields) == _N_FIELDS + 1)


def _check_times(times: np.ndarray, path: str) -> None:
    """Stamps must increase and livetimes be at least 0."""
    late = np.flatnonzero(np.diff(times[:, 0]) <= 0)
    if late.size:
        pair = times[late[0] : late[0] + 2, 0]
        raise InputError(
            f"{path}: time stamps must increase; record {late[0] + 1} has {pair[1]:.6f} after "
            f"{pair[0]:.6f} s ({late.size} such places): sort the file and remove duplicates."
        )
    if np.any(times[:, 1] < 0):
        row = int(np.argmax(times[:, 1] < 0))
        raise InputError(f"{path}: record {row} has livetime {times[row, 1]} s; it must be >= 0.")


def _check_axes(orientation: Orientation) -> None:
    skew = np.abs(np.einsum("ij,ij->i", orientation.x, orientation.z))
    if skew.max() > _MAX_SKEW:
        row = int(np.argmax(skew))
        raise InputError(
            f"{orientation.path}: x and z axes of record {orientation.first + row} are "
            f"{np.degrees(np.arccos(skew[row])):.3f} deg apart, not 90: wrong columns or units?"
        )
