"""Counts per measured energy that a fit expects: background and the best source."""

from collections.abc import Mapping

import numpy as np

from skyquilt.problem.problem import CountsSpectrum, FitProblem

FITTED = "best source and background"
"""Label of these counts in a `CountsSpectrum`."""
_MODEL = "background model"


def with_fitted_counts(
    problem: FitProblem, direction: np.ndarray, flux: float, background_norm: float = 1.0
) -> dict[str, CountsSpectrum]:
    """Counts per measured energy with those that a fit expects beside.

    Parameters
    ----------
    problem : FitProblem
        What was fitted.
    direction : ndarray of float64, shape (3,)
        Direction of the source, in the frame of the problem.
    flux : float
        Its flux, a multiple of the reference spectrum.
    background_norm : float, optional
        Factor on the background.

    Returns
    -------
    dict of str to CountsSpectrum
        The spectra of the problem by data set. Those whose channels are bands of the problem have
        an entry `FITTED`, NaN in channels that do not enter the likelihood.
    """
    source = flux * problem.band_totals(direction[np.newaxis])[0]
    return {
        name: _with_source(spectrum, *_bands_of(problem, name, source), background_norm)
        for name, spectrum in problem.counts_spectra.items()
    }


def _bands_of(
    problem: FitProblem, dataset: str, source: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    is_own = np.array([name == dataset for name in problem.bands.dataset])
    return problem.bands.edges[is_own], source[is_own]


def _with_source(
    spectrum: CountsSpectrum, edges: np.ndarray, source: np.ndarray, background_norm: float
) -> CountsSpectrum:
    counts: Mapping[str, np.ndarray] = spectrum.counts
    low, high = np.asarray(spectrum.edges[:-1]), np.asarray(spectrum.edges[1:])
    own = [np.flatnonzero(np.isclose(low, e[0]) & np.isclose(high, e[1])) for e in edges]
    is_matched = all(len(channel) == 1 for channel in own)
    if _MODEL not in counts or not own or not is_matched:
        return spectrum
    fitted = np.full(low.size, np.nan)
    channels = np.concatenate(own)
    fitted[channels] = background_norm * counts[_MODEL][channels] + source
    return spectrum._replace(counts=dict(counts) | {FITTED: fitted})
