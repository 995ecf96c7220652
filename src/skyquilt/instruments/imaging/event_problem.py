"""Fit problem of photons one by one."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np

from skyquilt.config.energy import EnergySelection
from skyquilt.config.imaging import BackgroundCube, EventList
from skyquilt.config.instrument_analysis import ImagingAnalysis
from skyquilt.config.units import to_value
from skyquilt.errors import ConfigError, InputError
from skyquilt.instruments.backgrounds import background_spectra, describe_scales
from skyquilt.instruments.bands import make_bands
from skyquilt.instruments.imaging.background import (
    Background,
    add_cubes,
    describe_factors,
    read_backgrounds,
)
from skyquilt.instruments.imaging.cube import read_exposure_cube
from skyquilt.instruments.imaging.declared import check_declared
from skyquilt.instruments.imaging.events import ImagingEvents, read_events
from skyquilt.instruments.imaging.field import cut_events_to_field, cut_exposure_to_field
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
    ImagingResponse,
    PhotonNodes,
    event_energies,
    exposure_weights,
    mean_profiles,
    seen_fraction,
    spread_photons,
)
from skyquilt.instruments.imaging.selections import Circle, check_energies
from skyquilt.instruments.imaging.sharpness import sharpness
from skyquilt.instruments.imaging.time_fractions import time_fractions
from skyquilt.problem import CountsSpectrum, Description, EventWise, FitProblem
from skyquilt.problem.backgrounds import BackgroundComponent
from skyquilt.problem.buckets import Buckets
from skyquilt.problem.event_density import EventDensity
from skyquilt.problem.profiles import tabulate
from skyquilt.sky.frames import rotate, rotation
from skyquilt.spectra import describe, integrate
from skyquilt.spectra.models import corners, evaluate

logger = logging.getLogger(__name__)

_NSIDE = 32
"""Resolution of the buckets: pixels of 1.8 deg, of the size of a reach."""
_N_SPECTRUM = 2001
"""Energies at which simulated skies know the spectrum: curved ones to 1e-6 over four decades."""
_SAME_EDGE = 1e-4  # relative; EBOUNDS are often single precision, in another unit


def make_event_problem(
    analysis: ImagingAnalysis,
    section: EventList,
    *,
    all_bins: bool = False,
    true_energy: bool = False,
) -> FitProblem:
    """Build the fit problem of an analysis of an event list, section `events` of its data.

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
    how = {"all_bins": all_bins, "true_energy": true_energy}
    return make_problem_of_events(analysis, section, **how)[0]


def make_problem_of_events(
    analysis: ImagingAnalysis,
    section: EventList,
    *,
    all_bins: bool = False,
    true_energy: bool = False,
) -> tuple[FitProblem, ImagingEvents]:
    """The same, and the events in the order of its bins.

    Raises
    ------
    InputError, ConfigError
        As `make_event_problem`.
    """
    data = analysis.data
    declared = check_declared(data)
    events = read_events(section, data.accept, data.interval)
    of_exposure, of_background = 1.0, dict[str, float]()
    if data.interval is not None:
        of_exposure, of_background = time_fractions(data, declared, events)
    background, components = _read_background(analysis, of_background)
    response = ImagingResponse(
        read_exposure_cube(data.exposure), read_point_spread(data.psf, data.accept)
    )
    if data.interval is not None:
        exposure = response.exposure
        scaled = replace(exposure, values=of_exposure * exposure.values)
        response = response._replace(exposure=scaled)
    span = _energy_span(analysis.energy, background)
    check_energies(events.path, events.selected, span, data.accept)
    events = _select(events, span)
    check_frame(background.cube, events.direction, events.frame, events.path, data.accept)
    if isinstance(response.exposure, HealpixCube):
        warn_of_exposure(background.cube, response.exposure)
    circles, field = events.selected.circles, background.cube
    if circles or not field.is_full:
        events, background = cut_events(events, circles), cut_background(background, circles)
        components = {
            name: replace(one, fraction=background.fraction) for name, one in components.items()
        }
        far = tabulate(response.psf.theta, response.psf.profile, data.lost_fraction).reach.max()
        exposure, reach = response.exposure, float(np.degrees(far))
        if not field.is_full:
            events = cut_events_to_field(events, field)
            exposure = cut_exposure_to_field(exposure, field, reach)
        response = response._replace(exposure=cut_exposure(exposure, circles, reach))
    frame = response.exposure.frame
    direction = rotate(rotation(events.frame, frame), events.direction)
    edges = _band_edges(analysis.energy, background, span)
    expectation, order = _expectation(analysis, response, edges).with_events(
        direction,
        evaluate(analysis.spectrum, events.energy),
        response.psf_positions(events.energy),
        response.exposure_positions(events.energy),
    )
    events = events.keep(order)._replace(frame=frame, direction=expectation.direction)
    if true_energy:
        photons = spread_photons(analysis.spectrum, edges, response)
        by_energy = event_energies(photons, response, events.energy)
        expectation = replace(expectation, by_energy=by_energy)
    if all_bins:
        between = _density(analysis, background, response, span, circles)
        expectation = replace(expectation, density=between)
    if analysis.fit.allow_negative or all_bins:
        most = largest_ratio(analysis.spectrum, background, response, span)
        expectation = replace(expectation, most=most)
    density = background.density(events)
    if len(components) > 1:
        components = {name: replace(one, whole=background) for name, one in components.items()}
    backgrounds = tuple(
        _component(name, one, density if len(components) == 1 else one.density(events), edges)
        for name, one in components.items()
    )
    expected = {one.name: float(one.totals.sum()) for one in backgrounds}
    problem = FitProblem(
        counts=np.ones(len(order)),
        background=density,
        background_total=background.total(span),
        expectation=expectation,
        frame=frame,
        photon_flux=float(integrate(analysis.spectrum, span)[0]),
        description=Description(
            instrument=analysis.instrument,
            spectrum=describe(analysis.spectrum),
            energy_range_keV=span,
            **describe_scales(expected, describe_factors(data.backgrounds(), of_background)),
            n_bins=len(order),
            time_span=events.time_span,
            sharpness_deg=_sharpness(analysis, response, edges[[0, -1]]),
        ),
        counts_spectra={"": _counts_spectrum(events, components, span)},
        known_bands=make_bands(
            analysis.spectrum,
            np.column_stack([edges[:-1], edges[1:]]),
            np.searchsorted(edges[1:-1], events.energy, side="right").astype(np.int64),
            np.arange(len(edges) - 1),
        ),
        known_backgrounds=backgrounds,
    )
    return problem, events


def _component(
    name: str, component: Background, density: np.ndarray, edges: np.ndarray
) -> BackgroundComponent:
    totals = np.array([component.total(span) for span in pairwise(edges)])
    return BackgroundComponent(name, "", 0, density, totals, component.scale)


def _read_background(
    analysis: ImagingAnalysis, fractions: Mapping[str, float]
) -> tuple[Background, dict[str, Background]]:
    """The background, and its components by name; each times a fraction, if one is given."""
    sections = analysis.data.backgrounds()
    cubes = read_backgrounds(sections, _read_cube)
    scales = {name: section.scale * fractions.get(name, 1.0) for name, section in sections.items()}
    whole = add_cubes(cubes, scales)
    components = {
        name: Background(replace(cube, energies=whole.energies), scales[name])
        for name, cube in cubes.items()
    }
    return next(iter(components.values())) if len(cubes) == 1 else Background(whole), components


def _read_cube(section: BackgroundCube, key: str) -> HealpixCube:
    cube = read_bands(section, key)
    if not cube.is_full:
        known = cube.is_known
        cube = replace(cube, ipix=cube.ipix[known], values=cube.values[known])
    if not cube.values.any():
        raise InputError(f"{cube.path}: the expected background is 0 everywhere.")
    return cube


def _band_edges(
    selection: EnergySelection, background: Background, span: tuple[float, float]
) -> np.ndarray:
    """Edges of the bands [keV]: those that the analysis gives, or those of the background."""
    if selection.bands is not None:
        inner = np.array([to_value(text, "keV") for text in selection.bands[1:-1]])
    else:
        inner = background.cube.energies
    is_inside = (inner > span[0] * (1 + _SAME_EDGE)) & (inner < span[1] * (1 - _SAME_EDGE))
    return np.array([span[0], *inner[is_inside], span[1]])


def _energy_span(selection: EnergySelection, background: Background) -> tuple[float, float]:
    """Lowest and highest energy [keV] of the photons that enter the likelihood."""
    edges = background.cube.energies
    if selection.channels is not None or selection.sum_channels:
        raise ConfigError(
            "energy: events have no channels: give `range`, as in [50 GeV, 2 TeV], or nothing for "
            "the energies of the background."
        )
    if (limits := selection.limits()) is None:
        return float(edges[0]), float(edges[-1])
    low, high = (to_value(text, "keV") for text in limits)
    key = "energy.range" if selection.bands is None else "energy.bands"
    if not edges[0] * (1 - _SAME_EDGE) <= low < high <= edges[-1] * (1 + _SAME_EDGE):
        raise InputError(
            f"{background.cube.path}: the background covers {edges[0]:.6g} to {edges[-1]:.6g} keV, "
            f"not {key}, {low:.6g} to {high:.6g} keV."
        )
    return max(low, float(edges[0])), min(high, float(edges[-1]))


def _select(events: ImagingEvents, span: tuple[float, float]) -> ImagingEvents:
    chosen = (events.energy >= span[0]) & (events.energy < span[1])
    n_chosen = int(np.count_nonzero(chosen))
    logger.info(
        "%s: %d of %d events have energies of %.6g to %.6g keV",
        *(events.path, n_chosen, events.energy.size, *span),
    )
    return events.keep(chosen)


def _expectation(
    analysis: ImagingAnalysis, response: ImagingResponse, edges: np.ndarray
) -> EventWise:
    """Expectation without events."""
    seen = _seen_photons(analysis, response, edges[[0, -1]])
    seen_in_bands = _seen_photons(analysis, response, edges)
    return EventWise(
        direction=np.empty((0, 3)),
        flux_density=np.empty(0),
        psf_node=np.empty(0),
        exposure_node=np.empty(0),
        buckets=Buckets.sort(_NSIDE, np.empty((0, 3)))[0],
        exposure=response.grid(),
        total_weight=exposure_weights(seen, response, 1)[0],
        band_weight=exposure_weights(seen_in_bands, response, len(edges) - 1),
        theta=response.psf.theta,
        profile=response.psf.profile,
        lost_fraction=analysis.data.lost_fraction,
    )


def _density(
    analysis: ImagingAnalysis,
    background: Background,
    response: ImagingResponse,
    span: tuple[float, float],
    circles: tuple[Circle, ...],
) -> EventDensity:
    """What is expected at any position and energy."""
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


def _seen_photons(
    analysis: ImagingAnalysis, response: ImagingResponse, edges: np.ndarray
) -> PhotonNodes:
    """Photons of the spectrum in bands, less those that its point spread function loses."""
    photons = spread_photons(analysis.spectrum, edges, response)
    return photons._replace(flux=photons.flux * seen_fraction(photons, response))


def _sharpness(analysis: ImagingAnalysis, response: ImagingResponse, edges: np.ndarray) -> float:
    photons = spread_photons(analysis.spectrum, edges, response)
    return sharpness(response.psf.theta, mean_profiles(photons, response, 1), np.ones(1))


def _counts_spectrum(
    events: ImagingEvents, components: dict[str, Background], span: tuple[float, float]
) -> CountsSpectrum:
    """Events and expected background in the bands of the background."""
    edges = next(iter(components.values())).cube.energies
    is_selected = (edges[:-1] >= span[0] * (1 - _SAME_EDGE)) & (
        edges[1:] <= span[1] * (1 + _SAME_EDGE)
    )
    each = {name: one.band_totals()[np.newaxis] for name, one in components.items()}
    return CountsSpectrum(
        edges,
        is_selected,
        {"data": np.histogram(events.energy, edges)[0].astype(float)} | background_spectra(each),
    )
