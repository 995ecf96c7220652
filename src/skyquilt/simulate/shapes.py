"""Directions drawn from the brightness of an extended source."""

import numpy as np

from skyquilt.config.shape import Disk, EllipticalGaussian, Gaussian, Point, Ring, Shape
from skyquilt.sky.frames import rotation
from skyquilt.sky.tangent import tangent_axes


def draw_shape(shape: Shape, center: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Directions from the brightness of a shape around a centre.

    Parameters
    ----------
    shape : Shape
        Section `shape`.
    center : ndarray of float64, shape (3,)
        Unit vector to the centre, galactic.
    n : int
        How many to draw.
    rng : numpy.random.Generator
        Random numbers.

    Returns
    -------
    ndarray of float64, shape (n, 3)
        Unit vectors, galactic.
    """
    turn, part = rng.uniform(0, 2 * np.pi, n), rng.uniform(size=n)
    east, north = np.cos(turn), np.sin(turn)
    if isinstance(shape, EllipticalGaussian):
        east, north = _on_ellipse(shape, east, north)
    angle = _radius(shape, part)
    pole = rotation("icrs", "galactic")[:, 2]
    to_east, to_north = (axis[0] for axis in tangent_axes(center[np.newaxis], pole))
    sine = np.sin(angle)[:, np.newaxis] * np.column_stack([east, north])
    along = np.sqrt(np.maximum(1 - np.sum(sine**2, axis=1), 0.0))[:, np.newaxis]
    return along * center + sine[:, :1] * to_east + sine[:, 1:] * to_north


def _radius(shape: Shape, part: np.ndarray) -> np.ndarray:
    """Angles from the centre within which parts of the brightness lie [rad]."""
    match shape:
        case Point():
            return np.zeros_like(part)
        case Gaussian() | EllipticalGaussian():
            sine = np.sqrt(np.minimum(-np.log1p(-part) * np.radians(shape.sigma) ** 2 / 2, 1.0))
            return 2 * np.arcsin(sine)
        case Disk():
            first, last = 0.0, np.radians(shape.radius)
        case Ring():
            first, last = np.radians([shape.inner, shape.outer])
    low, high = np.sin(first / 2) ** 2, np.sin(last / 2) ** 2
    return 2 * np.arcsin(np.sqrt(low + part * (high - low)))


def _on_ellipse(
    shape: EllipticalGaussian, across: np.ndarray, along: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Parts to the east and the north, of those across and along the long axis."""
    across, angle = across * shape.ratio, np.radians(shape.angle)
    return (
        across * np.cos(angle) + along * np.sin(angle),
        along * np.cos(angle) - across * np.sin(angle),
    )
