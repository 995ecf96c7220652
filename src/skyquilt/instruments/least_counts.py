"""Time bins that have some least counts each."""

import numpy as np


def group_counts(counts: np.ndarray, least: int) -> np.ndarray:
    """Join neighbours until each group has some least counts; the last has what is left, too.

    Parameters
    ----------
    counts : ndarray of float64, shape (n,)
        Counts of fine bins.
    least : int
        Least counts of a group.

    Returns
    -------
    ndarray of int64, shape (n_group + 1,)
        First fine bin of each group, and n.

    Raises
    ------
    ValueError
        If all together have fewer.

    Examples
    --------
    >>> group_counts(np.array([3.0, 0.0, 4.0, 9.0, 1.0]), 5).tolist()
    [0, 3, 5]
    """
    if counts.sum() < least:
        raise ValueError(f"{counts.sum():g} counts in all; {least} are wanted in each bin")
    ends, inside = [], 0.0
    for number, value in enumerate(counts, 1):
        inside += value
        if inside >= least:
            ends.append(number)
            inside = 0.0
    ends[-1] = counts.size
    return np.array([0, *ends], np.int64)
