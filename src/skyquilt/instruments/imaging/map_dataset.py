"""MapDataset files of gammapy: counts, background, exposure, point spread, energy dispersion.

Every map is an image extension, or of a region a table, with the axes besides the sky in the table
of the same name and `_BANDS`. Read with astropy alone.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from skyquilt.config.imaging_file import FileBackground
from skyquilt.config.spectrum import Spectrum
from skyquilt.instruments.imaging.components import choose_known, has_density
from skyquilt.instruments.imaging.dispersion import to_kernel
from skyquilt.instruments.imaging.file_backgrounds import by_pixel, read_file_backgrounds
from skyquilt.instruments.imaging.map_file import StoredMap, read_map
from skyquilt.instruments.imaging.missing import is_possible
from skyquilt.instruments.imaging.pixel_data import PixelData
from skyquilt.instruments.imaging.profiles import node_profiles, ring_profiles
from skyquilt.instruments.imaging.projection import find_difference
from skyquilt.instruments.imaging.quantities import COUNTS, FaultError
from skyquilt.instruments.imaging.wcs import pixel_centers, pixel_vertices, to_grid, values_at
from skyquilt.instruments.imaging.wcs_cube import WcsCube
from skyquilt.problem.spread_nodes import SpreadNodes
from skyquilt.problem.true_energy import TrueEnergy
from skyquilt.sky.frames import rotate, rotation
from skyquilt.spectra import integrate
from skyquilt.spectra.models import corners

logger = logging.getLogger(__name__)

EXTENSIONS = frozenset({"COUNTS", "BACKGROUND", "EXPOSURE", "PSF", "EDISP"})
"""What a file must have to be such a dataset."""

_NOTABLE = 0.01  # change of the point spread function over the sky, of its maximum


class _Response(NamedTuple):
    """Response by component: ranges of true energy, or bands.

    Attributes
    ----------
    yields : ndarray of float64, shape (n_component, n_rows, n_columns)
        Expected counts of unit flux over the image of the exposure; NaN where not known.
    to_band : ndarray of float64, shape (n_component, n_band)
        Probability of each band.
    theta, profile : ndarray of float64
        Point spread functions; see `PixelData`.
    true_energy : callable
        Gives exposures over the image, shape (n_node, n_rows, n_columns), and for each its bin of
        true energy and its component.
    """

    yields: np.ndarray
    to_band: np.ndarray
    theta: np.ndarray
    profile: np.ndarray
    true_energy: Callable[[], tuple[np.ndarray, np.ndarray, np.ndarray]]


def read_map_dataset(
    hdus: Any,
    path: str,
    spectrum: Spectrum,
    sections: Mapping[str, FileBackground],
    *,
    normalise: bool,
) -> PixelData:
    """Read a dataset.

    The point spread function is that in the middle of its map, for all of the sky. Energy
    dispersion is that of each position where the point spread function goes by measured energy, and
    else that in the middle, too. Maps may have different frames, axes edges or nodes; energies
    without exposure need no response.

    Parameters
    ----------
    hdus : astropy.io.fits.HDUList
        The open file.
    path : str
        Its name, for messages.
    spectrum : Spectrum
        Spectrum of the source.
    sections : dict of str to FileBackground
        Sections of the components of the background.
    normalise : bool
        Divide the point spread function by its integral.

    Raises
    ------
    FaultError
        If a map or axis is missing, maps do not fit each other, or values are impossible.
    """
    counts = _read_image(hdus, "COUNTS", path, COUNTS).by_axes("ENERGY")
    background = _read_image(hdus, "BACKGROUND", path, COUNTS).by_axes("ENERGY")
    _check_same(counts, background)
    exposure = _read_image(hdus, "EXPOSURE", path, "cm2 s").by_axes("ENERGY_TRUE")
    _check_exposure(exposure)
    edisp, spread = read_map(hdus, "EDISP", path), read_map(hdus, "PSF", path, "sr-1")
    dispersion = to_kernel(edisp, exposure.axis("ENERGY_TRUE"), counts.axis("ENERGY"))
    is_safe = _read_mask(hdus, counts, path)
    flux = integrate(spectrum, exposure.axis("ENERGY_TRUE").edges)
    is_good = np.any(is_safe, axis=0)
    if "ENERGY" in spread.axes:
        response = _by_band(exposure, dispersion, spread, flux, is_good, path, normalise)
    else:
        response = _by_true_energy(exposure, dispersion, spread, flux, path, normalise)
    true_edges = exposure.axis("ENERGY_TRUE").edges

    def true_energy() -> SpreadNodes:
        images, bins, component = response.true_energy()
        borders = [*corners(spectrum), *counts.axis("ENERGY").edges]
        axis = TrueEnergy.of_bins(true_edges, borders).take(bins)
        grid = to_grid(exposure.image, images)
        return SpreadNodes(axis, grid, np.arange(bins.size), component)

    vertices, is_on_sky = pixel_vertices(counts.image)
    is_kept = np.any(is_safe, axis=1)[is_on_sky]
    _check_on_sky(counts, is_safe & ~is_on_sky[:, np.newaxis])
    edges, observed = counts.axis("ENERGY").edges, by_pixel(counts.values)
    cube = WcsCube(path, counts.image, observed, edges)
    backgrounds = read_file_backgrounds(sections, cube, by_pixel(background.values))
    frame = exposure.image.frame
    return PixelData(
        path=path,
        frame=frame,
        vertices=_turn(vertices[is_kept], counts.image.frame, frame),
        edges=edges,
        is_good=is_good,
        counts=observed[is_on_sky][is_kept],
        backgrounds={name: values[is_on_sky][is_kept] for name, values in backgrounds.items()},
        yields=to_grid(exposure.image, response.yields),
        theta=response.theta,
        profile=response.profile,
        to_band=response.to_band,
        true_energy=true_energy,
        true_edges=true_edges,
        is_safe=is_safe[is_on_sky][is_kept],
    )


def _read_image(hdus: Any, name: str, path: str, unit: str | None = None) -> StoredMap:
    """A map that must be an image."""
    found = read_map(hdus, name, path, unit)
    _ = found.image
    return found


def _turn(vertices: np.ndarray, from_frame: str, to_frame: str) -> np.ndarray:
    if from_frame == to_frame:
        return vertices
    turned = rotate(rotation(from_frame, to_frame), vertices.reshape(-1, 3))
    return np.ascontiguousarray(turned.reshape(vertices.shape))


def _check_same(counts: StoredMap, other: StoredMap) -> None:
    difference = find_difference(counts.image, other.image)
    if difference is None and not counts.axis("ENERGY").is_same(other.axis("ENERGY")):
        difference = (
            f"the energies are {counts.axis('ENERGY').edges} keV in the first and "
            f"{other.axis('ENERGY').edges} keV in the second"
        )
    if difference is not None:
        raise FaultError(
            f"COUNTS and {other.name} have different pixels or energies: {difference}."
        )


def _check_on_sky(counts: StoredMap, is_off: np.ndarray) -> None:
    lost = by_pixel(counts.values)[is_off]
    if np.any(lost > 0):
        raise FaultError(
            f"COUNTS has {np.nansum(lost):g} counts in pixels that lie off the sky, wholly or in "
            "part; cut the map to those that lie on it."
        )


def _check_exposure(exposure: StoredMap) -> None:
    if not np.isfinite(exposure.values).any():
        raise FaultError("EXPOSURE: all values are not finite.")
    is_unknown = np.isnan(exposure.values)
    if is_unknown.any():
        logger.info(
            "%s: EXPOSURE is not known (NaN) in %d pixels; directions there have no flux",
            *(exposure.image.path, np.sum(is_unknown.any(axis=0))),
        )
    is_bad = ~is_possible(exposure.values) & ~is_unknown
    if is_bad.any():
        raise FaultError(f"EXPOSURE: {np.sum(is_bad)} values are negative or infinite.")


def _by_true_energy(
    exposure: StoredMap,
    dispersion: StoredMap,
    spread: StoredMap,
    flux: np.ndarray,
    path: str,
    normalise: bool,
) -> _Response:
    """Response with a component for each true energy."""
    spread = spread.by_axes("ENERGY_TRUE", "RAD")
    centers = exposure.axis("ENERGY_TRUE").centers
    is_same = spread.axis("ENERGY_TRUE").is_same(exposure.axis("ENERGY_TRUE"))
    if not is_same:
        spread = _at_energies(spread, centers)
    to_band = dispersion.in_the_middle()
    yields = flux[:, np.newaxis, np.newaxis] * exposure.values
    is_known = has_density(spread.in_the_middle()) & np.isfinite(to_band).all(axis=1)
    photons = np.nansum(yields, axis=(1, 2)) * np.nan_to_num(to_band, nan=1.0).sum(axis=1)
    wanted = (flux > 0) & choose_known(is_known, photons, centers, path)
    profiles = _profiles(spread, wanted, path, normalise)
    bins = np.flatnonzero(wanted)
    return _Response(
        *(yields[wanted], to_band[wanted], *profiles),
        true_energy=lambda: (exposure.values[wanted], bins, np.arange(bins.size)),
    )


def _by_band(
    exposure: StoredMap,
    dispersion: StoredMap,
    spread: StoredMap,
    flux: np.ndarray,
    is_good: np.ndarray,
    path: str,
    normalise: bool,
) -> _Response:
    """Response with a component for each band of measured energy that the mask leaves."""
    spread = spread.by_axes("ENERGY", "RAD")
    energy = dispersion.axis("ENERGY")
    if not spread.axis("ENERGY").is_same(energy):
        raise FaultError("PSF has other bins of ENERGY than COUNTS and EXPOSURE.")
    yields = np.zeros((len(is_good), *exposure.image.shape))
    yields[is_good] = _band_yields(exposure, dispersion, flux, is_good)
    photons = np.nansum(yields, axis=(1, 2))
    wanted = is_good & choose_known(
        has_density(spread.in_the_middle()), photons, energy.centers, path
    )
    profiles = _profiles(spread, wanted, path, normalise)
    return _Response(
        *(yields[wanted], np.eye(len(is_good))[wanted], *profiles),
        true_energy=lambda: _band_exposures(exposure, dispersion, flux > 0, wanted),
    )


def _band_exposures(
    exposure: StoredMap, dispersion: StoredMap, is_seen: np.ndarray, wanted: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Exposure of each true energy in each wanted band; their bins, and numbers of the bands."""
    bins = np.flatnonzero(is_seen)
    n_band = int(wanted.sum())
    images = np.empty((bins.size, n_band, *exposure.image.shape))
    for band, fraction in enumerate(_band_fractions(exposure, dispersion, wanted)):
        counts = _detected(exposure.values, fraction)[:, bins]
        images[:, band] = counts.T.reshape(-1, *exposure.image.shape)
    return (
        images.reshape(-1, *exposure.image.shape),
        np.repeat(bins, n_band),
        np.tile(np.arange(n_band), bins.size),
    )


def _at_energies(spread: StoredMap, energy: np.ndarray) -> StoredMap:
    """Point spread function at other true energies, linear in their logarithm."""
    axis = spread.axis("ENERGY_TRUE")
    outside = (energy < axis.edges[0] * (1 - 1e-4)) | (energy > axis.edges[-1] * (1 + 1e-4))
    position = np.interp(np.log(energy), np.log(axis.centers), np.arange(len(axis.centers)))
    first = np.minimum(position.astype(np.int64), max(len(axis.centers) - 2, 0))
    last = np.minimum(first + 1, len(axis.centers) - 1)
    fraction = (position - first)[:, np.newaxis, np.newaxis, np.newaxis]
    values = np.where(fraction < 1, (1 - fraction) * spread.values[first], 0.0)
    values = values + np.where(fraction > 0, fraction * spread.values[last], 0.0)
    values[outside] = np.nan
    return spread._replace(values=values)


def _band_yields(
    exposure: StoredMap, dispersion: StoredMap, flux: np.ndarray, is_wanted: np.ndarray
) -> np.ndarray:
    """Expected counts in each wanted band, over the pixels of the exposure."""
    photons = flux[:, np.newaxis] * exposure.values.reshape(flux.size, -1)
    bands = [
        np.sum(_detected(photons, fraction), axis=1)
        for fraction in _band_fractions(exposure, dispersion, is_wanted)
    ]
    return np.reshape(bands, (-1, *exposure.image.shape))


def _band_fractions(
    exposure: StoredMap, dispersion: StoredMap, is_wanted: np.ndarray
) -> Iterator[np.ndarray]:
    """Fraction of the photons of each true energy in each wanted band, (n_pixel or 1, n_true)."""
    for in_band in np.moveaxis(dispersion.values, 1, 0)[is_wanted]:
        if dispersion.projection is None:
            yield in_band[np.newaxis, :, 0, 0]
        else:
            vec = pixel_centers(exposure.image)
            vec = _turn(vec, exposure.image.frame, dispersion.projection.frame)
            yield values_at(dispersion.projection, in_band, vec)


def _detected(photons: np.ndarray, fraction: np.ndarray) -> np.ndarray:
    """Photons of each true energy in a band, shape (n_pixel, n_true)."""
    each = photons.reshape(len(photons), -1).T
    counts = each * fraction
    counts[each == 0] = 0  # the fraction need not be known there
    return counts


def _profiles(
    spread: StoredMap, is_wanted: np.ndarray, path: str, normalise: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Point spread function in the middle of the map, at the wanted energies."""
    axis = spread.axis("RAD")
    values, density = spread.values[is_wanted], spread.in_the_middle()[is_wanted]
    change = np.abs(values - density[..., np.newaxis, np.newaxis])
    change = np.max(np.nan_to_num(change), axis=(1, 2, 3), initial=0)
    largest = np.max(change / np.maximum(density.max(axis=1), np.finfo(float).tiny), initial=0)
    if largest > _NOTABLE:
        logger.info(
            "%s: the point spread function changes over the map by %.0f %% of its maximum; that "
            "in the middle is used",
            path,
            100 * largest,
        )
    if not is_wanted.any():
        raise FaultError("no photons are expected in any band that the mask leaves.")
    if axis.nodes is not None:
        return node_profiles(np.radians(axis.nodes), density, path, normalise=normalise)
    return ring_profiles(np.radians(axis.edges), density, path, normalise=normalise)


def _read_mask(hdus: Any, counts: StoredMap, path: str) -> np.ndarray:
    """Bins that the map MASK_SAFE leaves, shape (n_pixel, n_band); all without one."""
    if "MASK_SAFE" not in hdus:
        return np.ones(by_pixel(counts.values).shape, bool)
    mask = _read_image(hdus, "MASK_SAFE", path).by_axes("ENERGY")
    _check_same(counts, mask)
    if not np.any(mask.values > 0):
        raise FaultError("MASK_SAFE leaves no bin.")
    return by_pixel(mask.values) > 0
