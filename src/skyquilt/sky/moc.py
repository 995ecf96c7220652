"""Parts of the sky as the fewest HEALPix pixels of many orders (MOC).

References
----------
Fernique et al. 2014, MOC: HEALPix Multi-Order Coverage map 1.0, IVOA Recommendation, section 2.
"""

import numpy as np

from skyquilt.sky.uniq import to_uniq


def merge_ranges(ranges: np.ndarray) -> np.ndarray:
    """Ranges joined where they touch.

    Parameters
    ----------
    ranges : ndarray of int64, shape (n, 2)
        First pixel and last + 1, ascending, none of them empty, no overlap.

    Returns
    -------
    ndarray of int64, shape (m, 2)
        The same pixels.

    Examples
    --------
    >>> merge_ranges(np.array([[0, 4], [4, 5], [7, 8]]))
    array([[0, 5],
           [7, 8]])
    """
    is_first = np.append(True, ranges[1:, 0] > ranges[:-1, 1])[: len(ranges)]
    return np.stack([ranges[is_first, 0], ranges[np.roll(is_first, -1), 1]], axis=1)


def complement(ranges: np.ndarray, order: int) -> np.ndarray:
    """Ranges of all other pixels of an order.

    Examples
    --------
    >>> complement(np.array([[0, 4], [7, 8]]), 0)
    array([[ 4,  7],
           [ 8, 12]])
    """
    gaps = np.stack([np.append(0, ranges[:, 1]), np.append(ranges[:, 0], 12 << 2 * order)], axis=1)
    return gaps[gaps[:, 0] < gaps[:, 1]]


def count_inside(ranges: np.ndarray, first: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Number of pixels of [first, stop) that are in the ranges.

    Parameters
    ----------
    ranges : ndarray of int64, shape (n, 2)
        First pixel and last + 1, ascending, no overlap.
    first, stop : ndarray of int64, any shape
        What to look at.

    Examples
    --------
    >>> count_inside(np.array([[0, 4], [7, 8]]), np.array([2, 4]), np.array([8, 7]))
    array([3, 0])
    """
    n_before = np.append(0, np.cumsum(ranges[:, 1] - ranges[:, 0]))
    stops = np.append(0, ranges[:, 1])

    def below(pixel: np.ndarray) -> np.ndarray:
        index = np.searchsorted(ranges[:, 0], pixel, side="right")
        return n_before[index] - np.maximum(stops[index] - pixel, 0)

    return below(stop) - below(first)


def ranges_to_uniq(ranges: np.ndarray, order: int) -> np.ndarray:
    """Fewest pixels that hold exactly the given pixels of one order.

    Parameters
    ----------
    ranges : ndarray of int64, shape (n, 2)
        First pixel and last + 1, ascending, joined where they touch.
    order : int
        Order of these pixels.

    Returns
    -------
    ndarray of int64, shape (m,)
        UNIQ numbers, ascending along the nested curve.

    Examples
    --------
    >>> ranges_to_uniq(np.array([[3, 9]]), 1)
    array([19,  5, 24])
    """
    uniq, starts = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    left = np.asarray(ranges, dtype=np.int64)
    for coarse in range(order + 1):
        shift = 2 * (order - coarse)
        first = -(-left[:, 0] >> shift)
        stop = np.maximum(left[:, 1] >> shift, first)
        n = stop - first
        ipix = np.repeat(first, n) + np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
        uniq.append(to_uniq(coarse, ipix))
        starts.append(ipix << shift)
        before = np.stack([left[:, 0], np.where(n > 0, first << shift, left[:, 1])], axis=1)
        after = np.stack([stop << shift, left[:, 1]], axis=1)
        left = np.concatenate([before, after[n > 0]])
        left = left[left[:, 0] < left[:, 1]]
    return np.concatenate(uniq)[np.argsort(np.concatenate(starts))]
