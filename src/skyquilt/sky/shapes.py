"""Shapes of sources on the sky: their brightness, and directions that stand for it.

Radii are angles on the sphere. The Gaussian is that of the sphere (von Mises and Fisher),
exp(cos(theta) / sigma^2), which is exp(-theta^2 / (2 sigma^2)) to sigma^2 / 12.
"""

from typing import NamedTuple

import numpy as np

from skyquilt.config.shape import Disk, EllipticalGaussian, Gaussian, Point, Ring, Shape
from skyquilt.sky.nodes import Nodes

_N_ANGLE, _N_RADIUS = 24, 12
"""Directions of a shape: so many around its centre, at so many radii."""


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
    return not isinstance(shape, EllipticalGaussian)


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


def outer_radius(shape: Shape, lost_fraction: float = 1e-4) -> float:
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


def to_nodes(shape: Shape) -> Nodes:
    """Directions and weights that stand for a shape: radii by Gauss's rule, angles evenly.

    An integral over a function that changes little over a tenth of the shape is good to 1e-4.

    Parameters
    ----------
    shape : Shape
        Section `shape` of an analysis.

    Returns
    -------
    Nodes
        288 of them, or 1 for a point.
    """
    if isinstance(shape, Point):
        return Nodes(np.zeros(1), np.zeros(1), np.ones(1))
    radius, weight = _radial_rule(shape)
    turn = 2 * np.pi * (np.arange(_N_ANGLE) + 0.5) / _N_ANGLE
    # alternate rings are turned by half a step, so that no line of nodes points outwards
    turn = turn + np.pi / _N_ANGLE * (np.arange(radius.size) % 2)[:, np.newaxis]
    x = np.sin(radius)[:, np.newaxis] * np.cos(turn)
    y = np.sin(radius)[:, np.newaxis] * np.sin(turn)
    if isinstance(shape, EllipticalGaussian):
        x = x * shape.ratio
    angle = np.radians(shape.angle) if isinstance(shape, EllipticalGaussian) else 0.0
    # y is the long axis; it points to the north turned by `angle` to the east
    east = x * np.cos(angle) + y * np.sin(angle)
    north = -x * np.sin(angle) + y * np.cos(angle)
    each = np.broadcast_to(weight[:, np.newaxis] / _N_ANGLE, x.shape)
    return Nodes(east.ravel(), north.ravel(), each.ravel())


def _radial_rule(shape: Disk | Ring | Gaussian | EllipticalGaussian) -> tuple[np.ndarray, ...]:
    """Radii [rad] and weights of sum 1."""
    if isinstance(shape, Gaussian | EllipticalGaussian):
        # of t = (1 - cos theta) / sigma^2, exponential
        node, weight = np.polynomial.laguerre.laggauss(_N_RADIUS)
        sine = np.sqrt(np.minimum(node * np.radians(shape.sigma) ** 2 / 2, 1.0))
        return 2 * np.arcsin(sine), weight / weight.sum()
    edges = (0.0, shape.radius) if isinstance(shape, Disk) else (shape.inner, shape.outer)
    first, last = np.sin(np.radians(edges) / 2) ** 2  # even in 1 - cos theta
    node, weight = np.polynomial.legendre.leggauss(_N_RADIUS)
    return 2 * np.arcsin(np.sqrt((first + last) / 2 + (last - first) / 2 * node)), weight / 2
