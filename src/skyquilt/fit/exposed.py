"""Whether anything of a region can be fitted, before its pixels are."""

import numpy as np

from skyquilt.problem.problem import FitProblem
from skyquilt.problem.templates import split_templates
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.sky.regions import ipix_from_ranges
from skyquilt.status import GOOD

MOST_PIXELS = 2**16
"""Pixels that are looked at: a second of work. Of larger regions the fit will tell."""

_AT_A_TIME = 256


def is_unexposed(problem: FitProblem, nside: int, frame: str, ranges: np.ndarray) -> bool:
    """Whether it is known that no pixel of a region has exposure.

    Pixels are looked at until one has exposure, evenly spread ones first: mostly that is the first
    block of them.

    Parameters
    ----------
    problem : FitProblem
        The problem.
    nside : int
        Resolution of the map.
    frame : {"galactic", "icrs"}
        Frame of the map.
    ranges : ndarray of int64, shape (n, 2)
        Nested pixel ranges [start, stop) of the region, ascending.

    Returns
    -------
    bool
        False for regions of more than `MOST_PIXELS` pixels, too: that is not known.
    """
    if not 0 < np.sum(ranges[:, 1] - ranges[:, 0]) <= MOST_PIXELS:
        return False
    directions = nest_to_vec(nside, ipix_from_ranges(ranges))
    directions = rotate(rotation(frame, problem.frame), directions)
    expectations = [part.expectation for part in split_templates(problem)]
    step = -(-len(directions) // _AT_A_TIME)
    for start in range(step):
        some = directions[start::step]
        if any(np.any(one.block(some).status == GOOD) for one in expectations):
            return False
    return True
