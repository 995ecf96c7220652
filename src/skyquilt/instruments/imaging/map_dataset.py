"""MapDataset files of gammapy: counts, background, exposure, point spread, energy dispersion.

Every map is an image extension, with the axes besides the sky in the table of the same name and
`_BANDS`. Read with astropy alone.
"""

import logging
from typing import Any, NamedTuple

import numpy as np

from skyquilt.config.spectrum import Spectrum
from skyquilt.instruments.imaging.pixel_data import PixelData
from skyquilt.instruments.imaging.profiles import ring_profiles
from skyquilt.instruments.imaging.projection import Projection, read_projection
from skyquilt.instruments.imaging.quantities import (
    COUNTS,
    FaultError,
    get_column,
    get_image,
    join_bins,
)
from skyquilt.instruments.imaging.wcs import pixel_centers, pixel_vertices, to_grid, values_at
from skyquilt.spectra import integrate

logger = logging.getLogger(__name__)

EXTENSIONS = frozenset({"COUNTS", "BACKGROUND", "EXPOSURE", "PSF", "EDISP"})
"""What a file must have to be such a dataset."""

_NOTABLE = 0.01  # change of the point spread function over the sky, of its maximum


class _Map(NamedTuple):
    """One map of a dataset.

    Attributes
    ----------
    values : ndarray of float64, shape (..., n_rows, n_columns)
        Values, by the axes from the last to the first.
    projection : Projection
        Its sky.
    axes : dict of str to ndarray
        Edges of the axes, first to last: ENERGY and ENERGY_TRUE [keV], RAD [deg].
    """

    values: np.ndarray
    projection: Projection
    axes: dict[str, np.ndarray]


def read_map_dataset(hdus: Any, path: str, spectrum: Spectrum, *, normalise: bool) -> PixelData:
    """Read a dataset.

    The point spread function is that in the middle of its map, for all of the sky. Energy
    dispersion is that of each place where the point spread function goes by measured energy, and
    else that in the middle, too.

    Parameters
    ----------
    hdus : astropy.io.fits.HDUList
        The open file.
    path : str
        Its name, for messages.
    spectrum : Spectrum
        Spectrum of the source.
    normalise : bool
        Divide the point spread function by its integral.

    Raises
    ------
    FaultError
        If a map or axis is missing, or maps do not fit each other.
    """
    counts, background = (_read_map(hdus, name, path, COUNTS) for name in ("COUNTS", "BACKGROUND"))
    _check_same(counts, background, "BACKGROUND")
    edges = _axis(counts, "ENERGY", "COUNTS")
    exposure = _read_map(hdus, "EXPOSURE", path, "cm2 s")
    dispersion, spread = _read_map(hdus, "EDISP", path), _read_map(hdus, "PSF", path, "sr-1")
    flux = integrate(spectrum, _axis(exposure, "ENERGY_TRUE", "EXPOSURE"))
    _check_dispersion(dispersion, exposure, edges)
    is_good, is_kept = _read_mask(hdus, counts, path)
    if "ENERGY" in spread.axes:  # a component of the point spread function is a band
        wanted, energies = is_good, edges
        yields, to_band = _band_yields(exposure, dispersion, flux, wanted), np.eye(wanted.size)
    else:
        wanted, energies = flux > 0, exposure.axes["ENERGY_TRUE"]
        yields = flux[wanted, np.newaxis, np.newaxis] * exposure.values[wanted]
        to_band = _in_the_middle(dispersion)
    _check_energies(spread, energies)
    theta, profile = _profiles(spread, wanted, path, normalise)
    vertices, is_on_sky = pixel_vertices(counts.projection)
    is_kept = is_kept[is_on_sky]
    return PixelData(
        path=path,
        frame=counts.projection.frame,
        vertices=vertices[is_kept],
        edges=edges,
        is_good=is_good,
        counts=_by_pixel(counts.values)[is_on_sky][is_kept],
        background=_by_pixel(background.values)[is_on_sky][is_kept],
        yields=to_grid(exposure.projection, yields),
        theta=theta,
        profile=profile,
        to_band=to_band[wanted],
    )


def _read_map(hdus: Any, name: str, path: str, unit: str | None = None) -> _Map:
    hdu, bands = hdus[name], hdus[f"{name}_BANDS"]
    values = get_image(hdu, unit)
    axes = {}
    for number, place in enumerate(reversed(range(values.ndim - 2)), 1):
        low, high = map(str.strip, bands.header[f"AXCOLS{number}"].split(","))
        axis = "ENERGY" if low in ("E_MIN", "ENERGY_MIN") else low.removesuffix("_MIN")
        axes[axis] = _read_edges(bands, low, high, values.shape[:-2], place)
    return _Map(values, read_projection(hdu.header, path), axes)


def _read_edges(bands: Any, low: str, high: str, shape: tuple[int, ...], place: int) -> np.ndarray:
    """Edges of one axis, from a table of all combinations of the bins of all axes."""
    unit = {"RAD_MIN": "deg", "MIGRA_MIN": None}.get(low, "keV")
    columns = [get_column(bands, name, unit) for name in (low, high)]
    if columns[0].size != np.prod(shape):
        raise FaultError(f"{bands.name} has {columns[0].size} rows; its map has the axes {shape}.")
    columns = [column.reshape(shape) for column in columns]
    ends = (np.moveaxis(column, place, -1).reshape(-1, shape[place])[0] for column in columns)
    return join_bins(*ends, f"{low} and {high} of {bands.name}")


def _axis(one: _Map, axis: str, name: str) -> np.ndarray:
    if axis not in one.axes:
        raise FaultError(f"{name} has no axis {axis}; it has {', '.join(one.axes)}.")
    return one.axes[axis]


def _check_same(counts: _Map, other: _Map, name: str) -> None:
    is_same = counts.values.shape == other.values.shape and np.allclose(
        _axis(counts, "ENERGY", "COUNTS"), _axis(other, "ENERGY", name), rtol=1e-6
    )
    if not is_same or counts.projection.wcs.to_header() != other.projection.wcs.to_header():
        raise FaultError(f"COUNTS and {name} have different pixels or energies.")


def _check_dispersion(dispersion: _Map, exposure: _Map, edges: np.ndarray) -> None:
    if "MIGRA" in dispersion.axes:
        raise FaultError(
            "EDISP goes by the ratio of energies (axis MIGRA); needed is a kernel over measured "
            "and true energy: gammapy makes it by `dataset.edisp.to_edisp_kernel_map(energies)`."
        )
    for axis, wanted in (("ENERGY", edges), ("ENERGY_TRUE", exposure.axes["ENERGY_TRUE"])):
        found = _axis(dispersion, axis, "EDISP")
        if found.shape != wanted.shape or not np.allclose(found, wanted, rtol=1e-6):
            raise FaultError(f"EDISP has other bins of {axis} than COUNTS and EXPOSURE.")


def _check_energies(spread: _Map, energies: np.ndarray) -> None:
    axis = "ENERGY" if "ENERGY" in spread.axes else "ENERGY_TRUE"
    found = _axis(spread, axis, "PSF")
    if found.shape != energies.shape or not np.allclose(found, energies, rtol=1e-6):
        raise FaultError(f"PSF has other bins of {axis} than COUNTS and EXPOSURE.")


def _band_yields(
    exposure: _Map, dispersion: _Map, flux: np.ndarray, is_wanted: np.ndarray
) -> np.ndarray:
    """Expected counts in each wanted band, over the pixels of the exposure."""
    vec = pixel_centers(exposure.projection)
    detected = flux[:, np.newaxis] * exposure.values.reshape(flux.size, -1)
    bands = [
        np.sum(detected.T * values_at(dispersion.projection, in_band, vec), axis=1)
        for in_band in np.moveaxis(dispersion.values, 1, 0)[is_wanted]
    ]
    return np.reshape(bands, (-1, *exposure.projection.shape))


def _profiles(
    spread: _Map, is_wanted: np.ndarray, path: str, normalise: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Point spread function in the middle of the map, at the wanted energies."""
    edges = np.radians(_axis(spread, "RAD", "PSF"))
    values, density = spread.values[is_wanted], _in_the_middle(spread)[is_wanted]
    change = np.max(np.abs(values - density[..., np.newaxis, np.newaxis]), axis=(1, 2, 3))
    largest = np.max(change / np.maximum(density.max(axis=1), np.finfo(float).tiny))
    if largest > _NOTABLE:
        logger.info(
            "%s: the point spread function changes over the map by %.0f %% of its maximum; that "
            "in the middle is used",
            path,
            100 * largest,
        )
    return ring_profiles(edges, density, path, normalise=normalise)


def _in_the_middle(one: _Map) -> np.ndarray:
    """Values in the middle of a map, by its axes."""
    row, column = (np.array([(n - 1) // 2, n // 2]) for n in one.projection.shape)
    return one.values[..., row[:, np.newaxis], column].mean(axis=(-2, -1))


def _read_mask(hdus: Any, counts: _Map, path: str) -> tuple[np.ndarray, np.ndarray]:
    """Bands with any pixel, and pixels, that the map MASK_SAFE leaves; all without one."""
    if "MASK_SAFE" not in hdus:
        return np.ones(len(counts.values), bool), np.ones(counts.values[0].size, bool)
    mask = _read_map(hdus, "MASK_SAFE", path)
    _check_same(counts, mask, "MASK_SAFE")
    by_pixel = _by_pixel(mask.values) > 0
    is_good, is_kept = by_pixel.any(axis=0), by_pixel.any(axis=1)
    if np.any(by_pixel != np.outer(is_kept, is_good)):
        raise FaultError(
            "MASK_SAFE leaves out other pixels in one energy than in another; that is not "
            "supported: mask whole energies and whole pixels."
        )
    return is_good, is_kept


def _by_pixel(values: np.ndarray) -> np.ndarray:
    """Planes of an image as columns of its pixels."""
    return values.reshape(len(values), -1).T
