"""Total counts against the expected background, which must belong together.

A source adds counts and takes none, so that far fewer counts than the background expects cannot
be; far more can be a source. A wrong time, energy or unit of either shows as a factor.
"""

import logging
from collections.abc import Iterable, Mapping

import numpy as np

from skyquilt.config.data import MODEL_LABEL
from skyquilt.config.instrument_analysis import AnyData, InstrumentAnalysis
from skyquilt.instruments.backgrounds import describe_components
from skyquilt.instruments.judge import object_to
from skyquilt.problem import CountsSpectrum, FitProblem
from skyquilt.spectra.energies import format_range

logger = logging.getLogger(__name__)

_SIGMA = 5.0
"""Significance below which a difference can be chance."""
_WRONG = 2.0
"""Factor by which a background is too high to be a background that is not well known."""
_WRONG_IF_FREE = 10.0
"""The same for a background whose norm the fit finds."""
_NOTABLE = 1.2
"""Factor of a background that is too high which is worth a warning."""
_EMPTY = 10.0
"""Factor by which a band is too empty, however well the background is known."""


def check_totals(
    analysis: InstrumentAnalysis[AnyData],
    counts: float,
    background: float,
    spectra: Iterable[CountsSpectrum] = (),
    components: Mapping[str, float] | None = None,
) -> None:
    """Compare the counts of an analysis of one data set with its expected background.

    Too few counts are an error (by less than 10 a warning with a free background, whose norm the
    fit finds); a band of energy that is all but empty is one always. Too many are a
    warning: sources may be that bright.

    Parameters
    ----------
    analysis : InstrumentAnalysis
        The analysis; `accept: [totals]` of its data makes errors warnings.
    counts, background : float
        Observed and expected counts in all bins of the likelihood.
    spectra : iterable of CountsSpectrum
        The same by energy.
    components : dict of str to float, optional
        Expected counts of each component of the background by its name, for messages.

    Raises
    ------
    InputError
        If counts and background do not belong together.
    """
    is_free = analysis.fit.background == "free"
    for spectrum in spectra:
        _check_bands(analysis, spectrum, counts / background if is_free and background else 1.0)
    difference = deviation(counts, background)
    each = describe_components(components or {"": background})
    what = f"{counts:g} counts, where the background alone expects {background:.6g}{each}"
    if difference < -_SIGMA and background > _NOTABLE * counts:
        message = (
            f"{_names(analysis)}: {what}: {_times(background, counts)} as many, and no source "
            "takes counts away. Are its times, energies, region and units those of the counts, and "
            "is the scale of the background right?"
        )
        if background > (_WRONG_IF_FREE if is_free else _WRONG) * counts:
            object_to(analysis.data.accept, "totals", message)
        else:
            logger.warning("%s", message)
    elif difference > _SIGMA and counts > _WRONG * background:
        logger.warning(
            "%s: %s: %s as many; are times and units of the background right, and sources so "
            "bright?",
            *(_names(analysis), what, _times(counts, background)),
        )


def check_problem_totals(analysis: InstrumentAnalysis[AnyData], problem: FitProblem) -> None:
    """Compare the counts of a fit problem of one data set with its expected background.

    Raises
    ------
    InputError
        If they do not belong together; see `check_totals`.
    """
    if problem.background_total is not None:  # which a problem of an older file may not have
        check_totals(
            analysis,
            float(problem.counts.sum()),
            problem.background_total,
            problem.counts_spectra.values(),
            {one.name: float(one.totals.sum()) for one in problem.backgrounds},
        )


def deviation(counts: float, expected: float) -> float:
    """Significance of a number of counts over an expected one, below 0 for too few.

    Examples
    --------
    >>> round(deviation(0, 50), 1), round(deviation(130, 100), 1), deviation(0, 0)
    (-10.0, 2.9, 0.0)
    """
    if expected <= 0:
        return float(np.inf) if counts > 0 else 0.0
    log = counts * np.log(counts / expected) if counts > 0 else 0.0
    return float(np.sign(counts - expected) * np.sqrt(2 * max(log - (counts - expected), 0.0)))


def _check_bands(
    analysis: InstrumentAnalysis[AnyData], spectrum: CountsSpectrum, norm: float
) -> None:
    """Refuse selected bands with next to no counts where the background expects many."""
    if MODEL_LABEL not in spectrum.counts:
        return
    data, model = (spectrum.counts[name] for name in ("data", MODEL_LABEL))
    for band in np.flatnonzero(spectrum.is_selected):
        counts, expected = float(data[band]), norm * float(model[band])
        if deviation(counts, expected) < -_SIGMA and expected > _EMPTY * counts:
            energies = format_range(*spectrum.edges[band : band + 2])
            each = _components(spectrum, int(band), norm) or {"": expected}
            object_to(
                analysis.data.accept,
                "totals",
                f"{_names(analysis)}: {counts:g} counts in {energies}, where the background alone "
                f"expects {expected:.6g}{describe_components(each)}: are the counts cut there? "
                "Leave those energies out with `energy`, or give counts that have them.",
            )


def _components(spectrum: CountsSpectrum, band: int, norm: float) -> dict[str, float]:
    """Expected counts of each of several components in a band."""
    prefix = f"{MODEL_LABEL}: "
    return {
        label.removeprefix(prefix): norm * float(counts[band])
        for label, counts in spectrum.counts.items()
        if label.startswith(prefix)
    }


def _names(analysis: InstrumentAnalysis[AnyData]) -> str:
    return ", ".join(analysis.data.counts_paths())


def _times(more: float, less: float) -> str:
    return f"{more / less:.3g} times" if less else "infinitely"
