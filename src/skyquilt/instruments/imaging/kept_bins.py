"""Which bins of an image its fit problem keeps."""

import numpy as np

from skyquilt.config.instrument_analysis import AnyData, InstrumentAnalysis


def kept_bins(
    analysis: InstrumentAnalysis[AnyData],
    counts: np.ndarray,
    background: np.ndarray,
    *,
    all_bins: bool,
) -> np.ndarray:
    """Values that are above 0 in the bins to keep, and 0 in the others.

    Parameters
    ----------
    analysis : InstrumentAnalysis
        Where it fits fluxes below zero, bins without counts bound them: all are kept.
    counts, background : ndarray of float64, shape (n_pixel, n_band)
        Observed and expected counts.
    all_bins : bool
        Keep all bins with background, from which skies are simulated.
    """
    if all_bins:
        return background
    return np.ones_like(counts) if analysis.fit.allow_negative else counts
