"""One simulated sky: its counts, its map, its peak.

A *model* is a fit problem that keeps all bins, also those without counts; skies are Poisson
draws from it, and the fit of a sky is that of any problem.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from skyquilt.errors import RunError
from skyquilt.fit.pixels import fit_pixels
from skyquilt.likelihood.options import FluxOptions
from skyquilt.maps.plateau import highest_place
from skyquilt.problem.problem import FitProblem
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.sky.pixels import MAX_NSIDE
from skyquilt.sky.regions import ipix_from_ranges
from skyquilt.status import GOOD

_MAX_DRAWS = 1000  # of a direction that has exposure
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


def observe(model: FitProblem, counts: np.ndarray) -> FitProblem:
    """Fit problem of the counts of one sky.

    Parameters
    ----------
    model : FitProblem
        Problem with all bins.
    counts : ndarray of integer or float, shape (n_bin,)
        Counts in all of them.

    Returns
    -------
    FitProblem
        The same problem with the hit bins of these counts.
    """
    hits = np.flatnonzero(counts)
    return replace(
        model,
        counts=counts[hits].astype(np.float64),
        background=model.background[hits],
        expectation=model.expectation.select_bins(hits),
        counts_spectra={},
        identity="",
    )


def draw_direction(model: FitProblem, grid: Grid, rng: np.random.Generator) -> np.ndarray:
    """Direction drawn uniformly from the area of the grid's pixels, where there is exposure.

    Returns
    -------
    ndarray of float64, shape (3,)
        Unit vector in the frame of the problem.

    Raises
    ------
    RunError
        If no such direction is found.
    """
    n_inside = (MAX_NSIDE // grid.nside) ** 2
    to_problem = rotation(grid.frame, model.frame)
    for _ in range(_MAX_DRAWS):
        ipix = rng.choice(grid.ipix) * n_inside + rng.integers(n_inside)
        direction = rotate(to_problem, nest_to_vec(MAX_NSIDE, np.array([ipix])))
        block = model.expectation.block(direction)
        if block.status[0] == GOOD and block.total[0] > 0:
            return direction[0]
    raise RunError(
        f"no direction with exposure among {_MAX_DRAWS} drawn from {grid.ipix.size} pixels: check "
        "`map.region` and the orientation."
    )


def expected_counts(model: FitProblem, direction: np.ndarray) -> np.ndarray:
    """Expected counts of a source of unit flux in all bins of a model, shape (n_bin,)."""
    return model.expectation.block(direction[np.newaxis]).dense().unit_counts[0]


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
        place = highest_place(fit.ts, around)
        gain = fit.ts[place] - best.ts
        if not gain < 0:
            best = Peak(around[place], float(fit.ts[place]), float(fit.flux[place]))
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
