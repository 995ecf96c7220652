"""Containment regions: where the test statistic stays near its maximum.

For a source whose position and flux are fitted, the likelihood ratio of the true position to the
best one follows chi2 with two degrees of freedom (Wilks 1938; Mattox et al. 1996, ApJ 461, 396),
so that the region TS_max - TS <= chi2(level, 2) holds the truth at that level.
"""

import math
from typing import NamedTuple

import numpy as np

from skyquilt.maps.skymap import SkyMap
from skyquilt.sky.neighbours import neighbours

RESOLVED_PIXELS = 10
"""Pixels from which on a region counts as resolved by the grid.

A region of n pixels has its area from a count of pixel centres, which scatters by a fraction of
0.62 n^(-3/4) (square grid in a circle: Kendall 1948, Q. J. Math. 19, 1), and from the best pixel,
which misses the peak and so inflates the area by a fraction of 0.52 / n for a Gaussian peak. At
10 pixels these are 11 % and 5 %; at one pixel the area is that of the grid, not of the region.
"""


class Region(NamedTuple):
    """Containment region of a map.

    Attributes
    ----------
    level : float
        Containment level.
    threshold : float
        Largest TS_max - TS in the region.
    ipix : ndarray of int64, shape (n,)
        Nested pixels, ascending.
    area : float
        Area [deg2]: number of pixels times their area.
    n_parts : int
        Parts that do not touch, neither along an edge nor at a corner.
    is_resolved : bool
        Whether the region has at least `RESOLVED_PIXELS` pixels; below that its area is that of
        the grid rather than of the region.
    is_cut : bool
        Whether the region touches pixels without a TS, so that it may go on there.
    """

    level: float
    threshold: float
    ipix: np.ndarray
    area: float
    n_parts: int
    is_resolved: bool
    is_cut: bool


def containment_threshold(level: float) -> float:
    """Drop of TS that bounds the region of a containment level: chi2(level, 2 dof).

    With two degrees of freedom the quantile has a closed form, -2 ln(1 - level).

    Parameters
    ----------
    level : float
        Containment level in (0, 1).

    Returns
    -------
    float
        TS_max - TS at the edge of the region.

    Raises
    ------
    ValueError
        If `level` is outside (0, 1).

    Examples
    --------
    >>> round(containment_threshold(0.9), 3)
    4.605
    """
    if not 0 < level < 1:
        raise ValueError(f"level {level}: allowed are numbers between 0 and 1, as 0.9.")
    return -2 * math.log1p(-level)


def find_region(skymap: SkyMap, level: float) -> Region:
    """Containment region of a map.

    Parameters
    ----------
    skymap : SkyMap
        Map with a column "ts".
    level : float
        Containment level in (0, 1).

    Returns
    -------
    Region
        Pixels with TS_max - TS <= chi2(level, 2), area and shape.

    Raises
    ------
    ValueError
        If `level` is outside (0, 1) or no pixel has a TS.
    """
    threshold = containment_threshold(level)
    if np.all(np.isnan(skymap.ts)):
        raise ValueError("the map has no region: no pixel has a TS.")
    # comparison with NaN is false: pixels without a TS are never in a region
    ipix = skymap.ipix[np.nanmax(skymap.ts) - skymap.ts <= threshold]
    around = neighbours(skymap.nside, ipix)
    return Region(
        level=level,
        threshold=threshold,
        ipix=ipix,
        area=ipix.size * skymap.pixel_area,
        n_parts=_count_parts(ipix, around),
        is_resolved=ipix.size >= RESOLVED_PIXELS,
        is_cut=bool(np.any(np.isnan(skymap.sample("ts", around[around >= 0])))),
    )


def _count_parts(ipix: np.ndarray, around: np.ndarray) -> int:
    """Number of parts that do not touch, by merging trees of pixels until none changes.

    References
    ----------
    Shiloach & Vishkin 1982, J. Algorithms 3, 57: few rounds even for long parts.
    """
    place = np.minimum(np.searchsorted(ipix, around), ipix.size - 1)
    root = np.arange(ipix.size)
    linked = np.where(ipix[place] == around, place, root[:, None])
    while True:
        merged = root.copy()
        np.minimum.at(merged, root, root[linked].min(axis=1))
        while not np.array_equal(merged, merged[merged]):
            merged = merged[merged]
        if np.array_equal(merged, root):
            return np.unique(root).size
        root = merged
