"""How the samples of a pixel become a charge and a time."""

from typing import NamedTuple

import numpy as np

EXTRACTORS = ("neighbour_peak", "local_peak", "global_peak", "fixed", "full")
"""Where the window of a pixel lies: around the peak of its neighbours, its own, that of all pixels,
at a fixed sample; or all samples. The kernels know them by their position here."""


class Pulse(NamedTuple):
    """Reference pulse of a camera.

    Attributes
    ----------
    shape : ndarray
        Pulse of each gain, shape (n_gain, n_point).
    step : float
        Distance of its points [ns].
    """

    shape: np.ndarray
    step: float


def window_corrections(pulse: Pulse, sample: float, width: int, shift: int) -> np.ndarray:
    """Factor for each gain that makes up for the part of a pulse outside its window.

    The reference pulse is binned to samples as a density; the window lies around its largest
    sample as around the peak of a trace.

    Parameters
    ----------
    pulse : Pulse
        Reference pulse.
    sample : float
        Length of a sample [ns].
    width, shift : int
        Samples of the window, and how many of them are before the peak.

    Returns
    -------
    ndarray
        Factors, shape (n_gain,); 1 where the window misses the pulse.

    Examples
    --------
    A pulse of one sample is whole in any window:

    >>> window_corrections(Pulse(np.array([[0.0, 1, 0, 0, 0]]), 1.0), 1.0, width=3, shift=1)
    array([1.])
    """
    factors = np.ones(len(pulse.shape))
    stop = pulse.shape.shape[1] * pulse.step
    points, edges = np.arange(0, stop, pulse.step), np.arange(0, stop, sample)
    for gain, shape in enumerate(pulse.shape):
        density, _ = np.histogram(points[: shape.size], edges, weights=shape, density=True)
        first = max(int(density.argmax()) - shift, 0)
        inside = density[first : first + width]
        if inside.size:
            factors[gain] = 1 / np.sum(inside * sample)
    return factors
