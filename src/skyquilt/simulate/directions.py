"""Random directions."""

import numpy as np

from skyquilt.errors import RunError
from skyquilt.problem.problem import FitProblem
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.sky.pixels import MAX_NSIDE
from skyquilt.status import GOOD

_MAX_DRAWS = 1000  # of a direction that has exposure


def draw_direction(
    problem: FitProblem, nside: int, ipix: np.ndarray, frame: str, rng: np.random.Generator
) -> np.ndarray:
    """Direction drawn uniformly from the area of pixels, where there is exposure.

    Parameters
    ----------
    problem : FitProblem
        The problem.
    nside : int
        Resolution of the pixels.
    ipix : ndarray of int64, shape (n,)
        Nested pixels.
    frame : {"galactic", "icrs"}
        Frame of the pixels.
    rng : numpy.random.Generator
        Random numbers.

    Returns
    -------
    ndarray of float64, shape (3,)
        Unit vector in the frame of the problem.

    Raises
    ------
    RunError
        If no such direction is found.
    """
    n_inside = (MAX_NSIDE // nside) ** 2
    to_problem = rotation(frame, problem.frame)
    for _ in range(_MAX_DRAWS):
        fine = rng.choice(ipix) * n_inside + rng.integers(n_inside)
        direction = rotate(to_problem, nest_to_vec(MAX_NSIDE, np.array([fine])))
        block = problem.expectation.block(direction)
        if block.status[0] == GOOD and block.total[0] > 0:
            return direction[0]
    raise RunError(
        f"no direction with exposure among {_MAX_DRAWS} drawn from {ipix.size} pixels: check "
        "`map.region` and the orientation."
    )
