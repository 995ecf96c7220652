"""Values of pixels: those that are impossible are refused, those that are missing are not zero.

A pixel that has no value at all, NaN at every energy (as UNSEEN of HEALPix, TNULL and BLANK are
read), is not known: of counts it is no part of the observation, of an exposure its directions have
a status and no flux.
"""

import logging
from collections.abc import Callable

import numpy as np

from skyquilt.errors import InputError

logger = logging.getLogger(__name__)

LARGEST = 1e30
"""Counts, or exposure [cm2 s], that nothing has: programs write such for what is missing."""


def check_values(path: str, values: np.ndarray, describe: Callable[[int, int], str]) -> np.ndarray:
    """Values with NaN in pixels that have none; their number is logged.

    Parameters
    ----------
    path : str
        The file, for messages.
    values : ndarray of float64, shape (n_pixel, n)
        Values as they are in the file.
    describe : callable
        Name of the position of a pixel and energy in the file, by number.

    Raises
    ------
    InputError
        If a value is negative, infinite or above `LARGEST`, is missing at some energies only, or
        all are missing.
    """
    is_unknown = np.isnan(values).all(axis=1)
    wrong = np.argwhere(~is_possible(values) & ~is_unknown[:, np.newaxis])
    if len(wrong):
        pixel, k = wrong[0]
        raise InputError(
            f"{path}: {len(wrong)} values are negative or not finite, or above {LARGEST:g}, as "
            f"{values[pixel, k]:g} in {describe(int(pixel), int(k))}."
        )
    if not is_unknown.any():
        return values
    if is_unknown.all():
        raise InputError(f"{path}: no pixel has a value; all are NaN or UNSEEN.")
    logger.info(
        "%s: %d of %d pixels have no value (NaN or UNSEEN) and are not known",
        *(path, np.sum(is_unknown), len(values)),
    )
    return np.where(is_unknown[:, np.newaxis], np.nan, values)


def is_possible(values: np.ndarray) -> np.ndarray:
    """Whether values are from 0 to `LARGEST`; NaN is not.

    Examples
    --------
    >>> is_possible(np.array([0.0, 3e18, -1.0, np.nan, 1e38])).tolist()
    [True, True, False, False, False]
    """
    return (values >= 0) & (values <= LARGEST)


def find_known(values: np.ndarray) -> np.ndarray:
    """Pixels that have values, of all shape (n_pixel, n)."""
    return ~np.isnan(values).any(axis=1)
