"""Projections of the sky: what the header of an image says of its pixels, all of it, or refused."""

import re
import warnings
from typing import Any, NamedTuple

import numpy as np

from skyquilt.errors import InputError
from skyquilt.sky.frames import lonlat_to_vec, vec_to_lonlat

_J2000 = 2000.0
_CYLINDERS = ("CAR", "CEA", "MER")
"""Projections whose columns go on around the sky: a full turn leads back to the same position."""

_NUMBER = re.compile(r"(CRVAL|CRPIX|CDELT|CROTA|CD|PC|PV)\d+(_\d+)?|LONPOLE|LATPOLE|EQUINOX")
"""Keywords that are numbers; where they are not, wcslib would take its defaults."""

_SAME = 1e-3  # of a pixel: pixels of two images that differ by less are the same
_SEAM = 1.5  # columns that an image may have more than a full turn
_LONGEST = 100.0  # sides of a pixel; longer beside the other they are a mistake


class Projection(NamedTuple):
    """Pixels of an image on the sky.

    Attributes
    ----------
    wcs : astropy.wcs.WCS
        The two celestial axes, in the order of the image.
    frame : {"galactic", "icrs"}
        Frame of their coordinates.
    shape : tuple of int
        Rows and columns of the image.
    path : str
        File, for messages.
    turn : ndarray of float64, shape (2,), optional
        Columns and rows of a full turn around the sky, in a cylindrical projection.
    """

    wcs: Any
    frame: str
    shape: tuple[int, int]
    path: str
    turn: np.ndarray | None = None


def read_projection(header: Any, path: str, frame: str | None = None) -> Projection:
    """Projection of an image or cube.

    All keywords of FITS WCS are read: CTYPE, CRVAL, CRPIX, CDELT, CUNIT, PC, CD, CROTA, PV,
    LONPOLE, LATPOLE, RADESYS, EQUINOX. Distortions beside them (SIP and tables) are refused.

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
        If the header has no celestial axes, they are in another frame or not the first two, or
        their pixels are not known.
    """
    wcs = _read_wcs(header, path)
    found = _frame(wcs, path)
    if frame not in (None, found):
        raise InputError(
            f"{path}: the header says {found}, the configuration `frame: {frame}`: remove that key."
        )
    turn = None
    if wcs.wcs.ctype[wcs.wcs.lng][-3:] in _CYLINDERS:
        wcs.wcs.bounds_check(False, False)  # which would end the sky half a turn from CRVAL
        circle = np.where(np.arange(2) == wcs.wcs.lng, 360.0, 0.0)
        turn = np.linalg.solve(wcs.pixel_scale_matrix, circle)
    projection = Projection(wcs, found, (header["NAXIS2"], header["NAXIS1"]), path, turn)
    _check_pixels(projection)
    return projection


def to_vec(
    projection: Projection, column: np.ndarray | float, row: np.ndarray | float
) -> np.ndarray:
    """Directions of positions in the image, shape (..., 3); NaN off the sky."""
    column, row = np.broadcast_arrays(column, row)
    positions = np.stack([np.ravel(column), np.ravel(row)], axis=1).astype(np.float64)
    found, axes = projection.wcs.wcs.p2s(positions, 0), projection.wcs.wcs
    lon, lat = found["world"][:, axes.lng], found["world"][:, axes.lat]
    if projection.turn is not None:  # rows beyond the poles, where bounds are not checked
        lat = np.where(np.abs(found["theta"]) > 90 + 1e-9, np.nan, lat)
    return lonlat_to_vec(lon, lat).reshape(*column.shape, 3)


def to_image(projection: Projection, vec: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows of directions, shape (n,) each; NaN where the projection has none.

    In a cylindrical projection of the positions that show, a full turn on, the same direction, that
    nearest to the middle of the image.
    """
    axes = projection.wcs.wcs
    world = np.empty((len(vec), 2))
    world[:, axes.lng], world[:, axes.lat] = vec_to_lonlat(vec)
    position = projection.wcs.wcs_world2pix(world, 0)
    if projection.turn is not None:
        middle = (np.array(projection.shape[::-1]) - 1) / 2
        step = projection.turn / np.sum(projection.turn**2)
        turns = np.round((middle - position) @ step)
        position = position + turns[:, np.newaxis] * projection.turn
    return position[:, 0], position[:, 1]


def closed_axis(projection: Projection) -> int | None:
    """Axis of the image (0 for rows) along which it goes just once around the sky, if any."""
    if projection.turn is not None:
        for axis in (0, 1):
            along, across = np.abs(projection.turn)[[1 - axis, axis]]
            if abs(along - projection.shape[axis]) < _SAME and across < _SAME:
                return axis
    return None


def n_turns(projection: Projection) -> float:
    """How often an image goes around the sky; 0 for a projection that does not."""
    if projection.turn is None:
        return 0.0
    n_rows, n_columns = projection.shape
    return float(np.abs(projection.turn) @ (n_columns, n_rows) / np.sum(projection.turn**2))


def find_off_sky(projection: Projection) -> np.ndarray | None:
    """Pixels whose middle lies off the sky, by row and column; None if there are none."""
    if np.isfinite(to_vec(projection, *_sample(projection.shape))).all():
        return None
    row, column = np.indices(projection.shape)
    return np.isnan(to_vec(projection, column, row)[..., 0])


def find_difference(one: Projection, other: Projection) -> str | None:
    """What makes the pixels of two images different, for a message; None if they are the same.

    Compared are the positions of pixels on the sky; the keywords are named.
    """
    for what in ("frame", "shape"):
        values = [getattr(projection, what) for projection in (one, other)]
        if values[0] != values[1]:
            return f"the {what} is {values[0]} in the first and {values[1]} in the second"
    positions = _sample(one.shape)
    separation = np.linalg.norm(to_vec(one, *positions) - to_vec(other, *positions), axis=-1)
    is_off = np.isnan(to_vec(one, *positions)[..., 0]), np.isnan(to_vec(other, *positions)[..., 0])
    size = np.radians(np.sqrt(np.abs(np.linalg.det(one.wcs.pixel_scale_matrix))))
    if np.array_equal(*is_off) and np.nanmax(separation, initial=0) < _SAME * size:
        return None
    ours, theirs = (dict(projection.wcs.to_header()) for projection in (one, other))
    for key in dict.fromkeys([*ours, *theirs]):
        if ours.get(key) != theirs.get(key):
            told = (cards.get(key, "not there") for cards in (ours, theirs))
            return f"the {key} is {next(told)} in the first and {next(told)} in the second"
    return "the WCS of the two is not the same"


def _read_wcs(header: Any, path: str) -> Any:
    from astropy.wcs import WCS

    if header.get("NAXIS", 0) < 2:
        raise InputError(f"{path}: the image has {header.get('NAXIS', 0)} axes; needed are two.")
    for axis in (1, 2):
        _check_axis(header, axis, path)
    for key in header:
        if _NUMBER.fullmatch(key) and not isinstance(header[key], float | int):
            raise InputError(f"{path}: {key} is {header[key]!r}; it must be a number.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about dates and obsolete keywords that play no part
        try:
            whole = WCS(header)
            whole.wcs.set()
            celestial = {whole.wcs.lng, whole.wcs.lat}
            wcs = whole.sub([1, 2]) if celestial == {0, 1} else whole
            wcs.wcs.set()
        except Exception as error:  # wcslib's errors are of many kinds
            reason = " ".join(str(error).split())
            raise InputError(f"{path}: its WCS cannot be read: {reason}") from error
    if -1 in celestial:
        raise InputError(f"{path}: the image has no celestial axes (CTYPE1, CTYPE2).")
    if celestial != {0, 1}:
        raise InputError(
            f"{path}: its celestial axes have the numbers {sorted(n + 1 for n in celestial)}; they "
            "must be the first two: reorder the axes."
        )
    turned = [header.get(f"CROTA{axis}", 0) for axis in (1 + wcs.wcs.lng, 1 + wcs.wcs.lat)]
    if turned[0] not in (0, turned[1]):
        raise InputError(
            f"{path}: CROTA{1 + wcs.wcs.lng} is {turned[0]} and CROTA{1 + wcs.wcs.lat} is "
            f"{turned[1]}; a rotation is that of the axis of latitude: mend the header."
        )
    distortions = (whole.sip, whole.cpdis1, whole.cpdis2, whole.det2im1, whole.det2im2)
    if any(part is not None for part in distortions):
        raise InputError(
            f"{path}: its WCS has distortions (SIP or tables), which are not supported: resample "
            "the image to a projection without."
        )
    return wcs


def _check_axis(header: Any, axis: int, path: str) -> None:
    """Refuse an axis whose position and step are not given: the defaults of FITS are no one's."""
    matrix = (f"{key}{i}_{j}" for key in ("CD", "PC") for i in (1, 2) for j in (1, 2))
    has_step = f"CDELT{axis}" in header or any(key in header for key in matrix)
    for key, is_there in (
        (f"CTYPE{axis}", f"CTYPE{axis}" in header),
        (f"CRVAL{axis}", f"CRVAL{axis}" in header),
        (f"CRPIX{axis}", f"CRPIX{axis}" in header),
        (f"CDELT{axis} (or a matrix CD)", has_step),
    ):
        if not is_there:
            raise InputError(
                f"{path}: the header of the image has no {key}: without it it is not known where "
                "its pixels are on the sky."
            )


def _check_pixels(projection: Projection) -> None:
    """Refuse pixels that no telescope has: much longer than wide, or more than one turn of them."""
    path, (n_rows, n_columns) = projection.path, projection.shape
    if not (n_rows > 0 and n_columns > 0):
        raise InputError(f"{path}: the image has {n_rows} rows and {n_columns} columns.")
    long, short = np.linalg.svd(projection.wcs.pixel_scale_matrix, compute_uv=False)
    if not (np.isfinite(long) and short > 0 and long < _LONGEST * short):
        raise InputError(
            f"{path}: its pixels are {long:g} by {short:g} deg (CDELT, CD, PC), more than "
            f"{_LONGEST:g} times as long as wide; mend the header."
        )
    if n_turns(projection) * n_columns > n_columns + _SEAM:
        raise InputError(
            f"{path}: the image is {n_turns(projection):.4g} times as wide as the sky (CDELT)."
        )


def _frame(wcs: Any, path: str) -> str:
    from astropy.wcs.utils import wcs_to_celestial_frame

    name = wcs.wcs.lngtyp
    if name == "GLON":
        return "galactic"
    if name == "RA":
        try:
            frame = wcs_to_celestial_frame(wcs)
        except ValueError as error:
            raise InputError(
                f"{path}: its axes are in the frame {wcs.wcs.radesys}; allowed are galactic, ICRS "
                "and FK5 J2000."
            ) from error
        name = frame.name
        if name == "icrs" or (name == "fk5" and frame.equinox.jyear == _J2000):
            return "icrs"  # FK5 J2000 differs by 0.03 arcsec
    raise InputError(
        f"{path}: its axes are in the frame {name}; allowed are galactic, ICRS and FK5 J2000."
    )


def _sample(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows of positions all over an image, its corners with them."""
    row, column = (np.linspace(-0.5, n - 0.5, 9) for n in shape)
    column, row = np.meshgrid(column, row)
    return column.ravel(), row.ravel()
