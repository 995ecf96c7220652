"""Bins without counts, which bound fluxes below zero."""

import numpy as np

NO_BACKGROUND = 1e-200
"""Stands for an expected background of 0 in bins without counts: no flux below zero is left there.

A likelihood has no use for a background of 0, but in such a bin its value does not matter.
"""


def fill_background(background: np.ndarray) -> np.ndarray:
    """Background of kept bins, above 0 everywhere.

    Examples
    --------
    >>> fill_background(np.array([0.5, 0.0])).tolist()
    [0.5, 1e-200]
    """
    return np.where(background > 0, background, NO_BACKGROUND)
