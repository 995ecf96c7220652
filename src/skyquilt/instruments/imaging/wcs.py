"""Images in a projection of the sky (FITS WCS): corners of their pixels, values between them."""

import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.imaging.projection import (
    Projection,
    closed_axis,
    find_off_sky,
    n_turns,
    to_image,
    to_vec,
)
from skyquilt.problem.sky_grid import HealpixGrid
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.sky.pixels import MAX_NSIDE, nest_to_ring
from skyquilt.sky.regions import cone, ipix_from_ranges

_ONCE = 1e-6  # turns beyond the first
_MOST = 2e8  # HEALPix pixels that an image may be put on: 2 GB per quantity


def pixel_vertices(projection: Projection) -> tuple[np.ndarray, np.ndarray]:
    """Corners of the pixels of an image.

    Parameters
    ----------
    projection : Projection
        The image.

    Returns
    -------
    vertices : ndarray of float64, shape (n, 4, 3)
        Unit vectors, counter-clockwise as seen from outside the sphere, of the pixels that lie
        on the sky, row by row.
    is_on_sky : ndarray of bool, shape (n_rows * n_columns,)
        Which pixels those are: a projection of the whole sky leaves the corners of its image
        empty.

    Raises
    ------
    InputError
        If the image shows a part of the sky twice.
    """
    n_rows, n_columns = projection.shape
    if n_turns(projection) > 1 + _ONCE:
        raise InputError(
            f"{projection.path}: the image goes {n_turns(projection):.6g} times around the sky, so "
            "that some pixels are there twice; cut it to one turn."
        )
    row, column = np.indices((n_rows + 1, n_columns + 1)) - 0.5
    corners = to_vec(projection, column, row)
    around = [corners[:-1, :-1], corners[:-1, 1:], corners[1:, 1:], corners[1:, :-1]]
    vertices = np.stack(around, axis=2).reshape(-1, 4, 3)
    is_on_sky = np.all(np.isfinite(vertices), axis=(1, 2))
    vertices = vertices[is_on_sky]
    diagonals = np.cross(vertices[:, 2] - vertices[:, 0], vertices[:, 3] - vertices[:, 1])
    is_clockwise = np.sum(diagonals * vertices.sum(axis=1), axis=-1) < 0
    vertices[is_clockwise] = vertices[is_clockwise][:, ::-1]
    return vertices, is_on_sky


def to_grid(projection: Projection, values: np.ndarray) -> HealpixGrid:
    """Values of an image at the centres of HEALPix pixels no larger than its own.

    Bilinear between the centres of the image's pixels; beyond them, as far as the interpolation
    between the HEALPix pixels of the image reaches, the values of its edge. Other HEALPix pixels
    are not known.

    Parameters
    ----------
    projection : Projection
        The image.
    values : ndarray of float64, shape (n_quantity, n_rows, n_columns)
        Smooth quantities, such as exposure; NaN in pixels that are not known.

    Raises
    ------
    InputError
        If no value is known, or the pixels of the image are too small for its size.
    """
    nside, ipix = _pixels(projection)
    vec = nest_to_vec(nside, ipix)
    column, row = to_image(projection, vec)
    margin = 2.0  # pixels: HEALPix pixels are no larger, and interpolation takes the next ones
    is_near = _is_within(row, projection.shape[0], margin)
    is_near &= _is_within(column, projection.shape[1], margin)
    at_pixels = values_at(projection, values, vec[is_near])
    is_known = np.all(np.isfinite(at_pixels), axis=1)
    if not is_known.any():
        raise InputError(f"{projection.path}: all values are not finite.")
    ipix = nest_to_ring(nside, ipix[is_near][is_known])
    order = np.argsort(ipix)
    return HealpixGrid(nside, at_pixels[is_known][order], ipix[order])


def values_at(projection: Projection, values: np.ndarray, vec: np.ndarray) -> np.ndarray:
    """Values of an image at directions: bilinear, and beyond its edge as at the edge.

    Parameters
    ----------
    projection : Projection
        The image.
    values : ndarray of float64, shape (n_quantity, n_rows, n_columns)
        Smooth quantities, such as exposure; NaN in pixels that are not known.
    vec : ndarray of float64, shape (n, 3)
        Directions that the projection shows, in its frame.

    Returns
    -------
    ndarray of float64, shape (n, n_quantity)
        Values; NaN where the nearest pixel is not known, or the projection has no position for the
        direction. Beside such a pixel, and one whose middle is off the sky, those around it count.
    """
    values, is_edge = _without_off_sky(projection, values)
    column, row = to_image(projection, vec)
    position = np.stack([row, column])
    axis = closed_axis(projection)
    if axis is not None:  # the last pixel is the neighbour of the first
        values = np.concatenate([values, values.take([0], 1 + axis)], axis=1 + axis)
        is_edge = np.concatenate([is_edge, is_edge.take([0], axis)], axis=axis)
        position[axis] %= projection.shape[axis]
    has_position = np.all(np.isfinite(position), axis=0)
    found = np.full((vec.shape[0], len(values)), np.nan)
    for k, plane in enumerate(values):
        found[has_position, k] = _between(plane, is_edge, position[:, has_position])
    return found


def _without_off_sky(projection: Projection, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values with NaN where the middle of a pixel is off the sky, and these pixels.

    What is written there, often 0, is no value.
    """
    is_off = find_off_sky(projection)
    if is_off is None:
        return values, np.zeros(projection.shape, bool)
    return np.where(is_off, np.nan, values), is_off


def _between(plane: np.ndarray, is_edge: np.ndarray, position: np.ndarray) -> np.ndarray:
    from scipy.ndimage import map_coordinates

    is_known = np.isfinite(plane)
    if is_known.all():
        return map_coordinates(plane, position, order=1, mode="nearest")
    found = map_coordinates(np.where(is_known, plane, 0), position, order=1, mode="nearest")
    fraction = map_coordinates(is_known.astype(np.float64), position, order=1, mode="nearest")
    can_be = (is_known | is_edge).astype(np.float64)
    nearest = map_coordinates(can_be, position, order=0, mode="nearest") > 0
    return np.divide(
        found, fraction, out=np.full_like(found, np.nan), where=nearest & (fraction > 1e-6)
    )


def pixel_centers(projection: Projection) -> np.ndarray:
    """Directions of the centres of all pixels, row by row, shape (n, 3); NaN off the sky."""
    row, column = np.indices(projection.shape).reshape(2, -1)
    return to_vec(projection, column, row)


def _pixels(projection: Projection) -> tuple[int, np.ndarray]:
    """Resolution, and all HEALPix pixels (nested) in a cone around the image."""
    n_rows, n_columns = projection.shape
    size = np.sqrt(np.abs(np.linalg.det(projection.wcs.pixel_scale_matrix)))  # [deg]
    order = np.ceil(np.log2(np.degrees(np.sqrt(np.pi / 3)) / size))
    nside = int(2 ** np.clip(order, 0, np.log2(MAX_NSIDE)))
    row, column = np.array([0.0, 0, n_rows - 1, n_rows - 1]), np.array([0.0, n_columns - 1] * 2)
    corners = to_vec(projection, column, row)
    center = to_vec(projection, (n_columns - 1) / 2, (n_rows - 1) / 2)
    cosine, radius = corners @ center, 180.0
    if np.isnan(center).any():
        center = np.array([0.0, 0.0, 1.0])
    elif np.all(cosine > 0.5):  # up to 60 deg from the centre edges do not bulge beyond 1.2
        radius = min(1.2 * np.degrees(np.arccos(cosine.min())) + 5 * size, 180.0)
    n_pixel = 12 * nside**2 * np.sin(np.radians(radius) / 2) ** 2
    if n_pixel > _MOST:
        raise InputError(
            f"{projection.path}: pixels of {size:.3g} deg over so much of the sky that "
            f"{n_pixel:.2g} would cover it; mend CDELT, or take larger pixels."
        )
    return nside, ipix_from_ranges(cone(nside, center, radius))


def _is_within(position: np.ndarray, n: int, margin: float) -> np.ndarray:
    return (position > -0.5 - margin) & (position < n - 0.5 + margin)
