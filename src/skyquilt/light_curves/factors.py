"""Light curves of simulated sources: factors on a spectrum, their integral, times drawn from them.

All follows from the integral over time, in closed form.
"""

import numpy as np
from numpy.typing import ArrayLike

from skyquilt.config.light_curve import (
    ExponentialLightCurve,
    GaussianLightCurve,
    LightCurve,
    PeriodicLightCurve,
    TableLightCurve,
)

_N_HALVINGS = 60  # of an interval: times to rounding


def integrate_factor(curve: LightCurve | None, start: ArrayLike, stop: ArrayLike) -> np.ndarray:
    """Integral of the factor over intervals.

    Parameters
    ----------
    curve : LightCurve or None
        Section `light_curve`; None for the factor 1.
    start, stop : array_like of float
        Ends of the intervals [UNIX s], of shapes that fit each other.

    Returns
    -------
    ndarray of float64
        Integrals [s].

    Examples
    --------
    >>> from skyquilt.config.light_curve import TableLightCurve
    >>> curve = TableLightCurve(model="table", edges=(0, 10, 20), factors=(1, 3))
    >>> integrate_factor(curve, [0, 5, 15], [10, 15, 30])
    array([10., 20., 15.])
    """
    start, stop = np.asarray(start, np.float64), np.asarray(stop, np.float64)
    match curve:
        case None:
            return stop - start
        case TableLightCurve():
            edges = np.array(curve.edges) - curve.edges[0]
            upto = np.concatenate([[0.0], np.cumsum(np.diff(edges) * curve.factors)])
            ends = (np.interp(time - curve.edges[0], edges, upto) for time in (stop, start))
            return next(ends) - next(ends)
        case GaussianLightCurve():
            pulse = _gaussian(start - curve.t0, stop - curve.t0, curve.sigma)
            return curve.level * (stop - start) + pulse
        case ExponentialLightCurve():
            pulse = _exponential(curve, stop - curve.t0) - _exponential(curve, start - curve.t0)
            return curve.level * (stop - start) + pulse
        case PeriodicLightCurve():
            rate = 2 * np.pi / curve.period
            sines = np.sin(rate * (stop - curve.t0)) - np.sin(rate * (start - curve.t0))
            return stop - start + curve.fraction / rate * sines


def draw_times(
    curve: LightCurve | None, start: np.ndarray, stop: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """A time from each of some intervals, drawn in proportion to the factor.

    Parameters
    ----------
    curve : LightCurve or None
        Section `light_curve`; None for even times.
    start, stop : ndarray of float64, shape (n,)
        Ends of the intervals [UNIX s], in each of which the integral is above 0.
    rng : numpy.random.Generator
        Random numbers.

    Returns
    -------
    ndarray of float64, shape (n,)
        Times [UNIX s].
    """
    part = rng.uniform(size=len(start))
    if curve is None:
        return start + part * (stop - start)
    wanted = part * integrate_factor(curve, start, stop)
    low, high = start, stop
    for _ in range(_N_HALVINGS):
        middle = low + (high - low) / 2
        is_before = integrate_factor(curve, start, middle) < wanted
        low, high = np.where(is_before, middle, low), np.where(is_before, high, middle)
    return low


def _gaussian(start: np.ndarray, stop: np.ndarray, sigma: float) -> np.ndarray:
    """Integral of a Gaussian of height 1 between times from its middle."""
    from scipy.special import ndtr

    # on one side of the middle the difference of two tails, which rounding does not hurt
    is_late = start > 0
    first, last = np.where(is_late, -stop, start), np.where(is_late, -start, stop)
    return np.sqrt(2 * np.pi) * sigma * (ndtr(last / sigma) - ndtr(first / sigma))


def _exponential(curve: ExponentialLightCurve, time: np.ndarray) -> np.ndarray:
    """Integral of the pulse from its maximum, negative before it."""
    after = -curve.decay * np.expm1(-np.maximum(time, 0) / curve.decay)
    if curve.rise == 0:
        return after
    return after + curve.rise * np.expm1(np.minimum(time, 0) / curve.rise)
