"""One simulated sky: its map, its peak."""

from typing import NamedTuple

import numpy as np

from skyquilt.fit.pixels import fit_pixels
from skyquilt.fit.position import refine_positions
from skyquilt.likelihood.options import FluxOptions
from skyquilt.problem.problem import FitProblem
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.sky.regions import ipix_from_ranges


class Grid(NamedTuple):
    """Pixels that are mapped in every sky, and how.

    Attributes
    ----------
    nside : int
        Resolution.
    frame : {"galactic", "icrs"}
        Frame of the pixels.
    ipix : ndarray of int64, shape (n,)
        Nested pixels.
    directions : ndarray of float64, shape (n, 3)
        Their centres, in the frame of the problem.
    free_background : bool
        Fit a factor on the background in each direction.
    """

    nside: int
    frame: str
    ipix: np.ndarray
    directions: np.ndarray
    free_background: bool = False


class Peak(NamedTuple):
    """Largest TS near a direction.

    Attributes
    ----------
    direction : ndarray of float64, shape (3,)
        Where it is.
    ts, flux : float
        Test statistic and best flux there.
    """

    direction: np.ndarray
    ts: float
    flux: float


def make_grid(
    model: FitProblem,
    nside: int,
    frame: str,
    ranges: np.ndarray,
    *,
    free_background: bool = False,
) -> Grid:
    """Pixels of a region."""
    ipix = ipix_from_ranges(ranges)
    directions = rotate(rotation(frame, model.frame), nest_to_vec(nside, ipix))
    return Grid(nside, frame, ipix, directions, free_background)


def find_peak(
    problem: FitProblem, starts: np.ndarray, step: float, *, free_background: bool = False
) -> Peak:
    """Climb from some directions to the maxima of TS nearby; the highest of them.

    Parameters
    ----------
    problem : FitProblem
        The sky.
    starts : ndarray of float64, shape (n, 3)
        Where to start, in the frame of the problem.
    step : float
        Half the side of the first square that is fitted [deg]; climbs go up to three times as far.
    free_background : bool
        Fit a factor on the background in each direction.

    Returns
    -------
    Peak
        No lower than TS at any start; NaN where no direction could be fitted.
    """
    options = FluxOptions(free_background=free_background)
    found = refine_positions(
        lambda vec: fit_pixels(problem, vec, options).ts, starts, problem.frame, 2 * step
    )
    tried = np.concatenate([starts, found.direction])
    fit = fit_pixels(problem, tried, options)
    index = int(np.argmax(np.nan_to_num(fit.ts, nan=-1.0)))  # of equals, the first start
    return Peak(tried[index], float(fit.ts[index]), float(fit.flux[index]))
