"""Projections of the sky onto the plane, longitude increasing to the left.

References
----------
Snyder 1987, Map Projections, USGS Professional Paper 1395: Mollweide (p. 251), azimuthal
equal-area (p. 182). Both keep areas.
"""

import numpy as np

_NEWTON_STEPS = 40


def mollweide(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Position of sky positions in the Mollweide map centred on longitude 0.

    Parameters
    ----------
    lon, lat : ndarray of float64, shape (n,)
        Position [deg].

    Returns
    -------
    x, y : ndarray of float64, shape (n,)
        Position in the ellipse with half axes 2 and 1.

    Examples
    --------
    >>> x, y = mollweide(np.array([90.0, 270.0]), np.array([0.0, 0.0]))
    >>> x.tolist(), y.tolist()
    ([-1.0, 1.0], [0.0, 0.0])
    """
    target = np.pi * np.sin(np.radians(lat))
    # solves a + sin a = pi sin(lat) from the side where Newton steps stay short of the root
    angle = np.array(2 * np.radians(lat), dtype=float)
    for _ in range(_NEWTON_STEPS):
        slope = np.maximum(1 + np.cos(angle), 1e-12)
        angle = np.clip(angle - (angle + np.sin(angle) - target) / slope, -np.pi, np.pi)
    return -wrap(lon) / 90 * np.cos(angle / 2), np.sin(angle / 2)


def from_mollweide(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sky positions of positions in the Mollweide map.

    Parameters
    ----------
    x, y : ndarray of float64, any shape
        Positions.

    Returns
    -------
    lon, lat : ndarray of float64, shape of `x`
        Position [deg]; NaN outside the ellipse.
    """
    is_inside = (x / 2) ** 2 + y**2 < 1
    half = np.arcsin(np.where(is_inside, y, np.nan))
    lat = np.arcsin((2 * half + np.sin(2 * half)) / np.pi)
    return -90 * x / np.cos(half), np.degrees(lat)


def zenithal(vec: np.ndarray, centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Position of directions in the azimuthal equal-area map around a direction.

    Close to the centre this is the tangent plane; unlike that, it holds regions of any size
    without stretching them.

    Parameters
    ----------
    vec : ndarray of float64, shape (n, 3)
        Directions.
    centre : ndarray of float64, shape (3,)
        Direction at the origin; north is up.

    Returns
    -------
    x, y : ndarray of float64, shape (n,)
        Position [deg].
    """
    east, north = _axes(centre)
    scale = np.degrees(np.sqrt(2 / np.maximum(1 + vec @ centre, 1e-12)))
    return -scale * (vec @ east), scale * (vec @ north)


def from_zenithal(x: np.ndarray, y: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Directions of positions in the azimuthal equal-area map.

    Parameters
    ----------
    x, y : ndarray of float64, any shape
        Positions [deg], less than 114 deg from the origin.
    centre : ndarray of float64, shape (3,)
        Direction at the origin.

    Returns
    -------
    ndarray of float64, shape of `x` and (3,)
        Unit vectors.
    """
    east, north = _axes(centre)
    x, y = np.radians(x)[..., None], np.radians(y)[..., None]
    square = x**2 + y**2
    return (1 - square / 2) * centre + np.sqrt(1 - square / 4) * (y * north - x * east)


def wrap(lon: np.ndarray) -> np.ndarray:
    """Longitudes in [-180, 180) [deg].

    Examples
    --------
    >>> wrap(np.array([190.0, -180.0, 30.0])).tolist()
    [-170.0, -180.0, 30.0]
    """
    return (np.asarray(lon) + 180) % 360 - 180


def _axes(centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Directions of increasing longitude and latitude."""
    lon = np.arctan2(centre[1], centre[0])
    east = np.array([-np.sin(lon), np.cos(lon), 0.0])
    return east, np.cross(centre, east)
