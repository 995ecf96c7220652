"""Where TS is largest: the middle of the plateau, where several cells have the same."""

import numpy as np

from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.region import make_region


def best_index(cells: MultiOrderMap) -> int | None:
    """Cell of the largest TS; None if that is 0, where any cell is as good.

    A response that is not interpolated makes TS the same in all cells of one of its pixels. Of
    cells that touch and have the largest TS, it is the one in their middle.

    Parameters
    ----------
    cells : MultiOrderMap
        Map with a column "ts", of which some are not NaN.

    Returns
    -------
    int or None
        Index in the map.
    """
    first = int(np.nanargmax(cells.ts))
    highest = cells.ts[first]
    if not highest > 0:
        return None
    is_highest = cells.ts == highest
    if np.count_nonzero(is_highest) == 1:
        return first
    plateau = make_region(cells, is_highest, cells.ts, 0.0, 0.0).parts[0].cells
    return int(plateau[middle(cells.centres[plateau], cells.pixel_area[plateau])])


def middle(directions: np.ndarray, weight: np.ndarray | None = None) -> int:
    """Index of the direction that is nearest to the mean of all.

    Parameters
    ----------
    directions : ndarray of float64, shape (n, 3)
        Unit vectors, within a hemisphere.
    weight : ndarray of float64, shape (n,), optional
        Their weights, all the same when left out.

    Examples
    --------
    >>> angle = np.radians([0.0, 10.0, 30.0])
    >>> middle(np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1))
    1
    """
    mean = np.average(directions, axis=0, weights=weight)
    return int(np.argmax(directions @ mean))


def highest_index(ts: np.ndarray, directions: np.ndarray) -> int:
    """Index of the largest TS; of several that have it, the one in their middle.

    Cells without a TS (NaN) are lower than all others.
    """
    highest = np.flatnonzero(ts == np.fmax.reduce(ts))
    return int(highest[middle(directions[highest])]) if highest.size else 0
