"""Directions drawn from the brightness of an extended source."""

import numpy as np

from skyquilt.config.shape import (
    AnalyticShape,
    Disk,
    EllipticalGaussian,
    Gaussian,
    Point,
    Ring,
)
from skyquilt.sky.brightness import Brightness
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.tangent import tangent_axes


def draw_shape(
    shape: AnalyticShape, center: np.ndarray, n: int, rng: np.random.Generator
) -> np.ndarray:
    """Directions from the brightness of a shape around a centre.

    Parameters
    ----------
    shape : AnalyticShape
        Section `shape`, but no map.
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


def draw_brightness(
    brightness: Brightness,
    origin: np.ndarray,
    center: np.ndarray,
    n: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Directions from the brightness of a map that is moved somewhere else.

    Parameters
    ----------
    brightness : Brightness
        The map.
    origin : ndarray of float64, shape (3,)
        Direction in the map that stands for the source (ICRS).
    center : ndarray of float64, shape (3,)
        Where that is to be, galactic.
    n : int
        How many to draw.
    rng : numpy.random.Generator
        Random numbers.

    Returns
    -------
    ndarray of float64, shape (n, 3)
        Unit vectors, galactic.
    """
    pixel = rng.choice(brightness.weight.size, n, p=brightness.weight)
    u, v = rng.uniform(size=(2, n))
    fraction = np.stack([(1 - u) * (1 - v), u * (1 - v), u * v, (1 - u) * v], axis=1)
    position = np.einsum("nc,ncx->nx", fraction, brightness.corners[pixel])
    position /= np.linalg.norm(position, axis=1, keepdims=True)
    pole = np.array([0.0, 0.0, 1.0])
    target = rotate(rotation("galactic", "icrs"), center[np.newaxis])[0]
    here, there = (
        np.stack([one, *(axis[0] for axis in tangent_axes(one[np.newaxis], pole))])
        for one in (origin, target)
    )
    return rotate(rotation("icrs", "galactic"), position @ here.T @ there)


def _radius(shape: AnalyticShape, part: np.ndarray) -> np.ndarray:
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
