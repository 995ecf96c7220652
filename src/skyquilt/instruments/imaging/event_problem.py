"""Fit problem of photons one by one."""

import logging
from dataclasses import replace

import numpy as np

from skyquilt.config.energy import EnergySelection
from skyquilt.config.instrument_analysis import ImagingAnalysis
from skyquilt.config.units import to_value
from skyquilt.errors import ConfigError, InputError
from skyquilt.instruments.imaging.background import Background, describe_scale
from skyquilt.instruments.imaging.cube import read_exposure_cube
from skyquilt.instruments.imaging.declared import check_declared
from skyquilt.instruments.imaging.events import Events, read_events
from skyquilt.instruments.imaging.frame_check import check_frame, warn_of_exposure
from skyquilt.instruments.imaging.healpix_cube import HealpixCube, read_bands
from skyquilt.instruments.imaging.largest_ratio import largest_ratio
from skyquilt.instruments.imaging.point_spread_file import read_point_spread
from skyquilt.instruments.imaging.region import (
    chord_around,
    cut_background,
    cut_events,
    cut_exposure,
)
from skyquilt.instruments.imaging.response import (
    Response,
    exposure_weights,
    mean_profiles,
    seen_fraction,
    spread_photons,
    total_nodes,
)
from skyquilt.instruments.imaging.selections import Circle, check_energies
from skyquilt.instruments.imaging.sharpness import sharpness
from skyquilt.instruments.imaging.time_fractions import time_fractions
from skyquilt.problem import CountsSpectrum, Description, EventWise, FitProblem
from skyquilt.problem.buckets import Buckets
from skyquilt.problem.event_density import EventDensity
from skyquilt.problem.event_energies import EventEnergies
from skyquilt.problem.profiles import tabulate
from skyquilt.sky.frames import rotate, rotation
from skyquilt.spectra import describe, integrate
from skyquilt.spectra.models import corners, evaluate

logger = logging.getLogger(__name__)

_NSIDE = 32
"""Resolution of the buckets: pixels of 1.8 deg, of the size of a reach."""
_N_SPECTRUM = 2001
"""Energies at which simulated skies know the spectrum: curved ones to 1e-6 over four decades."""


def make_event_problem(
    analysis: ImagingAnalysis, *, all_bins: bool = False, true_energy: bool = False
) -> FitProblem:
    """Build the fit problem of an analysis of an event list.

    With `all_bins` it knows what is expected where there are no events, so that skies can be
    simulated. With `true_energy` the energies of the events and what their total is made of are
    kept, too, so that spectra may vary.

    Raises
    ------
    InputError
        If a file is damaged, files do not fit each other, or no event is left.
    ConfigError
        If a frame or a unit is not known, or energies are chosen by number.
    """
    data = analysis.data
    declared = check_declared(data)
    events = read_events(data.events, data.accept, data.interval)
    background = _read_background(analysis)
    response = Response(read_exposure_cube(data.exposure), read_point_spread(data.psf, data.accept))
    if data.interval is not None:
        of_exposure, of_background = time_fractions(data, declared, events)
        background = replace(background, scale=background.scale * of_background)
        exposure = response.exposure
        scaled = replace(exposure, values=of_exposure * exposure.values)
        response = response._replace(exposure=scaled)
    span = _energy_span(analysis.energy, background)
    check_energies(events.path, events.selected, span, data.accept)
    events = _select(events, span)
    check_frame(background.cube, events.direction, events.frame, events.path, data.accept)
    if isinstance(response.exposure, HealpixCube):
        warn_of_exposure(background.cube, response.exposure)
    circles = events.selected.circles
    if circles:
        events, background = cut_events(events, circles), cut_background(background, circles)
        reach = tabulate(response.psf.theta, response.psf.profile, data.lost_fraction).reach.max()
        response = response._replace(
            exposure=cut_exposure(response.exposure, circles, float(np.degrees(reach)))
        )
    frame = response.exposure.frame
    direction = rotate(rotation(events.frame, frame), events.direction)
    edges = np.array(span)
    expectation, order = _expectation(analysis, response, edges).with_events(
        direction,
        evaluate(analysis.spectrum, events.energy),
        response.psf_shares(events.energy),
        response.exposure_shares(events.energy),
    )
    events = events._replace(
        frame=frame, direction=expectation.direction, energy=events.energy[order]
    )
    if true_energy:
        total = total_nodes(spread_photons(analysis.spectrum, edges, response), response)
        expectation = replace(expectation, by_energy=EventEnergies(events.energy, total))
    if all_bins:
        density = _density(analysis, background, response, span, circles)
        expectation = replace(expectation, density=density)
    if analysis.fit.allow_negative or all_bins:
        most = largest_ratio(analysis.spectrum, background, response, span)
        expectation = replace(expectation, most=most)
    return FitProblem(
        counts=np.ones(len(order)),
        background=background.density(events),
        background_total=background.total(span),
        expectation=expectation,
        frame=frame,
        photon_flux=float(integrate(analysis.spectrum, edges)[0]),
        description=Description(
            instrument=analysis.instrument,
            spectrum=describe(analysis.spectrum),
            energy_range_keV=span,
            background_scale=background.scale,
            background_scale_from=describe_scale(data),
            n_bins=len(order),
            time_span=events.time_span,
            sharpness_deg=_sharpness(analysis, response, edges),
        ),
        counts_spectra={"": _counts_spectrum(events, background, span)},
    )


def _read_background(analysis: ImagingAnalysis) -> Background:
    section = analysis.data.background
    cube = read_bands(section, "data.background")
    if not cube.is_full:
        raise InputError(
            f"{cube.path}: {int(cube.is_known.sum())} of {12 * cube.nside**2} pixels: events one "
            "by one need a background of the whole sky; of a part of it, use `counts` in the same "
            "pixels."
        )
    if not cube.values.any():
        raise InputError(f"{cube.path}: the expected background is 0 everywhere.")
    return Background(cube, section.scale)


def _energy_span(selection: EnergySelection, background: Background) -> tuple[float, float]:
    """Lowest and highest energy [keV] of the photons that enter the likelihood."""
    edges = background.cube.energies
    if selection.channels is not None or selection.sum_channels:
        raise ConfigError(
            "energy: events have no channels: give `range`, as in [50 GeV, 2 TeV], or nothing for "
            "the energies of the background."
        )
    if selection.range is None:
        return float(edges[0]), float(edges[-1])
    low, high = (to_value(text, "keV") for text in selection.range)
    if not edges[0] * (1 - 1e-4) <= low < high <= edges[-1] * (1 + 1e-4):
        raise InputError(
            f"{background.cube.path}: the background covers {edges[0]:.6g} to {edges[-1]:.6g} keV, "
            f"not energy.range, {low:.6g} to {high:.6g} keV."
        )
    return max(low, float(edges[0])), min(high, float(edges[-1]))


def _select(events: Events, span: tuple[float, float]) -> Events:
    chosen = (events.energy >= span[0]) & (events.energy < span[1])
    n_chosen = int(np.count_nonzero(chosen))
    logger.info(
        "%s: %d of %d events have energies of %.6g to %.6g keV",
        *(events.path, n_chosen, events.energy.size, *span),
    )
    return events._replace(direction=events.direction[chosen], energy=events.energy[chosen])


def _expectation(analysis: ImagingAnalysis, response: Response, edges: np.ndarray) -> EventWise:
    """Expectation without events."""
    photons = spread_photons(analysis.spectrum, edges, response)
    seen = photons._replace(flux=photons.flux * seen_fraction(photons, response))
    return EventWise(
        direction=np.empty((0, 3)),
        flux_density=np.empty(0),
        psf_place=np.empty(0),
        exposure_place=np.empty(0),
        buckets=Buckets.sort(_NSIDE, np.empty((0, 3)))[0],
        exposure=response.grid(),
        total_weight=exposure_weights(seen, response, 1)[0],
        theta=response.psf.theta,
        profile=response.psf.profile,
        lost_fraction=analysis.data.lost_fraction,
    )


def _density(
    analysis: ImagingAnalysis,
    background: Background,
    response: Response,
    span: tuple[float, float],
    circles: tuple[Circle, ...],
) -> EventDensity:
    """What is expected at any place and energy."""
    inner = [value for value in corners(analysis.spectrum) if span[0] < value < span[1]]
    energy = np.unique(np.concatenate([np.geomspace(*span, _N_SPECTRUM)[1:-1], inner, span]))
    frame = response.exposure.frame
    return EventDensity(
        background=background.spread,
        frame=frame,
        background_frame=background.cube.frame,
        span=span,
        energy=energy,
        spectrum=evaluate(analysis.spectrum, energy),
        psf_energy=response.psf.energies,
        exposure_energy=response.exposure.energies,
        circles=np.reshape([chord_around(circle, frame) for circle in circles], (-1, 4)),
    )


def _sharpness(analysis: ImagingAnalysis, response: Response, edges: np.ndarray) -> float:
    photons = spread_photons(analysis.spectrum, edges, response)
    return sharpness(response.psf.theta, mean_profiles(photons, response, 1), np.ones(1))


def _counts_spectrum(
    events: Events, background: Background, span: tuple[float, float]
) -> CountsSpectrum:
    """Events and expected background in the bands of the background."""
    edges = background.cube.energies
    is_selected = (edges[:-1] >= span[0] * (1 - 1e-4)) & (edges[1:] <= span[1] * (1 + 1e-4))
    return CountsSpectrum(
        edges,
        is_selected,
        {
            "data": np.histogram(events.energy, edges)[0].astype(float),
            "background model": background.band_totals(),
        },
    )
