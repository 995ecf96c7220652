"""Skies of a problem: counts in all of its bins, or photons one by one.

A *model* here is a fit problem that keeps all bins, also those without counts, and knows of events
what is expected where there are none (`skyquilt prepare --all-bins`). A sky is a problem, too, so
that its fit is that of any.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from skyquilt.errors import RunError
from skyquilt.problem.event_wise import EventWise
from skyquilt.problem.expectation import Expectation
from skyquilt.problem.joint import Joint
from skyquilt.problem.problem import FitProblem
from skyquilt.problem.shaped import Shaped
from skyquilt.problem.templates import Templates
from skyquilt.simulate.counts import draw_counts
from skyquilt.simulate.events import (
    Photons,
    draw_background,
    draw_source,
    known_density,
    observe_photons,
)
from skyquilt.sky.frames import rotate, rotation


class InjectedSource(NamedTuple):
    """A source of the problem's reference spectrum and shape.

    Attributes
    ----------
    direction : ndarray of float64, shape (3,)
        Unit vector to it, in the frame of the problem.
    flux : float
        Multiple of unit flux.
    """

    direction: np.ndarray
    flux: float


class _Bins(NamedTuple):
    """Bins of a problem or of a part of it."""

    counts: np.ndarray
    background: np.ndarray
    expectation: Expectation | Templates


def draw_sky(
    model: FitProblem, rng: np.random.Generator, sources: Sequence[InjectedSource] = ()
) -> FitProblem:
    """Counts drawn from the background and some sources.

    Parameters
    ----------
    model : FitProblem
        Problem with all bins.
    rng : numpy.random.Generator
        Random numbers.
    sources : sequence of InjectedSource
        The sources.

    Returns
    -------
    FitProblem
        The problem with all bins and their counts, also of 0, or of all events.

    Raises
    ------
    RunError
        If the problem has events and does not know what is expected between them.
    """
    bins = _Bins(model.counts, model.background, model.expectation)
    drawn = _draw(bins, sources, rng)
    if _has_events(model.expectation):  # others than those of which bands and components are known
        model = replace(model, known_bands=None, known_backgrounds=())
    return replace(_no_answers(model), **drawn._asdict())


def expected_sky(model: FitProblem, sources: Sequence[InjectedSource] = ()) -> FitProblem:
    """The sky with the expected counts in each bin, without noise (an Asimov data set).

    Parameters
    ----------
    model, sources
        As for `draw_sky`.

    Raises
    ------
    RunError
        If the problem has events: there are no bins to expect counts in.
    """
    if _has_events(model.expectation):
        raise RunError(
            "events one by one have no bins that could hold the expected counts: use `counts` in "
            "pixels, or the median of drawn skies."
        )
    counts = _expected(model.background, model.expectation, sources)
    return replace(_no_answers(model), counts=counts)


def hit_bins(sky: FitProblem) -> FitProblem:
    """The problem of the bins that have counts."""
    kept = _no_answers(sky).select_bins(np.flatnonzero(sky.counts))
    return replace(kept, counts=kept.counts.astype(np.float64))


def observe(model: FitProblem, counts: np.ndarray) -> FitProblem:
    """Fit problem of given counts.

    Parameters
    ----------
    model : FitProblem
        Problem with all bins.
    counts : ndarray of integer or float, shape (n_bin,)
        Counts in all of them.

    Returns
    -------
    FitProblem
        The same problem with the hit bins of these counts.
    """
    return hit_bins(replace(model, counts=counts))


def expected_counts(expectation: Expectation, direction: np.ndarray) -> np.ndarray:
    """Expected counts of a source of unit flux in all bins of a model, shape (n_bin,)."""
    return expectation.block(direction[np.newaxis]).dense().unit_counts[0]


def _no_answers(model: FitProblem) -> FitProblem:
    """The problem without what is said of the data it was made of."""
    return replace(model, counts_spectra={}, identity="")


def _has_events(expectation: Expectation | Templates) -> bool:
    match expectation:
        case Joint(parts=parts):
            return any(_has_events(part.expectation) for part in parts)
        case Templates(expectations=each):
            return _has_events(each[0])
        case Shaped(expectation=point):
            return _has_events(point)
    return isinstance(expectation, EventWise)


def _expected(
    background: np.ndarray, expectation: Expectation, sources: Sequence[InjectedSource]
) -> np.ndarray:
    for source in sources:
        background = background + source.flux * expected_counts(expectation, source.direction)
    return background


def _draw(bins: _Bins, sources: Sequence[InjectedSource], rng: np.random.Generator) -> _Bins:
    if not _has_events(bins.expectation):
        expected = _expected(bins.background, bins.expectation, sources)
        return bins._replace(counts=draw_counts(expected, rng).astype(np.float64))
    if isinstance(bins.expectation, Joint):
        return _draw_parts(bins, bins.expectation, sources, rng)
    photons = _draw_photons(bins.expectation, sources, rng)
    background, expectation = _observe(bins.expectation, photons)
    return _Bins(np.ones(background.size), background, expectation)


def _draw_parts(
    bins: _Bins, joint: Joint, sources: Sequence[InjectedSource], rng: np.random.Generator
) -> _Bins:
    """Draw the data sets of a joint problem, one after the other."""
    drawn: list[_Bins] = []
    first = 0
    for part in joint.parts:
        own = slice(first, first + part.expectation.n_hit)
        turn = rotation(joint.frame, part.frame)
        moved = [
            one._replace(direction=rotate(turn, one.direction[np.newaxis])[0]) for one in sources
        ]
        piece = _Bins(bins.counts[own], bins.background[own], part.expectation)
        drawn.append(_draw(piece, moved, rng))
        first = own.stop
    parts = zip(joint.parts, drawn, strict=True)
    return _Bins(
        np.concatenate([one.counts for one in drawn]),
        np.concatenate([one.background for one in drawn]),
        replace(
            joint, parts=tuple(part._replace(expectation=one.expectation) for part, one in parts)
        ),
    )


def _draw_photons(
    expectation: Expectation | Templates,
    sources: Sequence[InjectedSource],
    rng: np.random.Generator,
) -> Photons:
    """Photons of the background and of sources, of the first spectrum where there are several."""
    wise = _event_wise(expectation)
    photons = [draw_background(known_density(wise), rng)]
    photons += [draw_source(wise, *_points(expectation, source), rng) for source in sources]
    return Photons(*map(np.concatenate, zip(*photons, strict=True)))


def _points(
    expectation: Expectation | Templates, source: InjectedSource
) -> tuple[np.ndarray, np.ndarray]:
    """Directions and fluxes of the points that make up a source."""
    match expectation:
        case Templates(expectations=each):
            return _points(each[0], source)
        case Shaped(points=nodes, pole=pole):
            points = nodes.around(source.direction[np.newaxis], pole)[0]
            return points, source.flux * nodes.weight
    return source.direction[np.newaxis], np.array([source.flux])


def _event_wise(expectation: Expectation | Templates) -> EventWise:
    """The expectation of points."""
    match expectation:
        case Templates(expectations=each):
            return _event_wise(each[0])
        case Shaped(expectation=point):
            return _event_wise(point)
        case EventWise():
            return expectation
    raise TypeError(f"{type(expectation).__name__}: allowed are expectations of events.")


def _observe(
    expectation: Expectation | Templates, photons: Photons
) -> tuple[np.ndarray, Expectation | Templates]:
    """Background and expectation at photons."""
    match expectation:
        case Templates(expectations=each):
            background, observed = zip(*(_observe(one, photons) for one in each), strict=True)
            return background[0], replace(expectation, expectations=observed)
        case Shaped(expectation=point):
            background, observed = _observe(point, photons)
            return background, replace(expectation, expectation=observed)
    return observe_photons(_event_wise(expectation), photons)
