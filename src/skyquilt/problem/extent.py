"""How much of the sky data cover: angles from their middle to their farthest end."""

import numpy as np

from skyquilt.problem.sky_grid import HealpixGrid
from skyquilt.sky.healpix import ring_to_vec


def exposed_extent(grid: HealpixGrid) -> float | None:
    """Extent of the directions with values above 0 [rad]; None where they are all around."""
    is_seen = np.any(grid.values > 0, axis=1)
    if grid.ipix is None and np.all(is_seen):
        return None
    ipix = np.arange(len(grid.values)) if grid.ipix is None else grid.ipix
    extent = extent_of(ring_to_vec(grid.nside, ipix[is_seen]))
    # to the corners of the pixels at the edge
    return None if extent is None else extent + np.sqrt(np.pi / 3) / grid.nside


def extent_of(directions: np.ndarray) -> float | None:
    """Largest angle from the mean of directions [rad]; None where they are all around.

    Examples
    --------
    >>> from skyquilt.sky.frames import lonlat_to_vec
    >>> float(np.degrees(extent_of(lonlat_to_vec([10.0, 14.0], [0.0, 0.0])))).__round__(6)
    2.0
    """
    if not len(directions):
        return None
    mean = directions.mean(axis=0)
    if np.linalg.norm(mean) < 0.1:
        return None
    cosine = directions @ (mean / np.linalg.norm(mean))
    return float(np.arccos(np.clip(cosine.min(), -1, 1)))


def least_extent(*extents: float | None) -> float | None:
    """The smallest of those that are known."""
    return min((one for one in extents if one is not None), default=None)


def joint_extent(*extents: float | None) -> float | None:
    """The largest, if all are known: of data sets of which any may see a source."""
    known = [one for one in extents if one is not None]
    return max(known) if len(known) == len(extents) else None
