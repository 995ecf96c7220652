"""HEALPix pixels of any resolution as one number each: UNIQ = 4 * 4^order + nested pixel.

References
----------
Fernique et al. 2014, MOC: HEALPix Multi-Order Coverage map 1.0, IVOA Recommendation, section 2.3.1.
"""

import numpy as np

from skyquilt.sky.pixels import MAX_NSIDE, check_ipix, nside_to_order

MAX_ORDER = nside_to_order(MAX_NSIDE)


def to_uniq(order: int, ipix: np.ndarray) -> np.ndarray:
    """Numbers of the nested pixels of one order.

    Raises
    ------
    ValueError
        If the order or a pixel does not exist.

    Examples
    --------
    >>> to_uniq(1, np.array([0, 47]))
    array([16, 63])
    """
    if not 0 <= order <= MAX_ORDER:
        raise ValueError(f"order {order}: allowed are 0 to {MAX_ORDER}.")
    return (4 << 2 * order) + check_ipix(ipix, 1 << order)


def uniq_to_order(uniq: np.ndarray) -> np.ndarray:
    """Order of each pixel, int64.

    Raises
    ------
    ValueError
        If a number stands for no pixel up to order 13.

    Examples
    --------
    >>> uniq_to_order(np.array([4, 15, 16]))
    array([0, 0, 1])
    """
    uniq = np.asarray(uniq, dtype=np.int64)
    wrong = np.flatnonzero((uniq < 4) | (uniq >= 16 << 2 * MAX_ORDER))
    if wrong.size:
        raise ValueError(
            f"UNIQ {uniq[wrong[0]]}: allowed are 4 to {(16 << 2 * MAX_ORDER) - 1}, orders 0 to "
            f"{MAX_ORDER}."
        )
    # the exponent of a float64 is exact: numbers stay below 2^53
    return (np.frexp(uniq.astype(np.float64))[1].astype(np.int64) - 3) // 2


def uniq_to_ipix(uniq: np.ndarray) -> np.ndarray:
    """Nested pixel of each number, at its own order.

    Raises
    ------
    ValueError
        If a number stands for no pixel up to order 13.

    Examples
    --------
    >>> uniq_to_ipix(np.array([4, 15, 16]))
    array([ 0, 11,  0])
    """
    return np.asarray(uniq, dtype=np.int64) - (4 << 2 * uniq_to_order(uniq))


def uniq_to_ranges(uniq: np.ndarray, order: int) -> np.ndarray:
    """Pixels of a fine order that each pixel holds.

    Parameters
    ----------
    uniq : ndarray of int64, shape (n,)
        Pixels, none finer than `order`.
    order : int
        Fine order.

    Returns
    -------
    ndarray of int64, shape (n, 2)
        First nested pixel and last + 1.

    Raises
    ------
    ValueError
        If a pixel is finer, or does not exist.

    Examples
    --------
    >>> uniq_to_ranges(np.array([5, 16]), 1)
    array([[4, 8],
           [0, 1]])
    """
    shift = 2 * (order - uniq_to_order(uniq))
    if np.any(shift < 0):
        raise ValueError(f"order {order} is coarser than some pixels; allowed is theirs or finer.")
    ipix = uniq_to_ipix(uniq)
    return np.stack([ipix << shift, (ipix + 1) << shift], axis=1)
