"""Maps of the brightness of a source: FITS images and HEALPix tables."""

import logging
from typing import Any, NamedTuple

import numpy as np

from skyquilt.config.shape import BrightnessMap
from skyquilt.config.units import convert_unit
from skyquilt.errors import InputError
from skyquilt.instruments.imaging.fits_file import open_fits
from skyquilt.instruments.imaging.headers import choose_frame, is_counts
from skyquilt.instruments.imaging.healpix_table import has_pixels, read_table
from skyquilt.instruments.imaging.projection import read_projection
from skyquilt.instruments.imaging.wcs import pixel_vertices
from skyquilt.instruments.imaging.wcs_cube import find_cube_image
from skyquilt.problem.pixel_image import pixel_shapes
from skyquilt.sky.brightness import Brightness
from skyquilt.sky.frames import rotate, rotation

logger = logging.getLogger(__name__)

_TOLERANCE = 1e-3
"""Difference of an integral from 1 that rounding may make."""


class _Pixels(NamedTuple):
    """Pixels of a map as they are in the file.

    Attributes
    ----------
    frame : str
        Their frame.
    corners : ndarray of float64, shape (n, 4, 3)
        Unit vectors.
    area : ndarray of float64, shape (n,)
        Solid angles [sr].
    values : ndarray of float64, shape (n,)
        Values.
    unit : str or None
        Their unit.
    """

    frame: str
    corners: np.ndarray
    area: np.ndarray
    values: np.ndarray
    unit: str | None


def read_brightness(shape: BrightnessMap) -> Brightness:
    """Read the brightness of a source.

    Raises
    ------
    InputError
        If the file is damaged, holds no map or several, a value is negative or not finite, all are
        0, or the integral is not 1.
    ConfigError
        If the frame is not known.
    """
    with open_fits(shape.path) as file:
        is_table = any(has_pixels(hdu) for hdu in file)
        pixels = (_read_table if is_table else _read_image)(file, shape)
    _check_values(pixels.values, shape.path)
    weight = _integrate(pixels, shape)
    kept = weight > 0
    corners = rotate(rotation(pixels.frame, "icrs"), pixels.corners[kept].reshape(-1, 3))
    return Brightness(corners.reshape(-1, 4, 3), weight[kept] / weight[kept].sum())


def _read_table(file: Any, shape: BrightnessMap) -> _Pixels:
    import healpy

    table = read_table(file, shape.path, 1)
    frame = choose_frame(shape.path, table.frame, "shape", shape.frame)
    corners = np.moveaxis(healpy.boundaries(table.nside, table.ipix, step=1), 1, 2)
    area = np.full(len(table.ipix), np.pi / 3 / table.nside**2)
    return _Pixels(frame, corners, area, table.values[:, 0], table.units[0])


def _read_image(file: Any, shape: BrightnessMap) -> _Pixels:
    path = shape.path
    image = find_cube_image(file, path)
    values = np.asarray(image.data, np.float64)
    if values.ndim < 2 or values.size != np.prod(values.shape[-2:]):
        raise InputError(
            f"{path}: the image {image.name} has the shape {values.shape}; one map is needed, of "
            "all energies."
        )
    projection = read_projection(image.header, path, shape.frame)
    corners, is_on_sky = pixel_vertices(projection)
    values, unit = values.ravel(), str(image.header.get("BUNIT", "")).strip() or None
    if n_off := int(np.count_nonzero(values[~is_on_sky] > 0)):
        raise InputError(f"{path}: {n_off} pixels that are bright lie off the sky.")
    area = pixel_shapes(corners)[:, 3]
    return _Pixels(projection.frame, corners, area, values[is_on_sky], unit)


def _check_values(values: np.ndarray, path: str) -> None:
    wrong = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if wrong.size:
        raise InputError(
            f"{path}: {wrong.size} of {values.size} values of the brightness are negative or not "
            f"finite, as {values[wrong[0]]:g} in pixel {wrong[0]}: write 0 where there is none."
        )
    if not values.any():
        raise InputError(f"{path}: the brightness is 0 everywhere.")


def _integrate(pixels: _Pixels, shape: BrightnessMap) -> np.ndarray:
    """Brightness of each pixel; their sum is 1."""
    per_pixel, per_area = pixels.values, pixels.values * pixels.area
    to_density = _density_factor(pixels.unit)
    if shape.normalise:
        is_plain = pixels.unit is not None and to_density is None and is_counts(pixels.unit)
        weight = per_pixel if is_plain else per_area
        return weight / weight.sum()
    if to_density is not None:
        candidates = {f"integral ({pixels.unit})": to_density * per_area}
    elif is_counts(pixels.unit):
        candidates = {"integral (as sr-1)": per_area, "sum of the values": per_pixel}
    else:
        raise InputError(
            f"{shape.path}: its values are in {pixels.unit!r}, which has no integral of 1: "
            "`normalise: true` under shape divides by the integral."
        )
    for what, weight in candidates.items():
        if abs(weight.sum() - 1) <= _TOLERANCE:
            logger.info("%s: %s is %.6g", shape.path, what, weight.sum())
            return weight
    sums = ", the ".join(f"{what} is {weight.sum():.6g}" for what, weight in candidates.items())
    raise InputError(
        f"{shape.path}: the {sums}; it must be 1 to {_TOLERANCE:g}, or the flux would not be that "
        "of the source: `normalise: true` under shape divides by the integral."
    )


def _density_factor(unit: str | None) -> float | None:
    """Factor to sr-1 of a unit of the kind; None of others."""
    if unit is None:
        return None
    try:
        return convert_unit(unit, "sr-1")
    except ValueError:
        return None
