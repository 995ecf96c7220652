"""Binned data: histograms in the layout of histpy, cut in time, on the Compton data space."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.compton.dataspace import DataSpace

logger = logging.getLogger(__name__)

_TIME_ATOL = 1e-6  # [s] stamps near 2e9 s are exact to 2.4e-7 in float64
_SUM_RTOL = 1e-9  # sums of the same numbers in another order differ by far less
_UNITS = {"Ei": "keV", "Em": "keV", "Phi": "deg", "Time": "s"}


@dataclass(frozen=True)
class BinnedCounts:
    """A histogram on the Compton data space.

    Attributes
    ----------
    path : str
        File it was read from.
    counts : ndarray of float64, shape (n_em, n_phi, n_psichi)
        Counts per bin.
    space : DataSpace
        The axes.
    span : tuple of float or None
        Time span of `counts` [UNIX s]; None without a time axis.
    """

    path: str
    counts: np.ndarray
    space: DataSpace
    span: tuple[float, float] | None


def read_counts(path: str, interval: tuple[float, float] | None) -> BinnedCounts:
    """Read a histogram and sum it over all axes but Em, Phi, PsiChi.

    Parameters
    ----------
    path : str
        HDF5 file written by histpy, group `hist`.
    interval : tuple of float or None
        Time interval to cut out [UNIX s]; both ends must be edges of the time axis. None is the
        whole axis, without its under- and overflow. Ignored for a histogram without one.

    Returns
    -------
    BinnedCounts
        Counts of at least zero, all finite.

    Raises
    ------
    InputError
        If the file is damaged, lacks an axis, has a wrong unit, or has negative or non-finite
        counts, or if the interval is no range of time bins.
    """
    histogram = _open(path)
    _check_unit(histogram, path)
    labels = [str(label) for label in histogram.axes.labels]
    missing = [name for name in ("Em", "Phi", "PsiChi") if name not in labels]
    if missing:
        raise InputError(
            f"{path}: axes are {', '.join(labels)}; {', '.join(missing)} missing: bin the events "
            "in measured energy Em, Compton angle Phi and scattered direction PsiChi."
        )
    span = None
    if "Time" in labels:
        histogram, span = _cut_time(histogram, interval, path)
    space = _read_space(histogram, path)
    return BinnedCounts(path, _project(histogram, path), space, span)


def _open(path: str):
    import scoords  # noqa: F401  (registers the frame 'spacecraftframe' with astropy)
    from histpy import Histogram

    if not Path(path).is_file():
        raise InputError(f"{path}: no such file.")
    try:
        return Histogram.open(path)
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise InputError(
            f"{path}: cannot be read as a histogram of histpy (group 'hist'): {error}."
        ) from error


def _check_unit(histogram, path: str) -> None:
    """Counts have no unit; 'ct' is tolerated."""
    unit = histogram.unit
    if unit is not None and str(unit) not in ("", "ct"):
        raise InputError(
            f"{path}: unit of the contents is {str(unit)!r}; counts have none: multiply a rate by "
            "its time first."
        )


def axis_edges(axis, path: str) -> np.ndarray:
    """Edges of a histogram axis in skyquilt's unit (Em: keV, Phi: deg, Time: UNIX s).

    Raises
    ------
    InputError
        If the axis has no unit, or one of another kind.
    """
    edges, unit = axis.edges, _UNITS[axis.label]
    if hasattr(edges, "unix"):
        return np.asarray(edges.unix, dtype=np.float64)
    if not hasattr(edges, "to_value"):
        raise InputError(f"{path}: axis {axis.label} has no unit; it must be in {unit}.")
    try:
        return np.asarray(edges.to_value(unit), dtype=np.float64)
    except ValueError as error:
        raise InputError(
            f"{path}: axis {axis.label} is in {edges.unit}; it must be convertible to {unit}."
        ) from error


def healpix_space(axis, path: str) -> tuple[int, str, str | None]:
    """Resolution, ordering and frame of a HEALPix axis.

    Raises
    ------
    InputError
        If it is no HEALPix axis of the full sphere, or its frame is neither the spacecraft's nor
        galactic.
    """
    nside = getattr(axis, "nside", None)
    if nside is None:
        raise InputError(f"{path}: axis {axis.label} is no HEALPix axis.")
    if axis.nbins != 12 * nside**2:
        raise InputError(
            f"{path}: axis {axis.label} has {axis.nbins} of {12 * nside**2} pixels; the full "
            "sphere is needed."
        )
    frame = None if axis.coordsys is None else axis.coordsys.name
    frames = {None: None, "spacecraftframe": "local", "galactic": "galactic"}
    if frame not in frames:
        raise InputError(
            f"{path}: axis {axis.label} is in frame {frame!r}; allowed are 'spacecraftframe' and "
            "'galactic'."
        )
    return int(nside), str(axis.scheme).upper(), frames[frame]


def _read_space(histogram, path: str) -> DataSpace:
    axes = histogram.axes
    nside, ordering, frame = healpix_space(axes["PsiChi"], path)
    em_edges, phi_edges = (axis_edges(axes[name], path) for name in ("Em", "Phi"))
    return DataSpace(em_edges, phi_edges, nside, ordering, frame)


def _cut_time(histogram, interval: tuple[float, float] | None, path: str):
    """Histogram within the interval, and its time span."""
    edges = axis_edges(histogram.axes["Time"], path)
    interval = interval or (float(edges[0]), float(edges[-1]))
    first, last = (_find_stamp(edges, stamp, path) for stamp in interval)
    return histogram.slice[{"Time": slice(first, last)}], interval


def _find_stamp(edges: np.ndarray, stamp: float, path: str) -> int:
    found = np.flatnonzero(np.abs(edges - stamp) <= _TIME_ATOL)
    if found.size == 0:
        near = np.sort(edges[np.argsort(np.abs(edges - stamp))[:2]])
        raise InputError(
            f"{path}: {stamp:.6f} s is no edge of the time axis, which spans {edges[0]:.6f} to "
            f"{edges[-1]:.6f} s; the nearest edges are {near[0]:.6f} and {near[1]:.6f}: change "
            "`data.interval`, or bin the events anew."
        )
    return int(found[0])


def _project(histogram, path: str) -> np.ndarray:
    """Checked contents summed onto (Em, Phi, PsiChi), dense, without under- and overflow."""
    projected = histogram.project(["Em", "Phi", "PsiChi"])
    full, inside = _dense(projected.full_contents), _dense(projected.contents)
    _check_counts(inside, path)
    lost = float(np.nansum(full) - np.sum(inside))
    if lost > _SUM_RTOL * np.sum(inside):
        logger.info("%s: %g counts outside the axes (under- or overflow) are not used", path, lost)
    return inside


def _dense(contents) -> np.ndarray:
    contents = getattr(contents, "value", contents)
    contents = contents.todense() if hasattr(contents, "todense") else contents
    return np.asarray(contents, dtype=np.float64)


def _check_counts(counts: np.ndarray, path: str) -> None:
    bad = ~(np.isfinite(counts) & (counts >= 0))
    if bad.any():
        where = tuple(int(index) for index in np.argwhere(bad)[0])
        raise InputError(
            f"{path}: {int(bad.sum())} bins are negative or not finite, the first is (Em, Phi, "
            f"PsiChi) = {where} with {counts[where]}; counts must be finite and at least 0."
        )
    if not counts.any():
        raise InputError(f"{path}: all counts are 0 in the chosen time; there is nothing to fit.")
