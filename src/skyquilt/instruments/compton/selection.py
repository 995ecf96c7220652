"""Selected bins of a measurement: energies, zero background, hits."""

import logging
from typing import NamedTuple

import numpy as np

from skyquilt.config.instrument_analysis import ComptonAnalysis
from skyquilt.errors import InputError
from skyquilt.instruments.backgrounds import add, labels
from skyquilt.instruments.compton.measurement import Measurement

logger = logging.getLogger(__name__)
_N_NAMED = 5  # bins named in a message


class Selection(NamedTuple):
    """Flat bins of the selected channels, in the order of a table's columns.

    Attributes
    ----------
    channels : tuple of int
        Channels [first, last + 1).
    counts, background : ndarray of float64, shape (n_bin,)
        Observed and expected counts.
    backgrounds : dict of str to ndarray of float64, shape (n_bin,)
        Expected counts of each component of the background.
    is_masked : ndarray of bool, shape (n_bin,)
        Bins that are left out of the likelihood.
    hits : ndarray of int64, shape (n_hit,)
        Bins with counts that are in the likelihood; of a model, and for fluxes below zero, all that
        are in it.
    """

    channels: tuple[int, int]
    counts: np.ndarray
    background: np.ndarray
    backgrounds: dict[str, np.ndarray]
    is_masked: np.ndarray
    hits: np.ndarray


def select_bins(
    analysis: ComptonAnalysis, measurement: Measurement, channels: tuple[int, int]
) -> Selection:
    """Select the bins of an analysis.

    Raises
    ------
    InputError
        If there are counts without background that may not be masked.
    """
    counts = _flatten(measurement.counts, analysis, channels)
    backgrounds = {
        name: _flatten(values, analysis, channels)
        for name, values in measurement.backgrounds.items()
    }
    background = add(backgrounds)
    is_masked = _zero_background(counts, background, analysis, measurement, channels)
    hits = np.flatnonzero((counts > 0) & ~is_masked)
    if hits.size == 0 and counts.any():
        raise InputError(f"{measurement.path}: all counts lie in bins without background.")
    return Selection(channels, counts, background, backgrounds, is_masked, hits)


def keep_all_bins(selection: Selection) -> Selection:
    """Selection of a model: bins without background are masked, and all others kept."""
    is_masked = selection.background == 0
    return selection._replace(is_masked=is_masked, hits=np.flatnonzero(~is_masked))


def keep_empty_bins(selection: Selection) -> Selection:
    """Selection with all bins that are not masked, with counts and without."""
    return selection._replace(hits=np.flatnonzero(~selection.is_masked))


def _flatten(
    values: np.ndarray, analysis: ComptonAnalysis, channels: tuple[int, int]
) -> np.ndarray:
    selected = values[slice(*channels)]
    return (selected.sum(axis=0) if analysis.energy.sum_channels else selected).ravel()


def _zero_background(
    counts: np.ndarray,
    background: np.ndarray,
    analysis: ComptonAnalysis,
    measurement: Measurement,
    channels: tuple[int, int],
) -> np.ndarray:
    """Bins to leave out; refuses when the analysis does not allow that."""
    is_zero = background == 0
    lost = np.flatnonzero(is_zero & (counts > 0))
    if analysis.data.zero_background == "refuse":
        if lost.size:
            first = _bin_names(lost[:_N_NAMED], measurement, channels)
            raise InputError(
                f"{labels(analysis.data.backgrounds())}: {lost.size} bins have counts "
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


def _bin_names(bins: np.ndarray, measurement: Measurement, channels: tuple[int, int]) -> str:
    """Channel (the first one of a sum), Phi and PsiChi of flat bins."""
    channel, phi, psichi = np.unravel_index(bins, measurement.space.shape)
    indices = zip(channel + channels[0], phi, psichi, strict=True)
    return ", ".join(str(tuple(map(int, index))) for index in indices)
