"""Positions below the pixel: the top of TS and its curvature, from fits around a peak."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from skyquilt.sky.frames import rotation, separation
from skyquilt.sky.tangent import from_tangent, tangent_axes

MAX_ROUNDS = 20
"""Limit of rounds of nine fits. A step of the size of a pixel comes down to the size of the error
of a source of TS 1e5 in 8."""

REACH = 1.5
"""Pixels that a position may lie from the centre of its pixel; the corner is 0.7 to 1 away."""

_SETTLED = 0.05  # last move, in standard errors: it adds 1/400 to the variance of the position
_FACTOR = 3.0  # by which the step changes from one round to the next, at most
_FITTING = (0.6, 1.6)  # standard error in steps at which the square has the right size
_MAX_STEP = 15.0  # [deg]; the tangent plane stretches by 4 % there
# positions of the nine fits, in steps, and the parabola through them by least squares:
# TS = c0 + c1 x + c2 y + c3 x^2 + c4 x y + c5 y^2
_X, _Y = (axis.ravel() for axis in np.meshgrid([-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]))
_TO_PARABOLA = np.linalg.pinv(np.stack([np.ones(9), _X, _Y, _X**2, _X * _Y, _Y**2], axis=1))
_CENTRE = 4


class Positions(NamedTuple):
    """Positions of maxima of TS.

    Attributes
    ----------
    direction : ndarray of float64, shape (n, 3)
        Unit vectors.
    ts : ndarray of float64, shape (n,)
        TS there.
    covariance : ndarray of float64, shape (n, 2, 2)
        Covariance of the offsets to the east and to the north of ICRS [deg2]: along any line
        through the position TS falls by 1 at one standard error. NaN where `is_fitted` is False.
    is_fitted : ndarray of bool, shape (n,)
        Whether TS has a top within reach; if not, the direction is the best one tried.
    """

    direction: np.ndarray
    ts: np.ndarray
    covariance: np.ndarray
    is_fitted: np.ndarray

    def take(self, numbers: np.ndarray) -> "Positions":
        """Some of the positions, by their numbers, in that order."""
        return Positions(*(values[numbers] for values in self))


def sigma_of(found: Positions) -> np.ndarray:
    """Standard error along a line, the mean of both axes [deg]; NaN where there is none."""
    (east, mixed), (_, north) = np.moveaxis(found.covariance, 0, -1)
    return (east * north - mixed**2) ** 0.25


def refine_positions(
    ts_at: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray,
    frame: str,
    pixel_size: float,
    step: np.ndarray | None = None,
) -> Positions:
    """Find the top of TS near each of several peaks, all peaks at a time.

    In every round TS is fitted at a square of nine directions around each position, and a parabola
    drawn through them. The position moves to the top of the parabola, or to the best of the nine
    where that lies outside; half the side of the square approaches one standard error, so that
    the last parabola has the curvature of TS down to where it has fallen by 1 to 2.

    Parameters
    ----------
    ts_at : callable
        TS of unit vectors of shape (m, 3), in the frame of the problem; NaN where there is none.
    start : ndarray of float64, shape (n, 3)
        Peaks, unit vectors in that frame.
    frame : {"galactic", "icrs"}
        That frame.
    pixel_size : float
        Side of a pixel of the map [deg]; no position moves farther than `REACH` of it.
    step : ndarray of float64, shape (n,), optional
        Half the side of the first square [deg]; half a pixel when not given.

    Returns
    -------
    Positions
        One position per peak.
    """
    n = len(start)
    pole = rotation("icrs", frame)[:, 2]
    here, limit = np.array(start, dtype=np.float64), REACH * pixel_size
    step = np.full(n, pixel_size / 2) if step is None else np.array(step, dtype=np.float64)
    max_step = np.full(n, _MAX_STEP)
    ts, is_fitted = np.full(n, np.nan), np.zeros(n, dtype=bool)
    covariance, todo = np.full((n, 2, 2), np.nan), np.arange(n)
    for _ in range(MAX_ROUNDS):
        if not todo.size:
            break
        axes = tangent_axes(here[todo], pole)
        side = step[todo, np.newaxis]
        nine = ts_at(from_tangent(here[todo], axes, _X * side, _Y * side).reshape(-1, 3))
        nine = np.nan_to_num(nine.reshape(-1, 9), nan=-np.inf)
        top, spread, is_inside = _tops(nine)
        best = np.argmax(nine, axis=1)
        best[nine[:, _CENTRE] >= nine.max(axis=1)] = _CENTRE  # on a plain it stays
        move = np.where(is_inside[:, np.newaxis], top, np.stack([_X[best], _Y[best]], axis=1))
        moved = from_tangent(here[todo], axes, *(move.T[:, :, np.newaxis] * side))[:, 0]
        is_out = separation(moved, start[todo]) > limit
        sigma = np.linalg.det(spread) ** 0.25  # in steps
        is_stuck = is_out | (~is_inside & (best == _CENTRE))
        factor = np.where(is_inside, np.clip(sigma, 1 / _FACTOR, _FACTOR), 1.0)
        factor = np.where(is_stuck, 1 / _FACTOR, factor)

        ts[todo], is_fitted[todo] = nine[:, _CENTRE], is_inside & ~is_out
        covariance[todo] = spread * step[todo, np.newaxis, np.newaxis] ** 2
        is_done = is_fitted[todo] & (np.hypot(*top.T) < _SETTLED * sigma)
        is_largest = step[todo] >= max_step[todo]
        is_done &= (sigma > _FITTING[0]) & ((sigma < _FITTING[1]) | is_largest)
        stays = is_out | is_done
        here[todo] = np.where(stays[:, np.newaxis], here[todo], moved)
        max_step[todo] = np.where(is_stuck, step[todo] / _FACTOR, max_step[todo])
        step[todo] = np.minimum(step[todo] * factor, max_step[todo])
        todo = todo[~is_done]
    covariance[~is_fitted] = np.nan
    return Positions(here, ts, covariance, is_fitted)


def _tops(nine: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Parabolas through squares of nine TS.

    Returns
    -------
    top : ndarray of float64, shape (n, 2)
        Place of the top, in steps; 0 where `is_inside` is False.
    spread : ndarray of float64, shape (n, 2, 2)
        Covariance that the curvature stands for, in steps squared; the unit matrix there.
    is_inside : ndarray of bool, shape (n,)
        Whether the parabola has a top, and that in the square.
    """
    is_whole = np.all(np.isfinite(nine), axis=1)
    parabola = np.where(is_whole[:, np.newaxis], nine, 0.0) @ _TO_PARABOLA.T
    _, c1, c2, c3, c4, c5 = parabola.T
    determinant = 4 * c3 * c5 - c4**2
    is_top = (c3 < 0) & (c5 < 0) & (determinant > 0)
    determinant = np.where(is_top, determinant, 1.0)
    top = np.stack([c4 * c2 - 2 * c5 * c1, c4 * c1 - 2 * c3 * c2], axis=1)
    top /= determinant[:, np.newaxis]
    # TS = top - x^T C^-1 x
    spread = np.stack([-4 * c5, 2 * c4, 2 * c4, -4 * c3], axis=1) / determinant[:, np.newaxis]
    is_inside = is_top & np.all(np.abs(top) <= 1, axis=1)
    top = np.where(is_inside[:, np.newaxis], top, 0.0)
    spread = np.where(is_inside[:, np.newaxis, np.newaxis], spread.reshape(-1, 2, 2), np.eye(2))
    return top, spread, is_inside
