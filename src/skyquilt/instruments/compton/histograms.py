"""Binned data: histograms in the layout of histpy, cut in time, on the Compton data space."""

import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np

from skyquilt.errors import InputError, SkyquiltError
from skyquilt.instruments.compton.axes import Axis, axis_edges, healpix_space, read_axes, text
from skyquilt.instruments.compton.contents import project, project_each
from skyquilt.instruments.compton.dataspace import DataSpace
from skyquilt.instruments.compton.event_files.tra import refuse_tra
from skyquilt.instruments.compton.paths import check_file
from skyquilt.io.hdf5_file import open_to_read
from skyquilt.io.hdf5_seal import SEAL, is_sealed
from skyquilt.io.reading import describe

logger = logging.getLogger(__name__)

_TIME_ATOL = 1e-6  # [s] stamps near 2e9 s are exact to 2.4e-7 in float64
_KEPT = ["Em", "Phi", "PsiChi"]


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
    is_cut : bool
        Whether the histogram has more time than that.
    """

    path: str
    counts: np.ndarray
    space: DataSpace
    span: tuple[float, float] | None
    is_cut: bool = False


def read_counts(
    path: str, interval: tuple[float, float] | None, key: str = "data.interval"
) -> BinnedCounts:
    """Read a histogram and sum it over all axes but Em, Phi, PsiChi.

    Parameters
    ----------
    path : str
        HDF5 file written by histpy, group `hist`.
    interval : tuple of float or None
        Time interval to cut out [UNIX s]; both ends must be edges of the time axis. None is the
        whole axis, without its under- and overflow. Ignored for a histogram without one.
    key : str, optional
        Key of the configuration that gives the interval, for messages.

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
    with _open(path) as hist:
        axes = _read_axes(hist, path)
        span, cuts, is_cut = _cut_time(axes, interval, path, key)
        space = _read_space(axes, path)
        counts = _project(hist, axes, cuts, path)
    _check_counts(counts, path)
    return BinnedCounts(path, counts, space, span, is_cut)


@dataclass(frozen=True)
class TimedCounts:
    """Histograms on the Compton data space, one of each time bin.

    Attributes
    ----------
    path : str
        File they were read from.
    space : DataSpace
        The axes.
    edges : ndarray of float64, shape (n_bin + 1,)
        Edges of the time bins [UNIX s].
    span : tuple of float
        Time of the whole axis [UNIX s].
    flat : tuple of ndarray of int64
        Of each time bin the numbers of the bins with counts, in an array of the data space.
    counts : tuple of ndarray of float64
        Counts there.
    """

    path: str
    space: DataSpace
    edges: np.ndarray
    span: tuple[float, float]
    flat: tuple[np.ndarray, ...]
    counts: tuple[np.ndarray, ...]

    def together(self) -> BinnedCounts:
        """All time bins as one."""
        total = np.zeros(math.prod(self.space.shape))
        for flat, counts in zip(self.flat, self.counts, strict=True):
            np.add.at(total, flat, counts)
        span = float(self.edges[0]), float(self.edges[-1])
        shaped = total.reshape(self.space.shape)
        return BinnedCounts(self.path, shaped, self.space, span, span != self.span)

    def regroup(self, first: np.ndarray) -> "TimedCounts":
        """Time bins joined to groups, each from ``first[i]`` to ``first[i + 1]``."""
        groups = [slice(low, high) for low, high in pairwise(first)]
        return replace(
            self,
            edges=self.edges[first],
            flat=tuple(np.concatenate(self.flat[group]) for group in groups),
            counts=tuple(np.concatenate(self.counts[group]) for group in groups),
        )


def read_time_axis(path: str) -> np.ndarray:
    """Edges of the time axis of a histogram [UNIX s].

    Raises
    ------
    InputError
        If it has none, or the file is damaged.
    """
    with _open(path) as hist:
        return _time_edges(_read_axes(hist, path), path)


def check_time_bins(path: str, edges: Sequence[float]) -> None:
    """Check that time bins end at edges of the time axis of a histogram.

    Raises
    ------
    InputError
        If one does not, the histogram has no such axis, or the file is damaged.
    """
    own = read_time_axis(path)
    for edge in edges:
        _find_stamp(own, edge, path, "time_bins")


def read_timed_counts(path: str, edges: np.ndarray) -> TimedCounts:
    """Read a histogram in time bins, which are read once each.

    Parameters
    ----------
    path : str
        As of `read_counts`.
    edges : ndarray of float64, shape (n_bin + 1,)
        Edges of the time bins [UNIX s]; they must be edges of the time axis.

    Raises
    ------
    InputError
        As `read_counts`; also if there is no time axis.
    """
    flat, counts, lost = [], [], 0.0
    with _open(path) as hist:
        axes = _read_axes(hist, path)
        own = _time_edges(axes, path)
        found = [_find_stamp(own, edge, path, "time_bins") for edge in edges]
        space = _read_space(axes, path)
        cuts = [slice(first, last) for first, last in pairwise(found)]
        for inside, outside in project_each(hist, axes, _KEPT, "Time", cuts):
            _check_counts(inside, path)
            lost += outside
            flat.append(np.flatnonzero(inside))
            counts.append(inside.ravel()[flat[-1]])
    _tell_lost(lost, path)
    span = float(own[0]), float(own[-1])
    return TimedCounts(path, space, own[found], span, tuple(flat), tuple(counts))


def _time_edges(axes: dict[str, Axis], path: str) -> np.ndarray:
    if "Time" not in axes:
        raise InputError(
            f"{path}: has no axis Time, and time_bins cut the counts by it: bin the events with "
            "`time_edges` or `time_bin`, or take `time_bins` away."
        )
    return axis_edges(axes["Time"], path)


@contextmanager
def _open(path: str) -> Iterator[h5py.Group]:
    """Group `hist` of a file."""
    check_file(path, "a histogram")
    refuse_tra(path, "a histogram")
    try:
        with open_to_read(path) as file:
            if SEAL in file and not is_sealed(file, Path(path)):
                raise InputError(f"{path}: damaged: its checksum differs; bin the events again.")
            yield file["hist"]
    except SkyquiltError:
        raise
    except Exception as error:  # of many kinds
        raise InputError(
            f"{path}: cannot be read as a histogram of histpy (group 'hist'): {describe(error)}."
        ) from error


def _read_axes(hist: h5py.Group, path: str) -> dict[str, Axis]:
    """Axes of a histogram of counts."""
    unit = text(hist.attrs.get("unit", ""))
    if unit not in ("", "ct"):
        raise InputError(
            f"{path}: unit of the contents is {unit!r}; counts have none: multiply a rate by "
            "its time first."
        )
    axes = read_axes(hist["axes"])
    missing = [name for name in _KEPT if name not in axes]
    if missing:
        raise InputError(
            f"{path}: axes are {', '.join(axes)}; {', '.join(missing)} missing: bin the events in "
            "measured energy Em, Compton angle Phi and scattered direction PsiChi."
        )
    return axes


def _read_space(axes: dict[str, Axis], path: str) -> DataSpace:
    nside, ordering, frame = healpix_space(axes["PsiChi"], path)
    em_edges, phi_edges = (axis_edges(axes[name], path) for name in ("Em", "Phi"))
    return DataSpace(em_edges, phi_edges, nside, ordering, frame)


def _cut_time(
    axes: dict[str, Axis], interval: tuple[float, float] | None, path: str, key: str
) -> tuple[tuple[float, float] | None, dict[str, slice], bool]:
    """Time span, the range of time bins to use, and whether they are not all."""
    if "Time" not in axes:
        return None, {}, False
    edges = axis_edges(axes["Time"], path)
    if interval is None:
        interval = (float(edges[0]), float(edges[-1]))
    first, last = (_find_stamp(edges, stamp, path, key) for stamp in interval)
    return interval, {"Time": slice(first, last)}, (first, last) != (0, edges.size - 1)


def _find_stamp(edges: np.ndarray, stamp: float, path: str, key: str) -> int:
    found = np.flatnonzero(np.abs(edges - stamp) <= _TIME_ATOL)
    if found.size == 0:
        near = np.sort(edges[np.argsort(np.abs(edges - stamp))[:2]])
        raise InputError(
            f"{path}: {stamp:.6f} s is no edge of the time axis, which spans {edges[0]:.6f} to "
            f"{edges[-1]:.6f} s; the nearest edges are {near[0]:.6f} and {near[1]:.6f}: change "
            f"`{key}`, or bin the events anew."
        )
    return int(found[0])


def _project(
    hist: h5py.Group, axes: dict[str, Axis], cuts: dict[str, slice], path: str
) -> np.ndarray:
    """Contents summed onto (Em, Phi, PsiChi), dense, without under- and overflow."""
    counts, lost = project(hist, axes, _KEPT, cuts)
    _tell_lost(lost, path)
    return counts


def _tell_lost(lost: float, path: str) -> None:
    if lost:
        logger.info("%s: %g counts outside the axes (under- or overflow) are not used", path, lost)


def _check_counts(counts: np.ndarray, path: str) -> None:
    bad = ~(np.isfinite(counts) & (counts >= 0))
    if bad.any():
        where = tuple(int(index) for index in np.argwhere(bad)[0])
        raise InputError(
            f"{path}: {int(bad.sum())} bins are negative or not finite, the first is (Em, Phi, "
            f"PsiChi) = {where} with {counts[where]}; counts must be finite and at least 0."
        )
