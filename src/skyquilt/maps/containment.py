"""Containment regions: where the test statistic stays near its maximum.

For a source whose position and flux are fitted, the likelihood ratio of the true position to the
best one follows chi2 with two degrees of freedom (Wilks 1938; Mattox et al. 1996, ApJ 461, 396),
so that the region TS_max - TS <= chi2(level, 2) holds the truth at that level.
"""

import math

import numpy as np

from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.region import Region, make_region


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


def containment_level(drop: float) -> float:
    """Level of the smallest containment region that reaches a drop of TS.

    Examples
    --------
    >>> round(containment_level(4.605), 3)
    0.9
    """
    return -math.expm1(-drop / 2)


def find_region(cells: MultiOrderMap, level: float) -> Region:
    """Containment region of a map.

    Parameters
    ----------
    cells : MultiOrderMap
        Map with a column "ts".
    level : float
        Containment level in (0, 1).

    Returns
    -------
    Region
        Cells with TS_max - TS <= chi2(level, 2), area and shape; maxima are those of TS.

    Raises
    ------
    ValueError
        If `level` is outside (0, 1) or no cell has a TS.
    """
    threshold = containment_threshold(level)
    if np.all(np.isnan(cells.ts)):
        raise ValueError("the map has no region: no pixel has a TS.")
    # comparison with NaN is false: cells without a TS are never in a region
    is_inside = np.nanmax(cells.ts) - cells.ts <= threshold
    return make_region(cells, is_inside, cells.ts, level, threshold)
