"""Functions of time whose parameters are fitted, and their mean over each bin.

Each function is analytic in its parameters, so that a complex step gives their derivatives.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

N_NODES = 12
"""Nodes of Gauss and Legendre in each piece of a bin."""

_NODE, _WEIGHT = np.polynomial.legendre.leggauss(N_NODES)


class TimeFunction(NamedTuple):
    """A function of time and what its parameters are called.

    Attributes
    ----------
    function : callable
        Takes times [s] and the parameters.
    corners : callable
        Takes the parameters; times in rising order between which the function is smooth and short
        enough for the quadrature.
    parameters : tuple of str
        Names of the parameters.
    times : tuple of str
        Those of them that are in s.
    """

    function: Callable[..., np.ndarray]
    corners: Callable[..., Sequence[np.ndarray]]
    parameters: tuple[str, ...]
    times: tuple[str, ...]


def mean_over_bins(
    curve: TimeFunction, start: np.ndarray, stop: np.ndarray
) -> Callable[..., np.ndarray]:
    """Function of the parameters only: the mean of a light curve over each bin.

    Parameters
    ----------
    curve : TimeFunction
        The light curve.
    start, stop : ndarray of float64, shape (n_bin,)
        Ends of the bins [s]; where they are all the same, the value at these times is meant.

    Returns
    -------
    callable
        Takes the parameters, numbers or arrays of shape (n_bin,), and gives the means, shape
        (n_bin,); of m points, arrays of shape (m, 1) or (m, n_bin) give (m, n_bin). Each bin is cut
        at the corners of the function, which move with its parameters.

    Examples
    --------
    >>> mean = mean_over_bins(LIGHT_CURVES["exponential"], np.array([0.0]), np.array([2.0]))
    >>> mean(1.0, 1.0, 0.5).round(6).tolist()  # 0.25 (1 - exp(-2))
    [0.216166]
    """
    if np.array_equal(start, stop):
        return lambda *parameters: curve.function(start, *parameters)
    width = stop - start

    def mean(*parameters: np.ndarray) -> np.ndarray:
        shape = np.broadcast_shapes(start.shape, *map(np.shape, parameters))
        corners = [_clip(corner, start, stop) for corner in curve.corners(*parameters)]
        ends = np.stack([np.broadcast_to(end, shape).ravel() for end in (start, *corners, stop)])
        piece, cell = np.nonzero(np.real(ends[1:]) > np.real(ends[:-1]))
        begin, half = ends[piece, cell], 0.5 * (ends[piece + 1, cell] - ends[piece, cell])
        time = (begin + half)[:, np.newaxis] + half[:, np.newaxis] * _NODE
        columns = [
            np.broadcast_to(p, shape).ravel()[cell, np.newaxis] if np.ndim(p) else p
            for p in parameters
        ]
        parts = half * np.sum(curve.function(time, *columns) * _WEIGHT, axis=1)
        total = np.zeros(ends.shape[1], parts.dtype)
        np.add.at(total, cell, parts)
        return total.reshape(shape) / width

    return mean


def _clip(corner: np.ndarray, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Corner within each bin, an end of it where it is outside; derivatives go with it."""
    position = np.real(corner)
    return np.where(position <= start, start, np.where(position >= stop, stop, corner))


def constant(time: np.ndarray, level: np.ndarray) -> np.ndarray:
    """The same at all times."""
    return level + 0 * time


def gaussian(time: np.ndarray, peak: np.ndarray, t0: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Symmetric pulse of height `peak` at `t0`, of standard deviation `sigma`."""
    return peak * np.exp(-0.5 * ((time - t0) / sigma) ** 2)


def exponential(
    time: np.ndarray, peak: np.ndarray, t0: np.ndarray, decay: np.ndarray
) -> np.ndarray:
    """Sudden rise to `peak` at `t0`, then a decay with the time `decay`."""
    return np.where(_is_after(time, t0), peak * np.exp(-_since(time, t0) / decay), 0)


def norris(
    time: np.ndarray, peak: np.ndarray, t0: np.ndarray, rise: np.ndarray, decay: np.ndarray
) -> np.ndarray:
    """Pulse of a burst with a fast rise and an exponential decay, `peak` at its maximum.

    ``peak exp(2 sqrt(rise / decay) - rise / (t - t0) - (t - t0) / decay)`` after `t0`, Norris et
    al. 2005, ApJ 627, 324, eq. 1.
    """
    since = _since(time, t0)
    is_after = _is_after(time, t0) & (since != 0)
    safe = np.where(is_after, since, 1.0)
    shape = 2 * np.sqrt(rise / decay) - rise / safe - safe / decay
    return np.where(is_after, peak * np.exp(shape), 0)


def broken_power_law(
    time: np.ndarray,
    level: np.ndarray,
    t_break: np.ndarray,
    index_before: np.ndarray,
    index_after: np.ndarray,
) -> np.ndarray:
    """Power of the time since the epoch, with another index after `t_break`, `level` there."""
    ratio = np.log(time / t_break)
    return level * np.exp(np.where(_is_after(time, t_break), index_after, index_before) * ratio)


def _is_after(time: np.ndarray, t0: np.ndarray) -> np.ndarray:
    return np.real(time) >= np.real(t0)


def _since(time: np.ndarray, t0: np.ndarray) -> np.ndarray:
    """Time since `t0`, 0 before it, so that nothing overflows."""
    return np.where(_is_after(time, t0), time - t0, 0)


def _light_curve(
    function: Callable[..., np.ndarray],
    corners: Callable[..., Sequence[np.ndarray]],
    times: tuple[str, ...] = (),
) -> TimeFunction:
    names = tuple(inspect.signature(function).parameters)[1:]
    return TimeFunction(function, corners, names, times)


def _after(t0: np.ndarray, length: np.ndarray) -> Sequence[np.ndarray]:
    """Corners of what begins at `t0` and falls within some lengths."""
    return [t0, t0 + 2 * length, t0 + 8 * length, t0 + 32 * length]


LIGHT_CURVES = {
    "constant": _light_curve(constant, lambda level: []),
    "gaussian": _light_curve(
        gaussian,
        lambda peak, t0, sigma: [t0 + n * sigma for n in (-7, -3, 0, 3, 7)],
        ("t0", "sigma"),
    ),
    "exponential": _light_curve(
        exponential, lambda peak, t0, decay: _after(t0, decay), ("t0", "decay")
    ),
    "norris": _light_curve(
        norris,
        lambda peak, t0, rise, decay: [
            *(t0, t0 + 0.1 * np.sqrt(rise * decay), t0 + np.sqrt(rise * decay)),
            *_after(t0 + np.sqrt(rise * decay), decay)[1:],
        ],
        ("t0", "rise", "decay"),
    ),
    "broken_power_law": _light_curve(
        broken_power_law, lambda level, t_break, *indices: [t_break], ("t_break",)
    ),
}
"""Light curves by the name that a configuration gives them."""
