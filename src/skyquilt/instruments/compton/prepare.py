"""From binned Compton data and a contracted response to a fit problem."""

from collections.abc import Iterator
from math import degrees, pi, sqrt
from typing import Any, cast

import numpy as np

from skyquilt.config.instrument_analysis import ComptonAnalysis
from skyquilt.errors import InputError
from skyquilt.instruments.backgrounds import background_spectra, describe_scales
from skyquilt.instruments.bands import group_channels, make_bands
from skyquilt.instruments.compton.dataspace import check_same_space
from skyquilt.instruments.compton.measurement import Measurement
from skyquilt.instruments.compton.orientation import Attitude, Orientation, cut_attitude
from skyquilt.instruments.compton.selection import (
    Selection,
    keep_all_bins,
    keep_empty_bins,
    select_bins,
)
from skyquilt.instruments.compton.table import ResponseTable
from skyquilt.instruments.compton.true_energy import read_table_nodes
from skyquilt.problem import CountsSpectrum, Description, FitProblem, LocalTable, SkyTable
from skyquilt.problem.backgrounds import BackgroundComponent
from skyquilt.problem.bands import Bands
from skyquilt.problem.empty_bins import fill_background
from skyquilt.spectra import describe, integrate


class _HitColumns:
    """Columns of a mapped table, row by row, without the whole in memory."""

    def __init__(self, rows: np.ndarray, columns: np.ndarray, scale: float | None):
        self._rows, self._columns, self._scale = rows, columns, scale
        self.shape = (rows.shape[0], columns.size)

    def __iter__(self) -> Iterator[np.ndarray]:
        for row in self._rows:
            part = row[self._columns]
            yield (
                part if self._scale is None else (part * np.float64(self._scale)).astype(row.dtype)
            )


def make_problem(
    analysis: ComptonAnalysis,
    measurement: Measurement,
    table: ResponseTable,
    *,
    all_bins: bool = False,
    true_energy: bool = False,
) -> FitProblem:
    """Build the fit problem of an analysis.

    Parameters
    ----------
    analysis : ComptonAnalysis
        The selections; where it fits fluxes below zero, bins without counts are kept, for they
        bound them.
    measurement : Measurement
        Counts, background and orientation.
    table : ResponseTable
        Contracted response of this analysis.
    all_bins : bool
        Keep the bins without counts as well, except where no background is expected: a source
        may have counts there, but they could not be fitted.
    true_energy : bool
        Keep rows per bin of true energy as well, so that spectra may vary.

    Returns
    -------
    FitProblem
        The rows of its expectation are read from the table as they are written.

    Raises
    ------
    InputError
        If response and data do not fit each other, or nothing is left to fit.
    """
    check_same_space(measurement.space, measurement.path, table.space, analysis.data.response)
    check_exposed(table.totals, analysis.data.response)
    check_ring(table.ordering, analysis)
    selection = select_bins(analysis, measurement, table.channels)
    if all_bins:
        selection = keep_all_bins(selection)
    elif analysis.fit.allow_negative:
        selection = keep_empty_bins(selection)
    counts, is_masked, hits = selection.counts, selection.is_masked, selection.hits
    edges = measurement.space.em_edges[list(table.channels)]
    bands, of_bin = _bands(analysis, measurement, table, hits)
    backgrounds = _backgrounds(selection, measurement, bands, of_bin)
    expected = {one.name: float(one.totals.sum()) for one in backgrounds}
    return FitProblem(
        counts=counts[hits],
        background=fill_background(selection.background[hits]),
        expectation=_expectation(analysis, measurement, table, selection, true_energy),
        frame="galactic",
        photon_flux=float(integrate(analysis.spectrum, edges)[0]),
        description=Description(
            instrument=analysis.instrument,
            spectrum=describe(analysis.spectrum),
            energy_range_keV=(float(edges[0]), float(edges[1])),
            **describe_scales(expected, measurement.scales),
            n_bins=int(counts.size - is_masked.sum()),
            n_masked_bins=int(is_masked.sum()),
            n_masked_counts=float(counts[is_masked].sum()),
            time_span=time_span(measurement),
            response_pixel_deg=degrees(sqrt(pi / 3) / table.nside),
        ),
        counts_spectra={"": _counts_spectrum(measurement, table)},
        background_total=float(selection.background[~is_masked].sum()),
        known_bands=bands,
        known_backgrounds=backgrounds,
    )


def _backgrounds(
    selection: Selection, measurement: Measurement, bands: Bands, of_bin: np.ndarray
) -> tuple[BackgroundComponent, ...]:
    return tuple(
        BackgroundComponent(
            name,
            "",
            0,
            values[selection.hits],
            np.bincount(of_bin, np.where(selection.is_masked, 0, values), bands.n_band),
            measurement.scales[name].factor,
        )
        for name, values in selection.backgrounds.items()
    )


def _bands(
    analysis: ComptonAnalysis, measurement: Measurement, table: ResponseTable, hits: np.ndarray
) -> tuple[Bands, np.ndarray]:
    """Bands of the selected channels, and the band of each selected bin."""
    first, stop = table.channels
    edges = measurement.space.em_edges[first : stop + 1]
    band_edges, of_channel = group_channels(edges, analysis.energy, measurement.path)
    n_channel = 1 if analysis.energy.sum_channels else stop - first
    of_total = of_channel[:n_channel]
    of_bin = np.repeat(of_total, table.rows.shape[1] // n_channel)
    return make_bands(analysis.spectrum, band_edges, of_bin[hits], of_total), of_bin


def make_attitude(analysis: ComptonAnalysis, measurement: Measurement) -> Attitude | None:
    """Attitude samples of an analysis in the local frame; None in the galactic one.

    Raises
    ------
    InputError
        If the orientation file does not cover the time of the counts, or Earth occultation is
        asked for and the file has no altitudes.
    """
    orientation, span = measurement.orientation, time_span(measurement)
    if analysis.data.frame == "galactic" or orientation is None or span is None:
        return None  # in the local frame there is one
    return attitude_in(analysis, orientation, span)


def attitude_in(
    analysis: ComptonAnalysis, orientation: Orientation, span: tuple[float, float]
) -> Attitude:
    """Attitude samples of a time, with the Earth where the analysis asks for it.

    Raises
    ------
    InputError
        As `make_attitude`.
    """
    attitude = cut_attitude(orientation, *span, analysis.data.time_weights)
    if not analysis.data.earth_occultation:
        return attitude._replace(zenith=None, horizon_cos=None)
    if not orientation.has_earth():
        raise InputError(
            f"{orientation.path}: altitude 0 or missing, so the Earth's position is not known: use "
            "a file with altitudes, or `earth_occultation: false`."
        )
    return attitude


def _expectation(
    analysis: ComptonAnalysis,
    measurement: Measurement,
    table: ResponseTable,
    selection: Selection,
    true_energy: bool,
) -> LocalTable | SkyTable:
    scale = analysis.data.response_scale
    # not an array, but what `write_problem` takes for one: it has a shape and gives its rows
    rows = cast("np.ndarray", _HitColumns(table.rows, selection.hits, scale))
    totals, row_bands = _unmasked_totals(table, selection.is_masked)
    if scale is not None:
        totals, row_bands = totals * scale, row_bands * scale
    kept: dict[str, Any] = {
        "row_bands": row_bands,
        "by_energy": read_table_nodes(analysis, selection, scale) if true_energy else None,
    }
    attitude = make_attitude(analysis, measurement)
    if attitude is None:
        interpolation = analysis.data.interpolation
        return SkyTable(rows, totals, table.nside, table.ordering, interpolation, **kept)
    return LocalTable(rows, totals, table.nside, *attitude, **kept)


def time_span(measurement: Measurement) -> tuple[float, float] | None:
    """Time of the counts, or else of the orientation file [UNIX s]; None if neither is known."""
    if measurement.span is not None or measurement.orientation is None:
        return measurement.span
    return float(measurement.orientation.time[0]), float(measurement.orientation.time[-1])


def _unmasked_totals(table: ResponseTable, is_masked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Totals over the bins that stay in the likelihood, and those of each channel."""
    if not is_masked.any():
        return table.totals, table.channel_totals
    kept, totals = np.flatnonzero(~is_masked), np.empty_like(table.totals)
    channel_totals = np.empty_like(table.channel_totals)
    n_channel = channel_totals.shape[1]
    channel = kept // (len(is_masked) // n_channel)
    for number, row in enumerate(table.rows):
        totals[number] = row[kept].sum(dtype=np.float64)
        channel_totals[number] = np.bincount(channel, row[kept], minlength=n_channel)
    return totals, channel_totals


def check_ring(ordering: str | None, analysis: ComptonAnalysis) -> None:
    """Refuse a detector response whose directions are not in RING ordering.

    Raises
    ------
    InputError
        If they are not.
    """
    if analysis.data.frame == "local" and ordering != "RING":
        raise InputError(
            f"{analysis.data.response}: NuLambda is in {ordering} ordering; a detector response "
            "must be in RING ordering."
        )


def check_exposed(totals: np.ndarray, path: str) -> None:
    """Refuse a response that sees nothing.

    Parameters
    ----------
    totals : ndarray of float64
        Expected counts for unit flux in each direction.
    path : str
        The response.

    Raises
    ------
    InputError
        If all are 0.
    """
    if not np.any(totals):
        raise InputError(
            f"{path}: is 0 in all directions in the energy channels of the analysis; choose others "
            "by `energy`, or another response."
        )


def _counts_spectrum(measurement: Measurement, table: ResponseTable) -> CountsSpectrum:
    """Counts per measured energy, all channels."""
    counts = {"data": measurement.counts, **measurement.terms}
    by_channel = {label: values.sum(axis=(1, 2)) for label, values in counts.items()}
    n_channel = measurement.space.shape[0]
    by_channel |= background_spectra(
        {name: values.reshape(n_channel, -1).T for name, values in measurement.backgrounds.items()}
    )
    channel = np.arange(n_channel)
    return CountsSpectrum(
        measurement.space.em_edges,
        (channel >= table.channels[0]) & (channel < table.channels[1]),
        by_channel,
    )
