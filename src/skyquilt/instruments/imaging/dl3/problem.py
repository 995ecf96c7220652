"""Fit problem of event lists with responses by angle from where the telescope points (DL3)."""

import logging
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from skyquilt.config.dl3 import Dl3Data
from skyquilt.config.energy import EnergySelection
from skyquilt.config.instrument_analysis import Dl3Analysis
from skyquilt.config.units import to_value
from skyquilt.errors import ConfigError, InputError
from skyquilt.instruments.backgrounds import background_spectra, describe_scales
from skyquilt.instruments.bands import make_bands
from skyquilt.instruments.imaging.dl3.field_rate import ObservedBackground
from skyquilt.instruments.imaging.dl3.irf_file import (
    FieldResponse,
    read_field_background,
    read_field_response,
)
from skyquilt.instruments.imaging.dl3.irfs import FieldBackground
from skyquilt.instruments.imaging.dl3.observation import Observation, read_observation
from skyquilt.instruments.imaging.dl3.region import FieldBorders
from skyquilt.instruments.imaging.dl3.response import make_response
from skyquilt.instruments.imaging.selections import check_energies
from skyquilt.instruments.imaging.sharpness import sharpness
from skyquilt.problem import CountsSpectrum, Description, FitProblem
from skyquilt.problem.backgrounds import BackgroundComponent
from skyquilt.problem.buckets import Buckets
from skyquilt.problem.dispersed import DispersedEvents
from skyquilt.problem.joint import Joint, Part
from skyquilt.problem.offset_grid import OffsetGrid
from skyquilt.problem.sky_grid import HealpixGrid
from skyquilt.sky.healpix import ring_to_vec
from skyquilt.spectra import describe, integrate
from skyquilt.spectra.models import evaluate

logger = logging.getLogger(__name__)

_NSIDE = 128
"""Resolution of the buckets: pixels of 0.46 deg, of the size of a reach."""
_NSIDE_OF_LIMITS = 128
"""Resolution at which fluxes below zero are bound."""
_SAME_EDGE = 1e-4  # relative; edges are often single precision, in another unit
_PER_DECADE = 10  # channels of the counts spectrum


class _Inputs(NamedTuple):
    """What belongs to one observation."""

    observation: Observation
    response: FieldResponse
    rate: FieldBackground
    background_path: str


class _Observed(NamedTuple):
    """One observation as a part of a problem."""

    name: str
    expectation: DispersedEvents
    energy: np.ndarray
    background: np.ndarray
    totals: np.ndarray
    in_channels: np.ndarray
    time_span: tuple[float, float] | None
    sharpness: float


def make_dl3_problem(analysis: Dl3Analysis, *, all_bins: bool = False) -> FitProblem:
    """Build the fit problem of event lists; each observation is a part of it.

    Raises
    ------
    InputError
        If a file is damaged, a response is missing, point-like or not known where it is needed,
        or no event is left.
    ConfigError
        If energies are chosen by number, or skies are to be simulated.
    """
    if all_bins:
        raise ConfigError(
            "skies of event lists with responses by angle from the pointing (DL3) cannot be "
            "simulated: remove `calibrate`, or give cubes or files that hold all data."
        )
    inputs = [_read(path, analysis.data) for path in analysis.data.events.path]
    span = _energy_span(analysis.energy, inputs)
    edges = _band_edges(analysis.energy, inputs, span)
    channels = np.geomspace(*span, max(int(np.log10(span[1] / span[0]) * _PER_DECADE), 1) + 1)
    observed = [_observe(analysis, one, edges, channels) for one in inputs]
    return _join(analysis, _distinct(observed), edges, channels)


def _read(path: str, data: Dl3Data) -> _Inputs:
    background_path = data.background_path(path)
    response = read_field_response(data.response_path(path))
    rate = read_field_background(background_path)
    return _Inputs(read_observation(path, data), response, rate, background_path)


def _observe(
    analysis: Dl3Analysis, inputs: _Inputs, edges: np.ndarray, channels: np.ndarray
) -> _Observed:
    data, (observation, response, rate, background_path) = analysis.data, inputs
    path, pointing = observation.events.path, observation.pointing
    span = float(edges[0]), float(edges[-1])
    check_energies(path, observation.events.selected, span, data.accept)
    each = (response.area, response.dispersion, response.psf)
    radius = min(rate.radius(), *(one.offset.span[1] for one in each))
    borders = FieldBorders(data.region, pointing, radius)
    direction, energy = _select(observation, borders, span)
    of_field, offset = make_response(
        response,
        analysis.spectrum,
        edges,
        borders.farthest(),
        observation.livetime,
        normalise=data.normalise,
    )
    flux = of_field.axis.flux(partial(evaluate, analysis.spectrum))
    reach = of_field.reach(flux, data.lost_fraction)
    far = float(reach.max())
    buckets, order = Buckets.sort(_NSIDE, direction)
    expectation = DispersedEvents(
        direction=np.ascontiguousarray(direction[order]),
        energy_node=of_field.nodes(energy[order]),
        buckets=buckets,
        weights=OffsetGrid(pointing, offset, borders.sides(far)),
        response=of_field,
        flux=flux,
        reach=reach,
    )
    background = ObservedBackground(
        background_path, rate, borders, observation.ontime * data.background.scale
    )
    if analysis.fit.allow_negative:
        expectation = replace(expectation, most=_largest_ratio(expectation, background))
    weight = flux * of_field.area * of_field.seen.sum(axis=0)
    return _Observed(
        name=observation.name,
        expectation=expectation,
        energy=energy[order],
        background=background.density_at_events(direction[order], energy[order]),
        totals=background.totals(edges),
        in_channels=background.totals(channels),
        time_span=observation.events.time_span,
        sharpness=sharpness(
            of_field.theta, of_field.profile.reshape(-1, of_field.theta.size), weight.ravel()
        ),
    )


def _select(
    observation: Observation, borders: FieldBorders, span: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Events in the region and energies; how many are not is logged."""
    events = observation.events
    is_inside = borders.contain(events.direction)
    chosen = is_inside & (events.energy >= span[0]) & (events.energy < span[1])
    logger.info(
        "%s: %d of %d events lie in the region and the field of view, %d of them have energies of "
        "%.6g to %.6g keV",
        *(events.path, np.count_nonzero(is_inside), is_inside.size),
        *(np.count_nonzero(chosen), *span),
    )
    if not chosen.any():
        raise InputError(
            f"{events.path}: none of {is_inside.size} events lies in the region, within "
            f"{np.degrees(borders.radius):.3g} deg of the pointing, and has an energy of "
            f"{span[0]:.6g} to {span[1]:.6g} keV: choose others with `data.region` or "
            "`energy.range`."
        )
    return events.direction[chosen], events.energy[chosen]


def _energy_span(selection: EnergySelection, inputs: list[_Inputs]) -> tuple[float, float]:
    """Lowest and highest energy [keV] of the photons that enter the likelihood."""
    if selection.channels is not None or selection.sum_channels:
        raise ConfigError(
            "energy: events have no channels: give `range`, as in [1 TeV, 10 TeV], or nothing for "
            "the energies of the responses."
        )
    known = [_known_span(one) for one in inputs]
    low, high = max(one[0] for one in known), min(one[1] for one in known)
    if (limits := selection.limits()) is None:
        if not low < high:
            raise InputError("energy: the responses of the event lists have no energies in common.")
        return low, high
    chosen = to_value(limits[0], "keV"), to_value(limits[1], "keV")
    for one in inputs:
        first, last = one.rate.energy.span
        if not first * (1 - _SAME_EDGE) <= chosen[0] < chosen[1] <= last * (1 + _SAME_EDGE):
            key = "energy.range" if selection.bands is None else "energy.bands"
            raise InputError(
                f"{one.background_path}: the background covers {first:.6g} to {last:.6g} keV, not "
                f"{key}, {chosen[0]:.6g} to {chosen[1]:.6g} keV."
            )
        trusted = one.response.thresholds
        if trusted is not None and not trusted[0] <= chosen[0] < chosen[1] <= trusted[1]:
            logger.warning(
                "%s: its response is safe from %.6g to %.6g keV (LO_THRES, HI_THRES); chosen are "
                "%.6g to %.6g keV",
                *(one.response.path, *trusted, *chosen),
            )
    return chosen


def _known_span(inputs: _Inputs) -> tuple[float, float]:
    """Energies of the background that its response can be trusted at [keV]."""
    low, high = inputs.rate.energy.span
    if inputs.response.thresholds is not None:
        first, last = inputs.response.thresholds
        low, high = max(low, first), min(high, last)
    return low, high


def _band_edges(
    selection: EnergySelection, inputs: list[_Inputs], span: tuple[float, float]
) -> np.ndarray:
    """Edges of the bands [keV]: those that the analysis gives, or those of the background."""
    if selection.bands is not None:
        inner = np.array([to_value(text, "keV") for text in selection.bands[1:-1]])
    else:
        inner = inputs[0].rate.energy.edges
    is_inside = (inner > span[0] * (1 + _SAME_EDGE)) & (inner < span[1] * (1 - _SAME_EDGE))
    return np.array([span[0], *inner[is_inside], span[1]])


def _largest_ratio(expectation: DispersedEvents, background: ObservedBackground) -> HealpixGrid:
    """Largest ratio of expected density to background at a source in each pixel."""
    response = expectation.response
    ipix = np.arange(12 * _NSIDE_OF_LIMITS**2)
    direction = ring_to_vec(_NSIDE_OF_LIMITS, ipix)
    near = expectation.weights.is_known(direction)
    ipix, direction = ipix[near], direction[near]
    if not ipix.size:
        return HealpixGrid(1, np.zeros((12, 1)))
    tops = [response.density(one, expectation.flux)[:, 0] for one in range(response.n_pattern)]
    density = expectation.weights.at(direction) @ np.array(tops) * response.guide(response.measured)
    expected = background.densities(direction, response.measured)
    ratio = np.divide(density, expected, out=np.zeros_like(density), where=expected > 0)
    return HealpixGrid(_NSIDE_OF_LIMITS, ratio.max(axis=1, keepdims=True), ipix)


def _distinct(observed: list[_Observed]) -> list[_Observed]:
    """Observations of different names: those that have one in common are counted."""
    names = [one.name for one in observed]
    return [
        one._replace(name=f"{one.name}-{number}") if names.count(one.name) > 1 else one
        for number, one in enumerate(observed, start=1)
    ]


def _join(
    analysis: Dl3Analysis, observed: list[_Observed], edges: np.ndarray, channels: np.ndarray
) -> FitProblem:
    """One problem of all observations, whose bands are the same."""
    first = observed[0].expectation
    parts = tuple(Part(one.expectation, "icrs") for one in observed)
    energy = np.concatenate([one.energy for one in observed])
    components = _components(observed, analysis.data.background.scale)
    spans = [one.time_span for one in observed if one.time_span is not None]
    span = float(edges[0]), float(edges[-1])
    source = "background file" if analysis.data.background.scale == 1 else "configuration"
    named = {one.name: float(one.totals.sum()) for one in components}
    factors = dict.fromkeys(named, (analysis.data.background.scale, source))
    in_channels = {one.name: one.in_channels[np.newaxis] for one in observed}
    return FitProblem(
        counts=np.ones(len(energy)),
        background=np.concatenate([one.background for one in observed]),
        background_total=float(sum(one.totals.sum() for one in observed)),
        expectation=first if len(parts) == 1 else Joint(parts, "icrs"),
        frame="icrs",
        photon_flux=float(integrate(analysis.spectrum, span)[0]),
        description=Description(
            instrument=analysis.instrument,
            spectrum=describe(analysis.spectrum),
            energy_range_keV=span,
            **describe_scales(named, factors),
            n_bins=len(energy),
            time_span=(min(s[0] for s in spans), max(s[1] for s in spans)) if spans else None,
            sharpness_deg=min(one.sharpness for one in observed),
        ),
        counts_spectra={
            "": CountsSpectrum(
                channels,
                np.ones(len(channels) - 1, dtype=bool),
                {"data": np.histogram(energy, channels)[0].astype(float)}
                | background_spectra(in_channels),
            )
        },
        known_bands=make_bands(
            analysis.spectrum,
            np.column_stack([edges[:-1], edges[1:]]),
            np.searchsorted(edges[1:-1], energy, side="right").astype(np.int64),
            np.tile(np.arange(len(edges) - 1), len(observed)),
        ),
        known_backgrounds=components,
    )


def _components(observed: list[_Observed], scale: float) -> tuple[BackgroundComponent, ...]:
    """Background of each observation, by its name if there are several."""
    n_event = np.cumsum([0, *(one.energy.size for one in observed)])
    return tuple(
        BackgroundComponent(
            one.name if len(observed) > 1 else "", "", int(start), one.background, one.totals, scale
        )
        for one, start in zip(observed, n_event[:-1], strict=True)
    )
