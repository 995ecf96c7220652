"""Images in a projection of the sky (FITS WCS): corners of their pixels, values between them."""

import warnings
from typing import Any, NamedTuple

import numpy as np

from skyquilt.errors import InputError
from skyquilt.problem.sky_grid import HealpixGrid
from skyquilt.sky.frames import lonlat_to_vec, vec_to_lonlat
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.sky.pixels import MAX_NSIDE, nest_to_ring
from skyquilt.sky.regions import cone, ipix_from_ranges

_J2000 = 2000.0


class Projection(NamedTuple):
    """Pixels of an image on the sky.

    Attributes
    ----------
    wcs : astropy.wcs.WCS
        The two celestial axes.
    frame : {"galactic", "icrs"}
        Frame of their coordinates.
    shape : tuple of int
        Rows and columns of the image.
    path : str
        File, for messages.
    """

    wcs: Any
    frame: str
    shape: tuple[int, int]
    path: str


def read_projection(header: Any, path: str, frame: str | None = None) -> Projection:
    """Projection of an image or cube.

    Parameters
    ----------
    header : astropy.io.fits.Header
        Header with the celestial axes first.
    path : str
        File, for messages.
    frame : {"galactic", "icrs"}, optional
        Frame that the configuration names; must be that of the header.

    Raises
    ------
    InputError
        If the header has no celestial axes, or they are in another frame.
    """
    from astropy.wcs import WCS

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about dates and obsolete keywords that play no part
        try:
            wcs = WCS(header).celestial
        except Exception as error:  # wcslib's errors are of many kinds
            raise InputError(f"{path}: its WCS cannot be read: {error}") from error
    if wcs.naxis != 2:
        raise InputError(f"{path}: the image has no celestial axes (CTYPE1, CTYPE2).")
    found = _frame(wcs, path)
    if frame not in (None, found):
        raise InputError(
            f"{path}: the header says {found}, the configuration `frame: {frame}`: remove that key."
        )
    return Projection(wcs, found, (header["NAXIS2"], header["NAXIS1"]), path)


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
    """
    n_rows, n_columns = projection.shape
    row, column = np.indices((n_rows + 1, n_columns + 1)) - 0.5
    corners = _to_vec(projection, column, row)
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
    between the HEALPix pixels of the image reaches, the values of its edge.

    Parameters
    ----------
    projection : Projection
        The image.
    values : ndarray of float64, shape (n_quantity, n_rows, n_columns)
        Smooth quantities, such as exposure.

    Raises
    ------
    InputError
        If a value is not finite.
    """
    nside, ipix = _pixels(projection)
    vec = nest_to_vec(nside, ipix)
    column, row = _to_image(projection, vec)
    margin = 2.0  # pixels: HEALPix pixels are no larger, and interpolation takes the next ones
    is_near = _is_within(row, projection.shape[0], margin)
    is_near &= _is_within(column, projection.shape[1], margin)
    at_pixels = values_at(projection, values, vec[is_near])
    ipix = nest_to_ring(nside, ipix[is_near])
    order = np.argsort(ipix)
    return HealpixGrid(nside, at_pixels[order], ipix[order])


def values_at(projection: Projection, values: np.ndarray, vec: np.ndarray) -> np.ndarray:
    """Values of an image at directions: bilinear, and beyond its edge as at the edge.

    Parameters
    ----------
    projection : Projection
        The image.
    values : ndarray of float64, shape (n_quantity, n_rows, n_columns)
        Smooth quantities, such as exposure.
    vec : ndarray of float64, shape (n, 3)
        Directions that the projection shows, in its frame.

    Returns
    -------
    ndarray of float64, shape (n, n_quantity)
        Values.

    Raises
    ------
    InputError
        If a value is not finite.
    """
    from scipy.ndimage import map_coordinates

    if n_bad := int(np.sum(~np.isfinite(values))):
        raise InputError(f"{projection.path}: {n_bad} values are not finite.")
    column, row = _to_image(projection, vec)
    place = np.stack([row, column])
    found = [map_coordinates(plane, place, order=1, mode="nearest") for plane in values]
    return np.stack(found, axis=1)


def pixel_centers(projection: Projection) -> np.ndarray:
    """Directions of the centres of all pixels, row by row, shape (n, 3); NaN off the sky."""
    row, column = np.indices(projection.shape).reshape(2, -1)
    return _to_vec(projection, column, row)


def _frame(wcs: Any, path: str) -> str:
    from astropy.wcs.utils import wcs_to_celestial_frame

    name = wcs.wcs.lngtyp
    if name == "GLON":
        return "galactic"
    if name == "RA":
        frame = wcs_to_celestial_frame(wcs)
        name = frame.name
        if name == "icrs" or (name == "fk5" and frame.equinox.jyear == _J2000):
            return "icrs"  # FK5 J2000 differs by 0.03 arcsec
    raise InputError(
        f"{path}: its axes are in the frame {name}; allowed are galactic, ICRS and FK5 J2000."
    )


def _pixels(projection: Projection) -> tuple[int, np.ndarray]:
    """Resolution, and all HEALPix pixels (nested) in a cone around the image."""
    n_rows, n_columns = projection.shape
    size = np.sqrt(np.abs(np.linalg.det(projection.wcs.pixel_scale_matrix)))  # [deg]
    order = np.ceil(np.log2(np.degrees(np.sqrt(np.pi / 3)) / size))
    nside = int(2 ** np.clip(order, 0, np.log2(MAX_NSIDE)))
    row, column = np.array([0.0, 0, n_rows - 1, n_rows - 1]), np.array([0.0, n_columns - 1] * 2)
    corners = _to_vec(projection, column, row)
    center = _to_vec(projection, (n_columns - 1) / 2, (n_rows - 1) / 2)
    cosine = corners @ center
    radius = 180.0
    if np.all(cosine > 0.5):  # edges of images up to 60 deg from the centre do not bulge beyond 1.2
        radius = min(1.2 * np.degrees(np.arccos(cosine.min())) + 5 * size, 180.0)
    return nside, ipix_from_ranges(cone(nside, center, radius))


def _to_vec(projection: Projection, column: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Directions of places in the image; NaN off the sky."""
    lon, lat = projection.wcs.wcs_pix2world(column, row, 0)
    return lonlat_to_vec(lon, lat)


def _to_image(projection: Projection, vec: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows of directions; NaN where the projection does not show them."""
    lon, lat = vec_to_lonlat(vec)
    return tuple(projection.wcs.wcs_world2pix(lon, lat, 0))


def _is_within(place: np.ndarray, n: int, margin: float) -> np.ndarray:
    return (place > -0.5 - margin) & (place < n - 0.5 + margin)
