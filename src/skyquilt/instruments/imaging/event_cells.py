"""Time bins of photons one by one: exposure and background in proportion to the good time."""

import logging
from itertools import pairwise

import numpy as np

from skyquilt.config.imaging import EventList
from skyquilt.config.instrument_analysis import ImagingAnalysis
from skyquilt.config.time_bins import TimeBins
from skyquilt.errors import InputError
from skyquilt.instruments.imaging.event_problem import make_problem_of_events
from skyquilt.instruments.imaging.events import ImagingEvents
from skyquilt.instruments.imaging.good_times import GoodTimes
from skyquilt.instruments.least_counts import group_counts
from skyquilt.problem.cells import CellData
from skyquilt.problem.cells.whole import in_cells

logger = logging.getLogger(__name__)


def make_event_cells(
    analysis: ImagingAnalysis, section: EventList, name: str, bins: TimeBins
) -> CellData:
    """Build a data set in cells of an event list, which is read once.

    Parameters
    ----------
    analysis : ImagingAnalysis
        The data set.
    section : EventList
        Section `events` of its data.
    name : str
        Its name.
    bins : TimeBins
        Time bins.

    Raises
    ------
    InputError
        If a file is damaged or has no good times, files do not fit each other, or no good time is
        in the bins.
    """
    known = bins.fixed_edges()
    if known is not None:
        data = analysis.data.model_copy(update={"interval": (known[0], known[-1])})
        analysis = ImagingAnalysis(
            data, analysis.energy, analysis.spectrum, analysis.shape, analysis.fit
        )
    problem, events = make_problem_of_events(analysis, section, true_energy=True)
    good, time = _times(events)
    if known is not None:
        ends = good.clock.from_unix(np.array(known)) if good.clock else np.array(known)
    else:
        ends = _edges_by_counts(time, good, bins.counts or 1, events.path)
    livetime = np.array([good.cut(np.array([span])).total for span in pairwise(ends)])
    fraction = livetime / livetime.sum()
    if n_dead := int(np.count_nonzero(livetime == 0)):
        logger.warning(
            "%s: %d of %d time bins have no good time", events.path, n_dead, fraction.size
        )
    logger.info(
        "%s: exposure and background of %d time bins are taken in proportion to their good times, "
        "%.6g s in all",
        *(events.path, fraction.size, livetime.sum()),
    )
    cell = np.clip(np.searchsorted(ends, time, side="right") - 1, 0, fraction.size - 1)
    unix = np.array(known) if known is not None else _to_unix(good, ends)
    what = f"data set {name}" if name else "the data"
    return in_cells(problem, name, (unix[:-1], unix[1:]), livetime, fraction, cell, what)


def _times(events: ImagingEvents) -> tuple[GoodTimes, np.ndarray]:
    if events.good is None or events.time is None or not np.isfinite(events.good.total):
        raise InputError(
            f"{events.path}: its good times are not known (no table GTI), so that the exposure of "
            "time_bins is not known either: add the table, or take `time_bins` away."
        )
    if events.good.clock is None:
        raise InputError(
            f"{events.path}: what its times count from is not known (no MJDREF, or MJDREFI and "
            "MJDREFF), but time_bins are in UNIX s: mend the header."
        )
    return events.good, events.time


def _to_unix(good: GoodTimes, ends: np.ndarray) -> np.ndarray:
    return ends if good.clock is None else good.clock.to_unix(ends)


def _edges_by_counts(time: np.ndarray, good: GoodTimes, least: int, path: str) -> np.ndarray:
    """Edges midway between events, so that each bin has some least number of them."""
    time = np.sort(time)
    try:
        first = group_counts(np.ones(time.size), least)
    except ValueError as error:
        raise InputError(f"{path}: time_bins.counts: {error}.") from error
    inner = (time[first[1:-1] - 1] + time[first[1:-1]]) / 2
    edges = np.array([good.start[0], *inner, good.stop[-1]])
    if np.any(np.diff(edges) <= 0):
        raise InputError(
            f"{path}: time_bins.counts: more than {least} events come at one time: give `edges`."
        )
    return edges
