"""Directions, coordinates, and the frames they are given in.

Longitudes, latitudes and separations are in degrees; directions are unit vectors of shape (n, 3).
"""

import numpy as np

# Rows are the galactic axes in ICRS. Galactic pole and centre as defined in FK5 J2000 (Reid and
# Brunthaler 2004, ApJ 616, 872, appendix), taken to ICRS by astropy 8.0; tested against astropy.
_ICRS_TO_GALACTIC = np.array(
    [
        [-0.05487565771259168, -0.8734370519556163, -0.4838350736167155],
        [0.4941094371927275, -0.44482972122329517, 0.7469821839866676],
        [-0.8676661375596587, -0.19807633727300075, 0.4559838136873016],
    ]
)
_FRAMES = ("galactic", "icrs")


def lonlat_to_vec(lon: np.ndarray | float, lat: np.ndarray | float) -> np.ndarray:
    """Unit vectors of longitudes and latitudes.

    Parameters
    ----------
    lon, lat : ndarray of float64, shape (n,), or float
        Longitude and latitude [deg].

    Returns
    -------
    ndarray of float64, shape (n, 3)
        Unit vectors; shape (3,) for two numbers.

    Examples
    --------
    >>> lonlat_to_vec(0.0, 90.0).round(12)
    array([0., 0., 1.])
    """
    lon, lat = np.radians(lon), np.radians(lat)
    vec = np.empty((*np.shape(lon), 3))
    cosine = np.cos(lat)
    vec[..., 0], vec[..., 1], vec[..., 2] = cosine * np.cos(lon), cosine * np.sin(lon), np.sin(lat)
    return vec


def vec_to_lonlat(vec: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Longitudes in [0, 360) and latitudes of vectors of any length above 0.

    Parameters
    ----------
    vec : ndarray of float64, shape (n, 3) or (3,)
        Directions.

    Returns
    -------
    lon, lat : ndarray of float64, shape (n,) or ()
        Longitude and latitude [deg].

    Examples
    --------
    >>> lon, lat = vec_to_lonlat(np.array([0.0, -1.0, 0.0]))
    >>> float(lon), float(lat)
    (270.0, 0.0)
    """
    x, y, z = np.moveaxis(np.asarray(vec, dtype=np.float64), -1, 0)
    lon = np.degrees(np.arctan2(y, x)) % 360.0
    # the remainder of a tiny negative angle rounds to 360
    return np.where(lon < 360.0, lon, 0.0), np.degrees(np.arctan2(z, np.hypot(x, y)))


def rotation(frame_from: str, frame_to: str) -> np.ndarray:
    """Matrix that turns directions of one sky frame into those of another.

    Parameters
    ----------
    frame_from, frame_to : {"galactic", "icrs"}
        Names of the frames.

    Returns
    -------
    ndarray of float64, shape (3, 3)
        Orthogonal matrix R; a row vector is turned by ``vec @ R.T``.

    Raises
    ------
    ValueError
        If a frame is not known.

    Examples
    --------
    >>> lon, lat = vec_to_lonlat(rotation("galactic", "icrs") @ lonlat_to_vec(0.0, 90.0))
    >>> round(float(lon), 3), round(float(lat), 3)  # the north galactic pole
    (192.859, 27.128)
    """
    for frame in (frame_from, frame_to):
        if frame not in _FRAMES:
            raise ValueError(f"frame {frame!r}: allowed are {', '.join(_FRAMES)}.")
    if frame_from == frame_to:
        return np.eye(3)
    return _ICRS_TO_GALACTIC.copy() if frame_to == "galactic" else _ICRS_TO_GALACTIC.T.copy()


def rotate(matrix: np.ndarray, vec: np.ndarray) -> np.ndarray:
    """Directions turned by a matrix, each to the same bits whatever stands beside it.

    A matrix product may add up in another order at the end of an array than in its middle.

    Parameters
    ----------
    matrix : ndarray of float64, shape (3, 3)
        Rotation.
    vec : ndarray of float64, shape (n, 3)
        Directions.

    Returns
    -------
    ndarray of float64, shape (n, 3)
        Turned directions.

    Examples
    --------
    >>> rotate(np.eye(3)[[1, 2, 0]], np.array([[1.0, 2.0, 3.0]]))
    array([[2., 3., 1.]])
    """
    x, y, z = vec[:, 0:1], vec[:, 1:2], vec[:, 2:3]
    return x * matrix[:, 0] + y * matrix[:, 1] + z * matrix[:, 2]


def separation(vec_a: np.ndarray, vec_b: np.ndarray) -> np.ndarray:
    """Angle between directions, accurate at all angles.

    Parameters
    ----------
    vec_a, vec_b : ndarray of float64, shapes (n, 3) or (3,)
        Directions; they are broadcast.

    Returns
    -------
    ndarray of float64, shape (n,) or ()
        Angle [deg], 0 to 180.

    Examples
    --------
    >>> float(separation(np.array([1.0, 0.0, 0.0]), np.array([0.0, 2.0, 0.0])))
    90.0
    """
    vec_a, vec_b = np.asarray(vec_a, dtype=np.float64), np.asarray(vec_b, dtype=np.float64)
    sine = np.linalg.norm(np.cross(vec_a, vec_b), axis=-1)
    return np.degrees(np.arctan2(sine, np.sum(vec_a * vec_b, axis=-1)))


def position_to_vec(lon: float, lat: float, frame: str, frame_to: str) -> np.ndarray:
    """Direction of a position given in any frame that astropy knows by name.

    Parameters
    ----------
    lon, lat : float
        First and second spherical coordinate [deg].
    frame : str
        Frame of the position, as "galactic", "icrs" or "fk5".
    frame_to : {"galactic", "icrs"}
        Frame of the result.

    Returns
    -------
    ndarray of float64, shape (3,)
        Unit vector.

    Raises
    ------
    ValueError
        If astropy does not know the frame, or it needs more than a position.
    """
    if frame in _FRAMES:
        return rotation(frame, frame_to) @ lonlat_to_vec(lon, lat)
    from astropy.coordinates import SkyCoord

    try:
        icrs = SkyCoord(lon, lat, unit="deg", frame=frame).icrs
    except Exception as error:  # astropy raises many kinds, ConvertError is a TypeError
        raise ValueError(
            f"frame {frame!r}: a position cannot be given in it ({error}); use galactic, icrs or "
            "another astropy frame that needs no time or place."
        ) from error
    return rotation("icrs", frame_to) @ lonlat_to_vec(icrs.ra.deg, icrs.dec.deg)
