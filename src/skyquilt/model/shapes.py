"""Shapes of sources as weighted directions, which move and grow with the source."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np


class SourceShape(NamedTuple):
    """A shape of a source.

    Attributes
    ----------
    parameters : tuple of str
        Names of its parameters, angles in deg.
    points : callable
        Takes the parameters by keyword; gives offsets to the east and to the north [deg] and
        weights of sum 1 of the points that make up the source, each of shape (n,).
    """

    parameters: tuple[str, ...]
    points: Callable[..., tuple[np.ndarray, np.ndarray, np.ndarray]]


def disk(sharpness: float, largest: float) -> SourceShape:
    """A disk of even brightness; its parameter is ``radius`` [deg].

    Parameters
    ----------
    sharpness : float
        Standard deviation of the sharpest point spread function [deg].
    largest : float
        Largest radius [deg]: the number of points suits it, and stays.
    """
    n_ring, n_around = _numbers(largest / sharpness)
    at, own = np.polynomial.legendre.leggauss(n_ring)
    radial, weight = (1 + at) / 2, own * (1 + at) / 2
    east, north, weights = _rings(radial, weight, n_around)
    return SourceShape(("radius",), lambda radius: (radius * east, radius * north, weights))


_FAR = 4.5  # standard deviations beyond which a Gaussian ends: 4e-5 of its photons


def gaussian(sharpness: float, largest: float) -> SourceShape:
    """An elliptical Gaussian.

    Its parameters are ``sigma`` along the long axis [deg], ``ratio`` of the short to the long axis,
    and ``angle`` of the long axis from north to east [deg].

    Parameters
    ----------
    sharpness, largest : float
        As of `disk`; the largest sigma.
    """
    n_ring, n_around = _numbers(_FAR * largest / sharpness)
    at, own = np.polynomial.legendre.leggauss(n_ring)
    radial = _FAR * (1 + at) / 2
    east, north, weights = _rings(radial, own * radial * np.exp(-(radial**2) / 2), n_around)

    def points(
        sigma: float, ratio: float, angle: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        along, across = sigma * north, sigma * ratio * east
        sine, cosine = np.sin(np.radians(angle)), np.cos(np.radians(angle))
        return along * sine + across * cosine, along * cosine - across * sine, weights

    return SourceShape(("sigma", "ratio", "angle"), points)


def shape_of(
    brightness: Callable[..., np.ndarray],
    parameters: tuple[str, ...],
    size: str,
    extent: float,
    sharpness: float,
    largest: float,
) -> SourceShape:
    """A shape of any brightness.

    Parameters
    ----------
    brightness : callable
        Takes angles to the east and to the north [deg] and the parameters by keyword.
    parameters : tuple of str
        Names of the parameters.
    size : str
        The one that tells how large the source is [deg].
    extent : float
        Angle beyond which there is nothing, in sizes.
    sharpness, largest : float
        As of `disk`; the largest size.
    """
    n_ring, n_around = _numbers(extent * largest / sharpness)
    at, own = np.polynomial.legendre.leggauss(n_ring)
    radial = extent * (1 + at) / 2
    east, north, area = _rings(radial, own * radial, n_around)

    def points(**values: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x, y = values[size] * east, values[size] * north
        weight = area * brightness(x, y, **values)
        return x, y, weight / np.sum(weight)

    return SourceShape(parameters, points)


SHAPES: Mapping[str, Callable[[float, float], SourceShape]] = {"disk": disk, "gaussian": gaussian}
"""Shapes by name."""


def _numbers(widest: float) -> tuple[int, int]:
    """Rings, and points around each, for a radius in standard deviations of the point spread.

    Sums over rings converge faster than any power once they are closer than the point spread is
    wide: at 1.6 per standard deviation and six more, 1e-4 of the peak is kept up to 40 of them.
    """
    return 8 + int(np.ceil(0.9 * widest)), 12 + int(np.ceil(4.5 * widest))


def _rings(
    radial: np.ndarray, weight: np.ndarray, n_around: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points on rings, every other one turned by half a step."""
    turn = (np.arange(n_around) + 0.5 * (np.arange(radial.size)[:, np.newaxis] % 2)) / n_around
    east = radial[:, np.newaxis] * np.sin(2 * np.pi * turn)
    north = radial[:, np.newaxis] * np.cos(2 * np.pi * turn)
    weights = np.repeat(weight / weight.sum() / n_around, n_around)
    return east.ravel(), north.ravel(), weights
