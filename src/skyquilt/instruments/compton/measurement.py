"""Counts, background and orientation of an analysis, read and checked against each other."""

import logging
from dataclasses import replace
from functools import reduce
from itertools import combinations
from typing import NamedTuple

import numpy as np

from skyquilt.config.background import background_key
from skyquilt.config.data import BackgroundModel, ComptonData
from skyquilt.config.instrument_analysis import ComptonAnalysis
from skyquilt.errors import InputError
from skyquilt.instruments.backgrounds import add, named, read_each
from skyquilt.instruments.compton.background import BackgroundScale, Span, scale_background
from skyquilt.instruments.compton.dataspace import DataSpace, check_same_space
from skyquilt.instruments.compton.histograms import BinnedCounts, read_counts
from skyquilt.instruments.compton.orientation import Orientation, get_livetimes
from skyquilt.instruments.compton.orientation_files import read_orientation
from skyquilt.instruments.judge import object_to
from skyquilt.instruments.same_counts import MANY

logger = logging.getLogger(__name__)


class Measurement(NamedTuple):
    """Counts and expected background on the whole data space, before any selection of energy.

    Attributes
    ----------
    terms : dict of str to ndarray of float64, shape (n_em, n_phi, n_psichi)
        Scaled counts by label; their sum is the data.
    backgrounds : dict of str to ndarray of float64, shape (n_em, n_phi, n_psichi)
        Expected background in the time of the counts, by the name of the component.
    span : tuple of float or None
        Time span of the counts [UNIX s]; None without a time axis.
    orientation : Orientation or None
        The orientation file, if the analysis names one.
    scales : dict of str to BackgroundScale
        Factor on the histogram of each component.
    space : DataSpace
        Axes, equal in all files; the frame is that of the analysis.
    path : str
        First file of counts, for messages.
    is_cut : bool
        Whether counts are cut out of a longer time.
    """

    terms: dict[str, np.ndarray]
    backgrounds: dict[str, np.ndarray]
    span: tuple[float, float] | None
    orientation: Orientation | None
    scales: dict[str, BackgroundScale]
    space: DataSpace
    path: str
    is_cut: bool

    @property
    def background(self) -> np.ndarray:
        """Expected background of all components together."""
        return add(self.backgrounds)

    @property
    def counts(self) -> np.ndarray:
        """All counts, shape (n_em, n_phi, n_psichi)."""
        return reduce(np.add, self.terms.values())


def read_measurement(analysis: ComptonAnalysis, cache: str | None = None) -> Measurement:
    """Read counts, background and orientation of an analysis and check them against each other.

    Numbers of large orientation files are kept in the folder `cache`.

    Raises
    ------
    InputError
        If a file is damaged, two files have different axes or frames, or the background cannot
        be scaled to the time of the counts.
    """
    data = analysis.data
    terms = [read_counts(term.path, data.interval) for term in data.counts]
    return make_measurement(analysis, terms, cache)


def make_measurement(
    analysis: ComptonAnalysis, terms: list[BinnedCounts], cache: str | None = None
) -> Measurement:
    """The same from counts that were read, one histogram for each term.

    Raises
    ------
    InputError
        As `read_measurement`.
    """
    data = analysis.data
    models = data.backgrounds()
    for other in terms[1:]:
        check_same_space(terms[0].space, terms[0].path, other.space, other.path)
    _check_frame(data.frame, terms)

    def read_background(name: str, model: BackgroundModel) -> BinnedCounts:
        background = read_counts(model.path, model.interval, f"{background_key(name)}.interval")
        check_same_space(terms[0].space, terms[0].path, background.space, background.path)
        _check_frame(data.frame, [background])
        if not background.counts.any():
            raise InputError(f"{background.path}: all expected counts are 0 in the chosen time.")
        return background

    histograms = read_each(models, read_background)
    _notice_fractions(terms)
    span = _common_span(terms, data.interval)
    _check_distinct(data, terms)
    spans = {name: one.span for name, one in histograms.items()}
    orientation = _read_orientation(data, span, spans, cache)
    scales = {}
    for name, model in models.items():
        with named(name):
            scales[name] = scale_background(model, span, spans[name], orientation, name)
        which = f"background {name}" if name else "background"
        logger.info("%s scaled by %.6g (%s)", which, scales[name].factor, scales[name].source)
    return Measurement(
        terms=_label_terms(analysis, terms),
        backgrounds={name: one.counts * scales[name].factor for name, one in histograms.items()},
        span=span,
        orientation=orientation,
        scales=scales,
        space=replace(terms[0].space, frame=data.frame),
        path=terms[0].path,
        is_cut=any(term.is_cut for term in terms),
    )


def _read_orientation(
    data: ComptonData, span: Span, background_spans: dict[str, Span], cache: str | None
) -> Orientation | None:
    """Orientation in the time of the counts; livetimes also in those of the backgrounds."""
    if data.orientation is None:
        return None
    spans = [
        model.interval or background_spans[name]
        for name, model in data.backgrounds().items()
        if model.scale == "auto"
    ]
    known = [one for one in spans if one is not None]
    other = (min(first for first, _ in known), max(last for _, last in known)) if known else None
    orientation = read_orientation(data.orientation, span, other, cache)
    if data.frame == "local" and span is None:
        logger.warning(
            "%s: no time of the counts is known (no axis Time, no `data.interval`); all of the "
            "file is taken, %.6f to %.6f s",
            *(data.orientation, *(orientation.covers or ())),
        )
    if data.time_weights == "livetime":
        get_livetimes(orientation)
    return orientation


def _label_terms(analysis: ComptonAnalysis, terms: list[BinnedCounts]) -> dict[str, np.ndarray]:
    """Scaled counts by label; terms of one label are added."""
    labelled: dict[str, np.ndarray] = {}
    for term, binned in zip(analysis.data.counts, terms, strict=True):
        labelled[term.label] = labelled.get(term.label, 0) + term.scale * binned.counts
    return labelled


def _check_frame(frame: str, histograms: list[BinnedCounts]) -> None:
    for histogram in histograms:
        if histogram.space.frame is None:
            logger.info("%s: PsiChi names no frame; taken as %s", histogram.path, frame)
        elif histogram.space.frame != frame:
            raise InputError(
                f"{histogram.path}: PsiChi is in the {histogram.space.frame} frame, but the "
                f"analysis says `data.frame: {frame}`; they must agree."
            )


def _check_distinct(data: ComptonData, terms: list[BinnedCounts]) -> None:
    """Refuse histograms of the same counts, however they are written."""
    for one, other in combinations(terms, 2):
        n_counts = one.counts.sum()
        is_one_time = one.span == other.span
        if n_counts >= MANY and is_one_time and np.array_equal(one.counts, other.counts):
            object_to(
                data.accept,
                "same_counts",
                f"{one.path} and {other.path} hold the same {n_counts:g} counts in all bins, which "
                "would count twice: name them once.",
            )


def _notice_fractions(terms: list[BinnedCounts]) -> None:
    for term in terms:
        n_fractions = int(np.count_nonzero(term.counts != np.round(term.counts)))
        if n_fractions:
            logger.info("%s: %d bins hold fractions, not whole counts", term.path, n_fractions)


def _common_span(terms: list[BinnedCounts], interval: tuple[float, float] | None):
    """Time span of the counts; all terms with a time axis must agree."""
    if interval is not None:
        for term in (term for term in terms if term.span is None):
            logger.info("%s: has no time axis; its counts are taken as of data.interval", term.path)
        return interval
    spans = {term.path: term.span for term in terms if term.span is not None}
    if len(set(spans.values())) > 1:
        listed = "; ".join(f"{path}: {span[0]} to {span[1]} s" for path, span in spans.items())
        raise InputError(f"the counts have different time spans ({listed}): give `data.interval`.")
    return next(iter(spans.values()), None)
