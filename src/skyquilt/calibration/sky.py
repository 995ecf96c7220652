"""One simulated sky: its map, its peak."""

from typing import NamedTuple

import numpy as np

from skyquilt.fit.pixels import fit_pixels
from skyquilt.likelihood.options import FluxOptions
from skyquilt.maps.plateau import highest_index
from skyquilt.problem.problem import FitProblem
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.sky.regions import ipix_from_ranges

_ZOOM_SIDE = np.linspace(-1.0, 1.0, 5)
_MAX_ZOOMS, _MIN_ZOOMS = 10, 3
_ZOOM_GAIN = 0.01  # of TS; a thousandth of the drop at the edge of a region


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
    problem: FitProblem, direction: np.ndarray, step: float, *, free_background: bool = False
) -> Peak:
    """Climb from a direction to the maximum of TS nearby.

    Each round evaluates five by five directions and goes on around the best one with half the
    distance, until TS no longer rises.

    Parameters
    ----------
    problem : FitProblem
        The sky.
    direction : ndarray of float64, shape (3,)
        Start, in the frame of the problem.
    step : float
        Distance of the outermost directions of the first round [rad].
    free_background : bool
        Fit a factor on the background in each direction.

    Returns
    -------
    Peak
        TS is NaN where no direction could be fitted.
    """
    best = Peak(direction, np.nan, np.nan)
    for n_round in range(_MAX_ZOOMS):
        around = _tangent_grid(best.direction, step)
        fit = fit_pixels(problem, around, FluxOptions(free_background=free_background))
        if np.all(np.isnan(fit.ts)):
            return best
        index = highest_index(fit.ts, around)
        gain = fit.ts[index] - best.ts
        if not gain < 0:
            best = Peak(around[index], float(fit.ts[index]), float(fit.flux[index]))
        if n_round >= _MIN_ZOOMS and gain < _ZOOM_GAIN:
            break
        step /= 2
    return best


def _tangent_grid(direction: np.ndarray, step: float) -> np.ndarray:
    """Directions around one, in its tangent plane, shape (25, 3)."""
    across = np.cross(direction, np.eye(3)[np.argmin(np.abs(direction))])
    across /= np.linalg.norm(across)
    x, y = np.meshgrid(step * _ZOOM_SIDE, step * _ZOOM_SIDE)
    around = direction + x.reshape(-1, 1) * across + y.reshape(-1, 1) * np.cross(direction, across)
    return around / np.linalg.norm(around, axis=1, keepdims=True)
