"""Livetime and attitude of the time bins of a Compton telescope."""

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from skyquilt.config.instrument_analysis import ComptonAnalysis
from skyquilt.errors import InputError
from skyquilt.instruments.compton.measurement import Measurement
from skyquilt.instruments.compton.orientation import Attitude, Orientation, get_livetimes
from skyquilt.instruments.compton.orientation_files import read_orientation
from skyquilt.instruments.compton.prepare import attitude_in, time_span

logger = logging.getLogger(__name__)


class CellTimes(NamedTuple):
    """Times of cells.

    Attributes
    ----------
    start, stop : ndarray of float64, shape (n_cell,)
        Each cell [UNIX s]; NaN where not known.
    livetime : ndarray of float64, shape (n_cell,)
        Its livetime, or duration where that is not known [s].
    fraction : ndarray of float64, shape (n_cell,)
        Its part of the livetime of all cells.
    exposure_share : ndarray of float64, shape (n_cell,)
        Its part of the livetime of the exposure of a galactic response.
    of_base : float
        Part of the livetime of all data that the cells have.
    base : tuple of float or None
        Time of all data [UNIX s]: the interval of the analysis, or the time axis.
    is_cut : bool
        Whether the analysis cuts them out of a longer time.
    attitude : Attitude or None
        Attitude samples of all cells, one after the other; None in the galactic frame.
    sample_cell : ndarray of int64, shape (n_sample,)
        Cell of each sample.
    """

    start: np.ndarray
    stop: np.ndarray
    livetime: np.ndarray
    fraction: np.ndarray
    exposure_share: np.ndarray
    of_base: float
    base: tuple[float, float] | None
    is_cut: bool
    attitude: Attitude | None
    sample_cell: np.ndarray


def times_of(
    analysis: ComptonAnalysis,
    measurement: Measurement,
    edges: np.ndarray | None,
    base: tuple[float, float] | None,
    cache: str | None = None,
) -> CellTimes:
    """Times of the cells of a data set.

    Parameters
    ----------
    analysis : ComptonAnalysis
        The data set.
    measurement : Measurement
        All cells together.
    edges : ndarray of float64, shape (n_cell + 1,), optional
        Edges of the time bins [UNIX s]; one cell of all when left out.
    base : tuple of float or None
        Time of all data.
    cache : str, optional
        Folder that keeps the numbers of large orientation files.

    Raises
    ------
    InputError
        If the orientation file does not cover the bins, or none has livetime.
    """
    if edges is None:
        span = time_span(measurement)
        edges = np.array(span or (np.nan, np.nan))
    start, stop = edges[:-1], edges[1:]
    orientation = measurement.orientation
    ends = zip(start, stop, strict=True)
    livetime = np.array([_livetime(analysis, orientation, *each) for each in ends])
    total = float(livetime.sum())
    if total == 0:
        raise InputError(
            f"{analysis.data.orientation}: no livetime between {start[0]:.6f} and {stop[-1]:.6f} "
            "s; choose other time_bins, or `time_weights: elapsed` if livetimes are not filled in."
        )
    if n_dead := int(np.count_nonzero(livetime == 0)):
        logger.warning("%d of %d time bins have no livetime: they stay empty", n_dead, start.size)
    fraction = livetime / total if np.isfinite(total) else np.ones(1)
    of_base = 1.0
    if base is not None and np.isfinite(total) and _is_of_base(analysis):
        bins = float(edges[0]), float(edges[-1])
        of_base = total / _base_livetime(analysis, orientation, base, bins, cache)
    attitude, sample_cell = _attitude(analysis, orientation, edges, livetime)
    if attitude is None and (start.size > 1 or of_base != 1):
        logger.info(
            "exposure of %s is taken in proportion to the livetime: %.6g of it for all time bins",
            *(analysis.data.response, of_base),
        )
    return CellTimes(
        *(start, stop, livetime, fraction, fraction * of_base, of_base, base, measurement.is_cut),
        *(attitude, sample_cell),
    )


def _is_of_base(analysis: ComptonAnalysis) -> bool:
    """Whether something is of the time of all data: an exposure, or a factor that is given."""
    models = analysis.data.backgrounds().values()
    return analysis.data.frame == "galactic" or any(one.scale != "auto" for one in models)


def _base_livetime(
    analysis: ComptonAnalysis,
    orientation: Orientation | None,
    base: tuple[float, float],
    bins: tuple[float, float],
    cache: str | None,
) -> float:
    """Livetime of all data [s]; the orientation file is read again where they are longer."""
    path = analysis.data.orientation
    if path is not None and not bins[0] <= base[0] < base[1] <= bins[1]:
        orientation = read_orientation(path, base, None, cache)
    return _livetime(analysis, orientation, *base)


def _livetime(
    analysis: ComptonAnalysis, orientation: Orientation | None, start: float, stop: float
) -> float:
    """Livetime of a time [s]; its duration where there are none, or it is asked for."""
    if orientation is None or not np.isfinite(start):
        return stop - start
    if analysis.data.time_weights == "elapsed":
        return orientation.time_between(start, stop)
    get_livetimes(orientation)
    return orientation.livetime_between(start, stop, " of time_bins")


def _attitude(
    analysis: ComptonAnalysis,
    orientation: Orientation | None,
    edges: np.ndarray,
    livetime: np.ndarray,
) -> tuple[Attitude | None, np.ndarray]:
    """Attitude samples of all cells that have livetime, and the cell of each."""
    if analysis.data.frame == "galactic" or orientation is None:
        return None, np.arange(livetime.size)
    live = np.flatnonzero(livetime > 0)
    parts = [
        attitude_in(analysis, orientation, (float(edges[cell]), float(edges[cell + 1])))
        for cell in live
    ]
    sizes = [len(one.weight) for one in parts]
    how: Any = [_join(each) for each in zip(*parts, strict=True)]
    return Attitude(*how), np.repeat(live, sizes).astype(np.int64)


def _join(parts: Sequence[np.ndarray | None]) -> np.ndarray | None:
    known = [part for part in parts if part is not None]
    return np.concatenate(known) if known else None
