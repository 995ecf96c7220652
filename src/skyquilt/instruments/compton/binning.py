"""Bin unbinned events into a histogram over time and the Compton data space."""

import logging
import math
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from skyquilt.config.binning import Binning
from skyquilt.config.units import to_value
from skyquilt.errors import InputError
from skyquilt.instruments.compton.cell_counts import make_counts
from skyquilt.instruments.compton.event_files import NO_POINTING, Pointing
from skyquilt.instruments.compton.events import EventFile, Events, open_events
from skyquilt.instruments.compton.orientation_files import read_orientation
from skyquilt.instruments.compton.sparse_histogram import write_sparse_counts
from skyquilt.io.hdf5 import new_hdf5
from skyquilt.io.provenance import Provenance
from skyquilt.io.schema import Schema

logger = logging.getLogger(__name__)

# 1.0  first version
# 2.0  sealed: all but the values has a checksum, too
SCHEMA = Schema("skyquilt/histogram", "2.0", "skyquilt bin-events")

_PROGRESS_S = 10.0
_COORDSYS = {"local": "spacecraftframe", "galactic": "galactic"}


class BinEdges(NamedTuple):
    """Edges of the bins; the lower edge belongs to a bin, the upper one does not.

    Attributes
    ----------
    time : ndarray of float64
        Edges [UNIX s].
    energy : ndarray of float64
        Edges [keV].
    phi : ndarray of float64
        Edges [deg].
    nside : int
        Resolution of PsiChi, ordering RING.
    """

    time: np.ndarray
    energy: np.ndarray
    phi: np.ndarray
    nside: int

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Number of bins in Time, Em, Phi and PsiChi."""
        n_time, n_energy, n_phi = (len(one) - 1 for one in (self.time, self.energy, self.phi))
        return n_time, n_energy, n_phi, 12 * self.nside**2


class BinSummary(NamedTuple):
    """What became of the events of a file.

    Attributes
    ----------
    n_events : int
        Events in the file.
    n_binned : int
        Events in the histogram.
    dropped : dict of str to int
        Number of the others by reason; an event counts for the first that applies.
    """

    n_events: int
    n_binned: int
    dropped: dict[str, int]


def bin_events(
    config: Binning, answers: dict[str, Any] | None = None, cache: str | None = None
) -> BinSummary:
    """Bin a file of events, block by block.

    The histogram has the axes Time, Em, Phi and PsiChi as cosipy's `BinnedData` makes them,
    sparse, float64. Memory is that of a few blocks and 8 bytes per cell or per event,
    whichever are fewer.

    Parameters
    ----------
    config : Binning
        Section of `binning`: events, bins, and the histogram to write.
    answers : dict, optional
        What the histogram follows from, see `skyquilt.io.answers`.
    cache : str, optional
        Folder that keeps the numbers of large orientation files.

    Returns
    -------
    BinSummary
        Number of events binned and dropped.

    Raises
    ------
    InputError
        If the event file is not usable (see `open_events`) or no event falls in the bins.
    OutputError
        If the histogram cannot be written.
    """
    grid = make_grid(config)
    settings = config.model_dump()
    provenance = Provenance("bin-events", settings, config.paths(), answers=answers or {})
    with (
        new_hdf5(config.output, SCHEMA, provenance) as file,
        open_events(
            config.events,
            config.frame,
            pointing=_pointing(config, grid, cache),
            may_be_small="radians" in config.accept,
        ) as events,
    ):
        counts = make_counts(math.prod(grid.shape), events.n_events)
        dropped: Counter[str] = Counter()
        for block in _with_progress(config.events, events):
            counts.add(find_cells(block, grid, dropped))
        dropped += events.dropped
        summary = _summarise(config.events, events.n_events, dropped)
        write_sparse_counts(file, _axes(grid, config.frame), counts.blocks())
    return summary


def _pointing(config: Binning, grid: BinEdges, cache: str | None) -> Pointing:
    """Attitude for event lists that have none, in the time of the histogram."""
    if config.orientation is None:
        return NO_POINTING
    span = float(grid.time[0]), float(grid.time[-1])
    return Pointing(read_orientation(config.orientation, span, cache=cache), span)


def make_grid(config: Binning) -> BinEdges:
    """Bin edges of a section of `binning`."""
    if config.time_bin is not None and config.interval is not None:
        start, stop = config.interval
        n_bins = round((stop - start) / to_value(config.time_bin, "s"))
        times = np.linspace(start, stop, n_bins + 1)
    else:
        times = np.array(config.time_edges)
    energies = np.array([to_value(edge, "keV") for edge in config.energy_edges])
    n_phi = round(180 / to_value(config.phi_width, "deg"))
    return BinEdges(times, energies, np.linspace(0, 180, n_phi + 1), config.nside)


def find_cells(events: Events, grid: BinEdges, dropped: Counter[str]) -> np.ndarray:
    """Flat index of the cell of each event inside the grid.

    Parameters
    ----------
    events : Events
        Events of any number.
    grid : BinEdges
        Bins.
    dropped : Counter
        Number of events left out by reason; is added to.

    Returns
    -------
    ndarray of int64, shape (n_inside,)
        Index into (Time, Em, Phi, PsiChi), C order.
    """
    import healpy

    events = _select(events, np.isfinite(events.phi), "without Compton angle", dropped)
    events = _select(events, _is_inside(events.time, grid.time), "outside time edges", dropped)
    events = _select(
        events, _is_inside(events.energy, grid.energy), "outside energy edges", dropped
    )
    events = _select(events, _is_inside(events.phi, grid.phi), "Compton angle of 180 deg", dropped)
    bins = (
        _find_bin(events.time, grid.time),
        _find_bin(events.energy, grid.energy),
        _find_bin(events.phi, grid.phi),
        healpy.ang2pix(grid.nside, events.lon, events.lat, lonlat=True),
    )
    return np.ravel_multi_index(bins, grid.shape)


def _select(events: Events, is_kept: np.ndarray, reason: str, dropped: Counter[str]) -> Events:
    dropped[reason] += int(np.count_nonzero(~is_kept))
    return Events(*(values[is_kept] for values in events))


def _is_inside(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return (values >= edges[0]) & (values < edges[-1])


def _find_bin(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.searchsorted(edges, values, side="right") - 1


def _axes(grid: BinEdges, frame: str):
    """Axes as cosipy's `BinnedData` labels them (linear scale also for the energies)."""
    import scoords  # noqa: F401  registers the frame `spacecraftframe`
    from astropy import units as u
    from histpy import Axes, Axis, HealpixAxis

    return Axes(
        [
            Axis(grid.time * u.s, label="Time"),
            Axis(grid.energy * u.keV, label="Em"),
            Axis(grid.phi * u.deg, label="Phi"),
            HealpixAxis(nside=grid.nside, scheme="ring", coordsys=_COORDSYS[frame], label="PsiChi"),
        ]
    )


def _summarise(path: str, n_events: int, dropped: Counter[str]) -> BinSummary:
    """Log what became of the events; refuse a histogram without any."""
    summary = BinSummary(n_events, n_events - dropped.total(), dict(dropped))
    reasons = ", ".join(f"{number} {reason}" for reason, number in dropped.items() if number)
    if summary.n_binned == 0:
        raise InputError(
            f"{path}: none of {n_events} events falls in the bins; dropped: "
            f"{reasons or 'none'}. Check time and energy edges against the file."
        )
    logger.info(
        "%s: %d of %d events binned; dropped: %s",
        path,
        summary.n_binned,
        n_events,
        reasons or "none",
    )
    return summary


def _with_progress(path: str, events: EventFile) -> Iterator[Events]:
    """Yield the blocks, and log events done, their rate and the time left now and then."""
    start = last = time.monotonic()
    n_done = 0
    for block in events.blocks:
        yield block
        n_done += block.time.size
        now = time.monotonic()
        if now - last >= _PROGRESS_S:
            last = now
            rate = n_done / (now - start)
            left = (events.n_events - n_done) / rate
            message = "%s: %d/%d events, %.3g events/s, %.0f s left"
            logger.info(message, path, n_done, events.n_events, rate, left)
