"""Exposure of a measurement to directions on the sky."""

import numpy as np

from skyquilt.problem.problem import FitProblem
from skyquilt.status import GOOD

_BLOCK = 128  # directions; their expected counts are added up in the cache


def find_exposure(problem: FitProblem, directions: np.ndarray) -> np.ndarray:
    """Effective area times time, averaged over the reference spectrum, the first of several.

    Parameters
    ----------
    problem : FitProblem
        The measurement.
    directions : ndarray of float64, shape (n, 3)
        Unit vectors in the frame of the problem.

    Returns
    -------
    ndarray of float64, shape (n,)
        Expected counts per photon flux [cm2 s]; 0 where there is nothing to fit.
    """
    exposure = np.zeros(len(directions))
    for start in range(0, len(directions), _BLOCK):
        part = slice(start, start + _BLOCK)
        expected = problem.expectation.block(directions[part])
        exposure[part] = np.where(expected.status == GOOD, expected.total, 0)
    return exposure / problem.photon_flux
