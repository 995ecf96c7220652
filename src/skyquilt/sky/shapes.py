"""Shapes of sources on the sky: their brightness, and directions that stand for it.

Radii are angles on the sphere. The Gaussian is that of the sphere (von Mises and Fisher),
exp(cos(theta) / sigma^2), which is exp(-theta^2 / (2 sigma^2)) to sigma^2 / 12.
"""

from typing import NamedTuple

import numpy as np

from skyquilt.config.shape import (
    AnalyticShape,
    BrightnessMap,
    Disk,
    EllipticalGaussian,
    Gaussian,
    Point,
    Ring,
    Shape,
)
from skyquilt.sky.nodes import Nodes

_N_RADIUS, _N_ANGLE = 12, 24
"""Least radii of a shape, and directions at each of them."""

_PER_CORE = 1.2
"""Cores between the directions of a wide Gaussian: even steps are good to 1e-4 of the peak."""

_NARROW = 1.5
"""Cores up to which a Gaussian has Gauss's rule, off by 7e-5 of the peak at 2 and by 7 % at 4."""

_OUTSIDE = 6e-5
"""Of the central brightness; what is fainter is left out, some 1e-4 of a Gaussian."""

MOST_NODES = 50_000
"""Directions of a shape that are too many."""


class Disks(NamedTuple):
    """A radial shape as a sum of uniform disks, each of integral 1.

    Attributes
    ----------
    radius : ndarray of float64, shape (n,)
        Radii [rad].
    weight : ndarray of float64, shape (n,)
        Weights, negative where a disk is cut out; their sum is 1.
    """

    radius: np.ndarray
    weight: np.ndarray


def is_point(shape: Shape) -> bool:
    """Whether a source has no extent."""
    return isinstance(shape, Point)


def is_radial(shape: Shape) -> bool:
    """Whether a shape is the same in all directions from its centre."""
    return not isinstance(shape, EllipticalGaussian | BrightnessMap)


def to_disks(shape: Disk | Ring) -> Disks:
    """A shape of uniform brightness as disks, some cut out of others.

    Examples
    --------
    >>> from skyquilt.config.shape import Ring
    >>> to_disks(Ring(model="ring", inner=1, outer=2)).weight.round(2).tolist()
    [1.33, -0.33]
    """
    if isinstance(shape, Disk):
        return Disks(np.radians([shape.radius]), np.ones(1))
    radius = np.radians([shape.outer, shape.inner])
    area = disk_area(radius) * [1.0, -1.0]
    return Disks(radius, area / area.sum())


def disk_area(radius: np.ndarray) -> np.ndarray:
    """Solid angle of disks of given radii [rad], in sr."""
    return 4 * np.pi * np.sin(radius / 2) ** 2


def outer_radius(shape: AnalyticShape, lost_fraction: float = 1e-4) -> float:
    """Angle from the centre beyond which a fraction of the brightness lies [rad]."""
    match shape:
        case Disk():
            return float(np.radians(shape.radius))
        case Ring():
            return float(np.radians(shape.outer))
        case Gaussian() | EllipticalGaussian():
            width = np.radians(shape.sigma) * np.sqrt(-2 * np.log(lost_fraction))
            return float(min(width, np.pi / 2))
    return 0.0


def to_nodes(shape: AnalyticShape, core: float = np.inf) -> Nodes:
    """Directions and weights that stand for a shape.

    Disks and rings have radii by Gauss's rule and even angles, Gaussians too where they are narrow;
    wide ones an even grid.

    Parameters
    ----------
    shape : AnalyticShape
        Section `shape` of an analysis, but no map.
    core : float
        Standard deviation of what the shape is folded with [rad]: directions are so near to each
        other that the sum is good to 1e-4 of its peak.

    Returns
    -------
    Nodes
        288 of them or more, or 1 for a point.

    Raises
    ------
    ValueError
        If there are too many.
    """
    if isinstance(shape, Point):
        return Nodes(np.zeros(1), np.zeros(1), np.ones(1))
    cores = outer_radius(shape) / core
    if 4 * cores**2 > MOST_NODES:
        raise ValueError(
            f"it is {np.degrees(outer_radius(shape)):.3g} deg wide, {cores:.3g} times the width of "
            f"what it is folded with, and needs more than {MOST_NODES} directions"
        )
    if isinstance(shape, Gaussian | EllipticalGaussian):
        if np.radians(shape.sigma) > _NARROW * core:
            return _even_grid(shape, core)
        cores = 0.0
    n_angle = max(_N_ANGLE, int(10 + 5.3 * cores))
    radius, weight = _radial_rule(shape, max(_N_RADIUS, int(6 + cores)))
    turn = 2 * np.pi * (np.arange(n_angle) + 0.5) / n_angle
    # alternate rings are turned by half a step, so that no line of nodes points outwards
    turn = turn + np.pi / n_angle * (np.arange(radius.size) % 2)[:, np.newaxis]
    x = np.sin(radius)[:, np.newaxis] * np.cos(turn)
    y = np.sin(radius)[:, np.newaxis] * np.sin(turn)
    each = np.broadcast_to(weight[:, np.newaxis] / n_angle, x.shape)
    return _turned(shape, x.ravel(), y.ravel(), each.ravel())


def _even_grid(shape: Gaussian | EllipticalGaussian, core: float) -> Nodes:
    """Even steps over a Gaussian, which are as good as the sum is smooth."""
    sigma = np.radians(shape.sigma)
    ratio = shape.ratio if isinstance(shape, EllipticalGaussian) else 1.0
    reach = np.sin(outer_radius(shape))
    across, along = (
        _even_steps(reach, _PER_CORE / np.hypot(1 / core, 1 / (part * sigma)) / part)
        for part in (ratio, 1.0)
    )
    x, y = (values.ravel() for values in np.meshgrid(across, along))
    cosine = np.sqrt(np.maximum(1 - x**2 - y**2, 0.0))
    # of the solid angle in steps of the sine
    weight = np.exp((cosine - 1) / sigma**2) / np.maximum(cosine, 1e-3)
    kept = (weight > _OUTSIDE * weight.max()) & (cosine > 0)
    return _turned(shape, x[kept], y[kept], weight[kept] / weight[kept].sum())


def _even_steps(reach: float, step: float) -> np.ndarray:
    n = int(np.ceil(reach / step))
    return step * np.arange(-n, n + 1)


def _turned(shape: AnalyticShape, x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Nodes:
    """Nodes of a shape whose long axis is y: it points to the north turned by its angle."""
    if not isinstance(shape, EllipticalGaussian):
        return Nodes(x, y, weight)
    x, angle = x * shape.ratio, np.radians(shape.angle)
    east = x * np.cos(angle) + y * np.sin(angle)
    north = -x * np.sin(angle) + y * np.cos(angle)
    return Nodes(east, north, weight)


def _radial_rule(
    shape: Disk | Ring | Gaussian | EllipticalGaussian, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """Radii [rad] and weights of sum 1."""
    if isinstance(shape, Gaussian | EllipticalGaussian):
        # of t = (1 - cos theta) / sigma^2, exponential
        node, weight = np.polynomial.laguerre.laggauss(n)
        sine = np.sqrt(np.minimum(node * np.radians(shape.sigma) ** 2 / 2, 1.0))
        return 2 * np.arcsin(sine), weight / weight.sum()
    edges = (0.0, shape.radius) if isinstance(shape, Disk) else (shape.inner, shape.outer)
    first, last = np.sin(np.radians(edges) / 2) ** 2  # even in 1 - cos theta
    node, weight = np.polynomial.legendre.leggauss(n)
    return 2 * np.arcsin(np.sqrt((first + last) / 2 + (last - first) / 2 * node)), weight / 2
