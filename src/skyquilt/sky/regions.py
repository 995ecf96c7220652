"""Regions of the sky as ranges of nested pixels.

Ranges are int64 of shape (n, 2): first pixel and last + 1, ascending, merged. A pixel belongs to
a region if its centre lies inside.
"""

import numpy as np

from skyquilt.sky.pixels import check_ipix, nside_to_npix, ring_to_nest


def full_sky(nside: int) -> np.ndarray:
    """All pixels.

    Examples
    --------
    >>> full_sky(1)
    array([[ 0, 12]])
    """
    return np.array([[0, nside_to_npix(nside)]], dtype=np.int64)


def cone(nside: int, center: np.ndarray, radius: float) -> np.ndarray:
    """Pixels within an angle of a direction.

    Parameters
    ----------
    nside : int
        Resolution.
    center : ndarray of float64, shape (3,)
        Unit vector, in the frame of the map.
    radius : float
        Radius [deg], above 0, at most 180.

    Returns
    -------
    ndarray of int64, shape (n, 2)
        Ranges of nested pixels.

    Raises
    ------
    ValueError
        If the radius is not allowed, or no pixel has its centre inside.
    """
    import healpy

    if not 0 < radius <= 180:
        raise ValueError(f"radius {radius} deg: allowed is above 0 to 180.")
    inside = healpy.query_disc(nside, center, np.radians(radius), nest=True)
    return _not_empty(ranges_from_ipix(inside), nside, f"a cone of radius {radius} deg")


def polygon(nside: int, vertices: np.ndarray) -> np.ndarray:
    """Pixels inside a convex polygon of great circles.

    Parameters
    ----------
    nside : int
        Resolution.
    vertices : ndarray of float64, shape (n, 3)
        Corners in order, unit vectors in the frame of the map; the first is not repeated.

    Returns
    -------
    ndarray of int64, shape (n, 2)
        Ranges of nested pixels.

    Raises
    ------
    ValueError
        If there are fewer than three corners, the polygon is not convex or has no area, or no
        pixel has its centre inside.
    """
    import healpy

    vertices = np.asarray(vertices, dtype=np.float64)
    _check_convex(vertices)
    inside = healpy.query_polygon(nside, vertices, nest=True)
    return _not_empty(ranges_from_ipix(inside), nside, "the polygon")


def listed(nside: int, ipix: np.ndarray, ordering: str) -> np.ndarray:
    """Pixels given by number.

    Parameters
    ----------
    nside : int
        Resolution.
    ipix : ndarray of int64, shape (n,)
        Pixels, in any order.
    ordering : {"nested", "ring"}
        Ordering of these numbers.

    Returns
    -------
    ndarray of int64, shape (n, 2)
        Ranges of nested pixels.

    Raises
    ------
    ValueError
        If a pixel does not exist or the ordering is unknown.

    Examples
    --------
    >>> listed(2, [0, 13, 5], "ring")
    array([[0, 2],
           [3, 4]])
    """
    if ordering not in ("nested", "ring"):
        raise ValueError(f"ordering {ordering!r}: allowed are nested, ring.")
    ipix = check_ipix(ipix, nside)
    return ranges_from_ipix(ring_to_nest(nside, ipix) if ordering == "ring" else ipix)


def ranges_from_ipix(ipix: np.ndarray) -> np.ndarray:
    """Ranges that hold exactly the given pixels.

    Examples
    --------
    >>> ranges_from_ipix(np.array([7, 1, 2, 3]))
    array([[1, 4],
           [7, 8]])
    """
    ipix = np.unique(np.asarray(ipix, dtype=np.int64))
    gaps = np.flatnonzero(np.diff(ipix) > 1)
    first = ipix[np.concatenate([[0], gaps + 1])] if ipix.size else ipix
    last = ipix[np.concatenate([gaps, [-1]])] if ipix.size else ipix
    return np.stack([first, last + 1], axis=1)


def ipix_from_ranges(ranges: np.ndarray) -> np.ndarray:
    """Pixels of ranges, ascending.

    Examples
    --------
    >>> ipix_from_ranges(np.array([[1, 4], [7, 8]]))
    array([1, 2, 3, 7])
    """
    pieces = [np.arange(start, stop, dtype=np.int64) for start, stop in ranges]
    return np.concatenate(pieces) if pieces else np.empty(0, dtype=np.int64)


def _not_empty(ranges: np.ndarray, nside: int, what: str) -> np.ndarray:
    if not len(ranges):
        size = np.degrees(np.sqrt(4 * np.pi / nside_to_npix(nside)))
        raise ValueError(
            f"{what} holds no centre of a pixel at nside {nside} (pixels of {size:.2g} deg); "
            "make it larger or raise nside."
        )
    return ranges


def _check_convex(vertices: np.ndarray) -> None:
    """Each corner lies on the same side of every edge that it does not end."""
    n = len(vertices)
    if n < 3:
        raise ValueError(f"{n} vertices: a polygon needs at least 3.")
    normals = np.cross(vertices, np.roll(vertices, -1, axis=0))
    sides = normals @ vertices.T
    is_end = np.eye(n, dtype=bool) | np.roll(np.eye(n, dtype=bool), 1, axis=1)
    others = sides[~is_end]
    # vectors are good to 1e-16; three corners within 1e-12 of one great circle have no side
    if not (np.all(others > 1e-12) or np.all(others < -1e-12)):
        raise ValueError(
            "vertices: allowed is a convex polygon of great circles with its corners in order; "
            "corners on a line, or an edge that turns the other way, are not."
        )
