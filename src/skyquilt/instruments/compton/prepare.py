"""From binned Compton data and a contracted response to a fit problem."""

import logging
from collections.abc import Iterator

import numpy as np

from skyquilt.config.analysis import Analysis
from skyquilt.errors import InputError
from skyquilt.instruments.compton.dataspace import check_same_space
from skyquilt.instruments.compton.measurement import Measurement, read_measurement
from skyquilt.instruments.compton.orientation import Orientation, cut_attitude
from skyquilt.instruments.compton.table import ResponseTable
from skyquilt.problem import CountsSpectrum, Description, FitProblem, LocalTable, SkyTable
from skyquilt.spectra import describe, integrate

logger = logging.getLogger(__name__)
_N_NAMED = 5  # bins named in a message


class _HitColumns:
    """Columns of a mapped table, row by row, without the whole in memory."""

    def __init__(self, rows: np.ndarray, columns: np.ndarray):
        self._rows, self._columns = rows, columns
        self.shape = (rows.shape[0], columns.size)

    def __iter__(self) -> Iterator[np.ndarray]:
        for row in self._rows:
            yield row[self._columns]


def make_problem(analysis: Analysis, table: ResponseTable) -> FitProblem:
    """Build the fit problem of an analysis.

    Parameters
    ----------
    analysis : Analysis
        Names the files and the selections.
    table : ResponseTable
        Contracted response of this analysis.

    Returns
    -------
    FitProblem
        The rows of its expectation are read from the table as they are written.

    Raises
    ------
    InputError
        If files are damaged or do not fit each other, or nothing is left to fit.
    """
    measurement = read_measurement(analysis)
    check_same_space(measurement.space, measurement.path, table.space, analysis.data.response)
    counts = _select(sum(measurement.terms.values()), analysis, table)
    background = _select(measurement.background, analysis, table)
    _check_any(counts, analysis, table)
    is_masked = _zero_background(counts, background, analysis, measurement, table)
    hits = np.flatnonzero((counts > 0) & ~is_masked)
    if hits.size == 0:
        raise InputError(f"{measurement.path}: all counts lie in bins without background.")
    edges = measurement.space.em_edges[list(table.channels)]
    return FitProblem(
        counts=counts[hits],
        background=background[hits],
        expectation=_expectation(analysis, table, measurement, hits, is_masked),
        frame="galactic",
        photon_flux=float(integrate(analysis.spectrum, edges)[0]),
        description=Description(
            instrument=analysis.instrument,
            spectrum=describe(analysis.spectrum),
            energy_range_keV=(float(edges[0]), float(edges[1])),
            background_scale=measurement.scale.factor,
            background_scale_from=measurement.scale.source,
            n_bins=int(counts.size - is_masked.sum()),
            n_masked_bins=int(is_masked.sum()),
            n_masked_counts=float(counts[is_masked].sum()),
        ),
        counts_spectrum=_counts_spectrum(measurement, table),
    )


def _select(values: np.ndarray, analysis: Analysis, table: ResponseTable) -> np.ndarray:
    """Flat values of the selected channels, in the order of the table's columns."""
    selected = values[slice(*table.channels)]
    return (selected.sum(axis=0) if analysis.energy.sum_channels else selected).ravel()


def _check_any(counts: np.ndarray, analysis: Analysis, table: ResponseTable) -> None:
    if not counts.any():
        names = ", ".join(term.path for term in analysis.data.counts)
        first, last = table.channels
        raise InputError(
            f"{names}: no counts in the energy channels [{first}, {last}); widen `energy`."
        )


def _zero_background(
    counts: np.ndarray,
    background: np.ndarray,
    analysis: Analysis,
    measurement: Measurement,
    table: ResponseTable,
) -> np.ndarray:
    """Bins to leave out; refuses when the analysis does not allow that."""
    is_zero = background == 0
    lost = np.flatnonzero(is_zero & (counts > 0))
    if analysis.data.zero_background == "refuse":
        if lost.size:
            first = _bin_names(lost[:_N_NAMED], measurement, table)
            raise InputError(
                f"{analysis.data.background.path}: {lost.size} bins have counts "
                f"({counts[lost].sum():g} of {counts.sum():g}) but no background, the first at "
                f"(channel, Phi, PsiChi) = {first}; give a background model "
                "that is above zero there, or set `data.zero_background: mask`."
            )
        return np.zeros(counts.size, dtype=bool)
    logger.info(
        "%d bins without background masked, with %g of %g counts",
        is_zero.sum(),
        counts[is_zero].sum(),
        counts.sum(),
    )
    return is_zero


def _bin_names(bins: np.ndarray, measurement: Measurement, table: ResponseTable) -> str:
    """Channel (the first one of a sum), Phi and PsiChi of flat bins."""
    channel, phi, psichi = np.unravel_index(bins, measurement.space.shape)
    indices = zip(channel + table.channels[0], phi, psichi, strict=True)
    return ", ".join(str(tuple(map(int, index))) for index in indices)


def _expectation(
    analysis: Analysis,
    table: ResponseTable,
    measurement: Measurement,
    hits: np.ndarray,
    is_masked: np.ndarray,
) -> LocalTable | SkyTable:
    rows, totals = _HitColumns(table.rows, hits), _unmasked_totals(table, is_masked)
    if analysis.data.frame == "galactic":
        interpolation = analysis.data.interpolation
        return SkyTable(rows, totals, table.nside, table.ordering, interpolation)
    _check_ring(table)
    orientation = measurement.orientation
    start, stop = measurement.span or (orientation.time[0], orientation.time[-1])
    attitude = cut_attitude(orientation, start, stop, analysis.data.time_weights)
    earth = {}
    if analysis.data.earth_occultation:
        _check_earth(orientation)
        earth = {"zenith": attitude.zenith, "horizon_cos": attitude.horizon_cos}
    return LocalTable(rows, totals, table.nside, attitude.rotation, attitude.weight, **earth)


def _unmasked_totals(table: ResponseTable, is_masked: np.ndarray) -> np.ndarray:
    """Totals over the bins that stay in the likelihood."""
    if not is_masked.any():
        return table.totals
    kept = np.flatnonzero(~is_masked)
    return np.array([row[kept].sum(dtype=np.float64) for row in table.rows])


def _check_ring(table: ResponseTable) -> None:
    if table.ordering != "RING":
        raise InputError(
            f"{table.path}: NuLambda is in {table.ordering} ordering; a detector response must be "
            "in RING ordering."
        )


def _check_earth(orientation: Orientation) -> None:
    if not orientation.has_earth():
        raise InputError(
            f"{orientation.path}: altitude 0, so the Earth's place is not known: use a file with "
            "altitudes, or `earth_occultation: false`."
        )


def _counts_spectrum(measurement: Measurement, table: ResponseTable) -> CountsSpectrum:
    """Counts per measured energy, all channels."""
    counts = {"data": sum(measurement.terms.values()), **measurement.terms}
    counts["background model"] = measurement.background
    channel = np.arange(measurement.space.shape[0])
    return CountsSpectrum(
        measurement.space.em_edges,
        (channel >= table.channels[0]) & (channel < table.channels[1]),
        {label: values.sum(axis=(1, 2)) for label, values in counts.items()},
    )
