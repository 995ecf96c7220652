"""From binned Compton data to a data set in cells: its time bins, which share the rows."""

import logging
from collections.abc import Iterator
from math import degrees, pi, sqrt
from typing import Any, NamedTuple

import numpy as np

from skyquilt.config.instrument_analysis import ComptonAnalysis
from skyquilt.config.time_bins import TimeBins
from skyquilt.errors import InputError
from skyquilt.instruments.channels import select_channels
from skyquilt.instruments.compton.cell_times import CellTimes, times_of
from skyquilt.instruments.compton.dataspace import DataSpace, check_same_space
from skyquilt.instruments.compton.histograms import (
    TimedCounts,
    read_time_axis,
    read_timed_counts,
)
from skyquilt.instruments.compton.measurement import (
    Measurement,
    make_measurement,
    read_measurement,
)
from skyquilt.instruments.compton.prepare import check_exposed, check_ring
from skyquilt.instruments.compton.response import Response, open_response
from skyquilt.instruments.compton.response_time import check_response_time
from skyquilt.instruments.compton.selection import Selection, select_bins
from skyquilt.instruments.least_counts import group_counts
from skyquilt.instruments.true_energy import check_covered
from skyquilt.problem.cells import CellData, Near
from skyquilt.problem.cells.table import CellTable
from skyquilt.problem.cells.whole import difference_angle
from skyquilt.problem.true_energy import TrueEnergy
from skyquilt.sky.healpix import ring_to_vec
from skyquilt.sky.pixels import nest_to_ring, nside_to_npix
from skyquilt.spectra.models import corners

logger = logging.getLogger(__name__)

_SAME_TIME = 1e-6  # [s]


class _Hits(NamedTuple):
    """Counts of the time bins in bins of the whole data space."""

    cell: np.ndarray
    flat: np.ndarray
    counts: np.ndarray


def make_cells(
    analysis: ComptonAnalysis,
    name: str,
    bins: TimeBins | None,
    near: Near | None = None,
    cache: str | None = None,
) -> CellData:
    """Build a data set in cells.

    Every file is read once, and the response holds what all cells share: another time bin adds its
    hits and attitude samples.

    Parameters
    ----------
    analysis : ComptonAnalysis
        The data set; borders of its spectrum cut the bins of true energy.
    name : str
        Its name.
    bins : TimeBins, optional
        Time bins; all of the time is one when left out.
    near : Near, optional
        Only rows that sources there need are kept; all when left out.
    cache : str, optional
        Folder that keeps the numbers of large orientation files.

    Raises
    ------
    InputError
        If files are damaged or do not fit each other, a time bin does not fit the time axis, or
        nothing is left to fit.
    """
    measurement, hits, times = _measure(analysis, bins, cache)
    with open_response(analysis.data.response) as response:
        space, path = measurement.space, measurement.path
        check_same_space(space, path, response.space, response.path)
        check_ring(response.ordering, analysis)
        whole = measurement._replace(span=times.base, is_cut=times.is_cut)
        check_response_time(analysis, whole, response.span)
        channels = select_channels(response.space.em_edges, analysis.energy, response.path)
        selection = select_bins(analysis, measurement, channels)
        row = _kept_rows(analysis, response, times, near)
        table = _read_table(analysis, response, selection, times, row)
    cell, column, counts = _columns(analysis, space, selection, hits)
    is_kept = ~selection.is_masked
    return CellData(
        name=name,
        frame="galactic",
        start=times.start,
        stop=times.stop,
        livetime=times.livetime,
        cell=cell,
        column=column,
        counts=counts,
        components=tuple(selection.backgrounds),
        background=np.stack([one[selection.hits] for one in selection.backgrounds.values()])
        * _fixed(analysis, times)[:, np.newaxis],
        background_total=np.array([one[is_kept].sum() for one in selection.backgrounds.values()])
        * _fixed(analysis, times),
        fraction=times.fraction,
        expectation=table,
        angle_deg=difference_angle(degrees(sqrt(pi / 3) / response.nside)),
        description=_describe(analysis, measurement, selection),
    )


def _measure(
    analysis: ComptonAnalysis, bins: TimeBins | None, cache: str | None
) -> tuple[Measurement, _Hits, CellTimes]:
    """Measurement of all time bins together, their hits and times."""
    if bins is None:
        measurement = read_measurement(analysis, cache)
        flat = np.flatnonzero(measurement.counts)
        hits = _Hits(np.zeros(flat.size, np.int64), flat, measurement.counts.ravel()[flat])
        return measurement, hits, times_of(analysis, measurement, None, measurement.span, cache)
    terms = _read_terms(analysis, bins)
    edges = terms[0].edges
    cut = analysis.data.model_copy(update={"interval": (float(edges[0]), float(edges[-1]))})
    asked = ComptonAnalysis(cut, analysis.energy, analysis.spectrum, analysis.shape, analysis.fit)
    measurement = make_measurement(asked, [one.together() for one in terms], cache)
    base = analysis.data.interval or terms[0].span
    times = times_of(analysis, measurement, edges, base, cache)
    return measurement, _join_hits(analysis, terms), times


def _read_terms(analysis: ComptonAnalysis, bins: TimeBins) -> list[TimedCounts]:
    """Counts of each term in the time bins."""
    data = analysis.data
    known = bins.fixed_edges()
    if known is not None:
        return [read_timed_counts(term.path, np.array(known)) for term in data.counts]
    terms = [read_timed_counts(term.path, _common_edges(analysis)) for term in data.counts]
    channels = select_channels(terms[0].space.em_edges, analysis.energy, terms[0].path)
    counts = np.zeros(len(terms[0].flat))
    for one in terms:
        size = int(np.prod(one.space.shape[1:]))
        for number, (flat, values) in enumerate(zip(one.flat, one.counts, strict=True)):
            chosen = (flat >= channels[0] * size) & (flat < channels[1] * size)
            counts[number] += values[chosen].sum()
    least = bins.counts or 1
    try:
        first = group_counts(counts, least)
    except ValueError as error:
        raise InputError(f"{terms[0].path}: time_bins.counts: {error}.") from error
    return [one.regroup(first) for one in terms]


def _common_edges(analysis: ComptonAnalysis) -> np.ndarray:
    """Edges that the time axes of all terms have, in the interval of the analysis."""
    data = analysis.data
    edges = read_time_axis(data.counts[0].path)
    for term in data.counts[1:]:
        other = read_time_axis(term.path)
        near = other[np.clip(np.searchsorted(other, edges - _SAME_TIME), 0, other.size - 1)]
        edges = edges[np.abs(near - edges) <= _SAME_TIME]
    if data.interval is not None:
        low, high = data.interval
        edges = edges[(edges >= low - _SAME_TIME) & (edges <= high + _SAME_TIME)]
    if edges.size < 2:
        raise InputError(
            f"{data.counts[0].path}: no time bin lies between common edges of the time axes of all "
            "counts (and in `data.interval`): bin the events anew."
        )
    return edges


def _join_hits(analysis: ComptonAnalysis, terms: list[TimedCounts]) -> _Hits:
    """Scaled counts of all terms."""
    parts = [
        (np.full(flat.size, number), flat, term.scale * counts)
        for term, one in zip(analysis.data.counts, terms, strict=True)
        for number, (flat, counts) in enumerate(zip(one.flat, one.counts, strict=True))
    ]
    return _Hits(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def _columns(
    analysis: ComptonAnalysis, space: DataSpace, selection: Selection, hits: _Hits
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cell, column and counts of all hits in the selected bins, in the order of cells."""
    first, stop = selection.channels
    size = int(np.prod(space.shape[1:]))
    channel, inner = np.divmod(hits.flat, size)
    chosen = (channel >= first) & (channel < stop)
    if analysis.energy.sum_channels:
        flat = inner[chosen]
    else:
        flat = (channel[chosen] - first) * size + inner[chosen]
    n_column = selection.hits.size
    column = np.minimum(np.searchsorted(selection.hits, flat), max(n_column - 1, 0))
    is_kept = selection.hits[column] == flat if n_column else np.zeros(flat.size, bool)
    index = hits.cell[chosen][is_kept] * max(n_column, 1) + column[is_kept]
    found, of_hit = np.unique(index, return_inverse=True)
    counts = np.bincount(of_hit, hits.counts[chosen][is_kept], found.size)
    cell, own = np.divmod(found, max(n_column, 1))
    return cell.astype(np.int64), own.astype(np.int64), counts


def _kept_rows(
    analysis: ComptonAnalysis, response: Response, times: CellTimes, near: Near | None
) -> np.ndarray:
    """Ring pixels of the rows that sources need, ascending."""
    n_row = nside_to_npix(response.nside)
    if near is None or len(near.directions) == 0:
        return np.arange(n_row)
    centre = ring_to_vec(response.nside, np.arange(n_row))
    source = near.in_frame("galactic")
    if times.attitude is not None:
        source = np.einsum("tij,sj->tsi", times.attitude.rotation, source).reshape(-1, 3)
    # the four neighbours of a direction are within two pixels of it
    angle = near.radius_deg + 2 * degrees(sqrt(4 * pi / n_row))
    if angle >= 180:
        return np.arange(n_row)
    is_near = np.zeros(n_row, bool)
    for part in np.array_split(np.unique(source.round(9), axis=0), len(source) // 1000 + 1):
        is_near |= np.any(centre @ part.T >= np.cos(np.radians(angle)), axis=1)
    logger.info(
        "%s: %d of %d rows are within %.6g deg of where sources start, and kept",
        *(response.path, np.count_nonzero(is_near), n_row, near.radius_deg),
    )
    return np.flatnonzero(is_near)


def _read_table(
    analysis: ComptonAnalysis,
    response: Response,
    selection: Selection,
    times: CellTimes,
    row: np.ndarray,
) -> CellTable:
    em_edges = response.space.em_edges
    measured = em_edges[selection.channels[0] : selection.channels[1] + 1]
    check_covered(response.path, response.ei_edges, measured)
    n_node = len(response.ei_edges) - 1
    rows = np.empty((n_node, row.size, selection.hits.size), np.float32)
    totals = np.empty((n_node, row.size))
    kept = np.flatnonzero(~selection.is_masked)
    for number, bins in _bins(response, selection, analysis, row):
        rows[:, number] = bins[:, selection.hits]
        totals[:, number] = bins[:, kept].sum(axis=1) if kept.size < bins.shape[1] else bins.sum(1)
    check_exposed(totals, response.path)
    attitude = times.attitude
    if attitude is None:
        samples = {"weight": times.exposure_share, "sample_cell": np.arange(times.start.size)}
        is_nearest = analysis.data.interpolation == "nearest"
    else:
        samples, is_nearest = {"sample_cell": times.sample_cell, **attitude._asdict()}, False
    axis = TrueEnergy.of_bins(response.ei_edges, [*corners(analysis.spectrum), *measured])
    how: dict[str, Any] = samples
    return CellTable(
        axis, row, rows, totals, response.nside, times.start.size, is_nearest=is_nearest, **how
    )


def _bins(
    response: Response, selection: Selection, analysis: ComptonAnalysis, row: np.ndarray
) -> Iterator[tuple[int, np.ndarray]]:
    """Number of each kept row, and a line of selected bins per bin of true energy."""
    scale = analysis.data.response_scale
    kept_row = np.full(response.n_rows, -1)
    stored = np.arange(response.n_rows)
    ring = nest_to_ring(response.nside, stored) if response.ordering == "NESTED" else stored
    kept_row[np.isin(ring, row)] = np.searchsorted(row, ring[np.isin(ring, row)])
    for start, block in response.blocks(slice(*selection.channels), kept_row >= 0):
        for index, one in enumerate(block, start):
            if kept_row[index] < 0:
                continue
            chosen = one.sum(axis=1, dtype=np.float64) if analysis.energy.sum_channels else one
            flat = chosen.reshape(len(chosen), -1).astype(np.float64, copy=False)
            yield int(kept_row[index]), flat if scale is None else flat * scale


def _fixed(analysis: ComptonAnalysis, times: CellTimes) -> np.ndarray:
    """Factors from the time that a fixed scale is of, to that of the time bins."""
    models = analysis.data.backgrounds().values()
    return np.array([1.0 if one.scale == "auto" else times.of_base for one in models])


def _describe(
    analysis: ComptonAnalysis, measurement: Measurement, selection: Selection
) -> dict[str, Any]:
    edges = measurement.space.em_edges[list(selection.channels)]
    return {
        "instrument": analysis.instrument,
        "energy_range_keV": tuple(map(float, edges)),
        "n_bins": int(selection.counts.size - selection.is_masked.sum()),
        "n_masked_bins": int(selection.is_masked.sum()),
        "n_masked_counts": float(selection.counts[selection.is_masked].sum()),
    }
