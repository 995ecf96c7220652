"""Edges of sets of HEALPix pixels: the honest contour of a region of few pixels."""

import numpy as np

# healpy.boundaries walks north, west, south, east; these neighbours lie across the four edges
# (healpy numbers them SW, W, NW, N, NE, E, SE, S)
_ACROSS = (2, 0, 6, 4)
_MAX_STEP = 2.0  # largest distance of points along an edge [deg]


def outline(nside: int, ipix: np.ndarray) -> np.ndarray:
    """Pixel edges between a region and the rest of the sky.

    Parameters
    ----------
    nside : int
        Resolution.
    ipix : ndarray of int64, shape (n,)
        Nested pixels of the region.

    Returns
    -------
    ndarray of float64, shape (n_edge, n_point, 3)
        Unit vectors along each edge; none for the whole sky.
    """
    from healpy import boundaries, get_all_neighbours

    across = get_all_neighbours(nside, ipix, nest=True)[_ACROSS, :].T
    n_step = max(1, int(np.ceil(60 / nside / _MAX_STEP)))
    corners = np.swapaxes(boundaries(nside, ipix, step=n_step, nest=True), 1, 2)
    closed = np.concatenate([corners, corners[:, :1]], axis=1)
    along = n_step * np.arange(4)[:, None] + np.arange(n_step + 1)
    return closed[:, along][~np.isin(across, ipix)]
