"""Fit problem of photons counted in pixels and energy bands."""

import numpy as np

from skyquilt.config.analysis import Analysis
from skyquilt.config.energy import EnergySelection
from skyquilt.config.units import to_value
from skyquilt.errors import ConfigError, InputError
from skyquilt.instruments.imaging.background import describe_scale
from skyquilt.instruments.imaging.cube import SkyCube, read_band_cube, read_exposure_cube
from skyquilt.instruments.imaging.frame_check import warn_of_exposure
from skyquilt.instruments.imaging.healpix_cube import HealpixCube
from skyquilt.instruments.imaging.point_spread_file import read_point_spread
from skyquilt.instruments.imaging.response import (
    Response,
    exposure_weights,
    mean_profiles,
    spread_photons,
)
from skyquilt.instruments.imaging.times import read_time_span
from skyquilt.problem import CountsSpectrum, Description, FitProblem, PointSpread
from skyquilt.problem.pixel_image import find_hits
from skyquilt.sky.frames import rotate, rotation
from skyquilt.spectra import describe, integrate

_SAME_EDGE = 1e-3  # relative; EBOUNDS are often single precision, in another unit


def make_cube_problem(analysis: Analysis, *, all_bins: bool = False) -> FitProblem:
    """Build the fit problem of an analysis of a counts cube.

    With `all_bins` all bins with background are kept, not only those with counts.

    Raises
    ------
    InputError
        If a file is damaged, files do not fit each other, or there is nothing to fit.
    ConfigError
        If a frame or a unit is not known, or the energies are no bands of the cube.
    """
    data = analysis.data
    counts = read_band_cube(data.counts, "data.counts")
    background = read_band_cube(data.background, "data.background")
    response = Response(read_exposure_cube(data.exposure), read_point_spread(data.psf))
    check_same_cube(counts, background)
    if isinstance(background, HealpixCube) and isinstance(response.exposure, HealpixCube):
        warn_of_exposure(background, response.exposure)
    bands = slice(*select_bands(counts, analysis.energy))
    edges = counts.energies[bands.start : bands.stop + 1]
    expected = background.values * data.background.scale
    _check_background(counts, background, bands)
    vertices = pixel_corners(counts, response.exposure.frame)
    image, place = find_hits(vertices, (expected if all_bins else counts.values)[:, bands])
    if not counts.values[:, bands].any():
        raise InputError(f"{counts.path}: all counts are 0 in the chosen energies.")
    photons, n_band = spread_photons(analysis.spectrum, edges, response), len(edges) - 1
    return FitProblem(
        counts=counts.values[:, bands].ravel()[place],
        background=expected[:, bands].ravel()[place],
        background_total=float(expected[:, bands].sum()),
        expectation=PointSpread(
            image=image,
            yields=response.grid(exposure_weights(photons, response, n_band)),
            theta=response.psf.theta,
            profile=mean_profiles(photons, response, n_band),
            to_band=np.eye(n_band),
            lost_fraction=data.lost_fraction,
        ),
        frame=response.exposure.frame,
        photon_flux=float(integrate(analysis.spectrum, edges).sum()),
        description=Description(
            instrument=analysis.instrument,
            spectrum=describe(analysis.spectrum),
            energy_range_keV=(float(edges[0]), float(edges[-1])),
            background_scale=data.background.scale,
            background_scale_from=describe_scale(data.background.scale),
            n_bins=len(vertices) * n_band,
            time_span=read_time_span(counts.path),
        ),
        counts_spectra={"": _counts_spectrum(counts, expected, bands)},
    )


def check_same_cube(counts: SkyCube, background: SkyCube) -> None:
    """Check that two cubes have the same pixels and bands.

    Raises
    ------
    InputError
        If they differ.
    """
    if type(counts) is not type(background):
        raise InputError(
            f"{counts.path} and {background.path}: one is in HEALPix pixels, the other in those of "
            "an image; they must agree."
        )
    difference = counts.find_difference(background)
    sizes = len(counts.energies) - 1, len(background.energies) - 1
    if difference is None and sizes[0] != sizes[1]:
        difference = f"the number of bands is {sizes[0]} in the first and {sizes[1]} in the second"
    if difference is not None:
        raise InputError(f"{counts.path} and {background.path}: {difference}; they must agree.")
    if np.any(np.abs(counts.energies / background.energies - 1) > _SAME_EDGE):
        raise InputError(
            f"{counts.path} and {background.path}: bands of {counts.energies} keV in the first and "
            f"{background.energies} keV in the second; they must agree."
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
    if selection.range is None:
        return 0, n_band
    wanted = [to_value(text, "keV") for text in selection.range]
    nearest = [int(np.argmin(np.abs(np.log(edges / energy)))) for energy in wanted]
    for energy, place in zip(wanted, nearest, strict=True):
        if abs(edges[place] / energy - 1) > _SAME_EDGE:
            raise ConfigError(
                f"energy.range: {energy:.6g} keV is no edge of a band of {cube.path}; the nearest "
                f"is {edges[place]:.6g} keV, all are {', '.join(f'{edge:.6g}' for edge in edges)}."
            )
    if nearest[0] >= nearest[1]:
        raise ConfigError(f"energy.range {list(selection.range)}: the first must lie below.")
    return nearest[0], nearest[1]


def pixel_corners(cube: SkyCube, frame: str) -> np.ndarray:
    """Corners of the pixels of a cube, turned into a frame, shape (n_pixel, n_vertex, 3)."""
    corners = cube.corners()
    turned = rotate(rotation(cube.frame, frame), corners.reshape(-1, 3))
    return np.ascontiguousarray(turned.reshape(corners.shape))


def _check_background(counts: SkyCube, background: SkyCube, bands: slice) -> None:
    is_bad = (counts.values[:, bands] > 0) & ~(background.values[:, bands] > 0)
    if is_bad.any():
        n_counts = counts.values[:, bands][is_bad].sum()
        raise InputError(
            f"{background.path}: {int(is_bad.sum())} bins with {n_counts:g} counts have no "
            "expected background, and no finite likelihood: give the background a value wherever "
            "there are counts, or choose other energies."
        )


def _counts_spectrum(counts: SkyCube, expected: np.ndarray, bands: slice) -> CountsSpectrum:
    channel = np.arange(len(counts.energies) - 1)
    return CountsSpectrum(
        counts.energies,
        (channel >= bands.start) & (channel < bands.stop),
        {"data": counts.values.sum(axis=0), "background model": expected.sum(axis=0)},
    )
