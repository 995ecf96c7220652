"""Fit problem of photons counted in pixels and energy bands."""

import logging

import numpy as np

from skyquilt.config.energy import EnergySelection
from skyquilt.config.imaging import CountsCube
from skyquilt.config.instrument_analysis import ImagingAnalysis
from skyquilt.config.units import to_value
from skyquilt.errors import ConfigError, InputError
from skyquilt.instruments.backgrounds import (
    add,
    background_spectra,
    describe_scales,
    labels,
)
from skyquilt.instruments.bands import group_channels, make_bands
from skyquilt.instruments.imaging.background import add_cubes, describe_factors, read_backgrounds
from skyquilt.instruments.imaging.cube import (
    SAME_EDGE,
    SkyCube,
    read_band_cube,
    read_exposure_cube,
)
from skyquilt.instruments.imaging.declared import check_declared
from skyquilt.instruments.imaging.frame_check import warn_of_exposure
from skyquilt.instruments.imaging.healpix_cube import HealpixCube
from skyquilt.instruments.imaging.kept_bins import kept_bins
from skyquilt.instruments.imaging.point_spread_file import read_point_spread
from skyquilt.instruments.imaging.region import check_circles
from skyquilt.instruments.imaging.response import (
    ImagingResponse,
    band_nodes,
    exposure_weights,
    mean_profiles,
    spread_photons,
)
from skyquilt.instruments.imaging.selections import check_energies
from skyquilt.instruments.imaging.sharpness import sharpness
from skyquilt.instruments.imaging.times import read_time_span
from skyquilt.instruments.judge import object_to
from skyquilt.problem import CountsSpectrum, Description, FitProblem, PointSpread
from skyquilt.problem.backgrounds import BackgroundComponent
from skyquilt.problem.empty_bins import fill_background
from skyquilt.problem.pixel_image import find_hits, pixel_shapes
from skyquilt.sky.frames import rotate, rotation
from skyquilt.spectra import describe, integrate

logger = logging.getLogger(__name__)


def make_cube_problem(
    analysis: ImagingAnalysis,
    cube: CountsCube,
    *,
    all_bins: bool = False,
    true_energy: bool = False,
) -> FitProblem:
    """Build the fit problem of an analysis of a counts cube, section `counts` of its data.

    With `all_bins` all bins with background are kept, not only those with counts; all there are
    where fluxes below zero are fitted. With `true_energy` exposures per node of true energy are
    kept, too, so that spectra may vary.

    Raises
    ------
    InputError
        If a file is damaged, files do not fit each other, or there is nothing to fit.
    ConfigError
        If a frame or a unit is not known, or the energies are no bands of the cube.
    """
    data = analysis.data
    selected = check_declared(data).counts.selected()
    counts = read_band_cube(cube, "data.counts")
    sections = data.backgrounds()
    cubes = read_backgrounds(sections, read_band_cube, counts)
    scales = {name: section.scale for name, section in sections.items()}
    background = add_cubes(cubes, scales)
    response = ImagingResponse(
        read_exposure_cube(data.exposure), read_point_spread(data.psf, data.accept)
    )
    if isinstance(background, HealpixCube) and isinstance(response.exposure, HealpixCube):
        warn_of_exposure(background, response.exposure)
    bands = slice(*select_bands(counts, analysis.energy))
    edges = counts.energies[bands.start : bands.stop + 1]
    for unknown in selected.unknown:
        object_to(data.accept, "selection", f"{counts.path}: {unknown}.")
    check_energies(counts.path, selected, (float(edges[0]), float(edges[-1])), data.accept)
    kept = _find_kept(counts, background)
    observed = counts.values[kept][:, bands]
    each = {name: cube.values[kept] * scales[name] for name, cube in cubes.items()}
    all_expected = add(each)
    expected = all_expected[:, bands]
    _check_background(observed, expected, labels(sections))
    vertices = pixel_corners(counts, response.exposure.frame, kept)
    chosen = kept_bins(analysis, observed, expected, all_bins=all_bins)
    check_circles(counts.path, selected, vertices, response.exposure.frame, expected, data.accept)
    image, index = find_hits(vertices, chosen)
    photons, n_band = spread_photons(analysis.spectrum, edges, response), len(edges) - 1
    yields = response.grid(exposure_weights(photons, response, n_band))
    profile = mean_profiles(photons, response, n_band)
    band_edges, of_channel = group_channels(edges, analysis.energy, counts.path, SAME_EDGE)
    components = tuple(
        BackgroundComponent(
            name,
            "",
            0,
            values[:, bands].ravel()[index],
            np.bincount(of_channel, values[:, bands].sum(axis=0)),
            scales[name],
        )
        for name, values in each.items()
    )
    return FitProblem(
        counts=observed.ravel()[index],
        background=fill_background(expected.ravel()[index]),
        background_total=float(expected.sum()),
        expectation=PointSpread(
            image=image,
            yields=yields,
            theta=response.psf.theta,
            profile=profile,
            to_band=np.eye(n_band),
            lost_fraction=data.lost_fraction,
            by_energy=band_nodes(photons, response, n_band) if true_energy else None,
        ),
        frame=response.exposure.frame,
        photon_flux=float(integrate(analysis.spectrum, edges).sum()),
        description=Description(
            instrument=analysis.instrument,
            spectrum=describe(analysis.spectrum),
            energy_range_keV=(float(edges[0]), float(edges[-1])),
            **describe_scales(
                {one.name: float(one.totals.sum()) for one in components},
                describe_factors(sections),
            ),
            n_bins=len(vertices) * n_band,
            n_masked_bins=(len(counts.values) - len(vertices)) * n_band,
            n_masked_counts=float(np.nansum(counts.values[:, bands]) - observed.sum()),
            time_span=read_time_span(counts.path),
            sharpness_deg=sharpness(
                response.psf.theta,
                profile,
                yields.values.mean(axis=0),
                float(pixel_shapes(vertices)[:, 3].mean()),
            ),
        ),
        counts_spectra={"": _counts_spectrum(counts, counts.values[kept], each, bands)},
        known_bands=make_bands(
            analysis.spectrum, band_edges, of_channel[image.bin_band], of_channel
        ),
        known_backgrounds=components,
    )


def select_bands(cube: SkyCube, selection: EnergySelection) -> tuple[int, int]:
    """Range [first, last + 1) of the bands that enter the likelihood.

    Raises
    ------
    ConfigError
        If there are no such bands.
    """
    n_band, edges = len(cube.energies) - 1, cube.energies
    if selection.sum_channels:
        raise ConfigError("energy.sum_channels: bands of an imaging instrument are not added.")
    if selection.channels is not None:
        if selection.channels[1] > n_band:
            raise ConfigError(
                f"energy.channels {list(selection.channels)}: {cube.path} has {n_band} bands."
            )
        return selection.channels
    if (limits := selection.limits()) is None:
        return 0, n_band
    key = "energy.range" if selection.bands is None else "energy.bands"
    wanted = [to_value(text, "keV") for text in limits]
    nearest = [int(np.argmin(np.abs(np.log(edges / energy)))) for energy in wanted]
    for energy, index in zip(wanted, nearest, strict=True):
        if abs(edges[index] / energy - 1) > SAME_EDGE:
            raise ConfigError(
                f"{key}: {energy:.6g} keV is no edge of a band of {cube.path}; the nearest "
                f"is {edges[index]:.6g} keV, all are {', '.join(f'{edge:.6g}' for edge in edges)}."
            )
    if nearest[0] >= nearest[1]:
        raise ConfigError(f"{key} {list(limits)}: the first must lie below.")
    return nearest[0], nearest[1]


def pixel_corners(cube: SkyCube, frame: str, kept: slice | np.ndarray) -> np.ndarray:
    """Corners of some pixels of a cube, turned into a frame, shape (n_pixel, n_vertex, 3)."""
    is_kept = np.zeros(len(cube.values), bool)
    is_kept[kept] = True
    corners = cube.corners(is_kept)
    turned = rotate(rotation(cube.frame, frame), corners.reshape(-1, 3))
    return np.ascontiguousarray(turned.reshape(corners.shape))


def _find_kept(counts: SkyCube, background: SkyCube) -> slice | np.ndarray:
    """Pixels where both counts and background are known; others are no part of the observation."""
    is_kept = counts.is_known & background.is_known
    if is_kept.all():
        return slice(None)
    if not is_kept.any():
        raise InputError(
            f"{counts.path} and {background.path}: no pixel has a value in both of them."
        )
    logger.info(
        "%s: %d of %d pixels have no counts or no background that is known; they are left out, "
        "with %g counts",
        *(counts.path, np.sum(~is_kept), len(is_kept), np.nansum(counts.values[~is_kept])),
    )
    return is_kept


def _check_background(counts: np.ndarray, expected: np.ndarray, path: str) -> None:
    is_bad = (counts > 0) & ~(expected > 0)
    if is_bad.any():
        raise InputError(
            f"{path}: {int(is_bad.sum())} bins with {counts[is_bad].sum():g} counts have no "
            "expected background, and no finite likelihood: give the background a value wherever "
            "there are counts, or choose other energies."
        )


def _counts_spectrum(
    cube: SkyCube, counts: np.ndarray, backgrounds: dict[str, np.ndarray], bands: slice
) -> CountsSpectrum:
    channel = np.arange(len(cube.energies) - 1)
    return CountsSpectrum(
        cube.energies,
        (channel >= bands.start) & (channel < bands.stop),
        {"data": counts.sum(axis=0)} | background_spectra(backgrounds),
    )
