"""The ellipse that stands for a posterior in alerts, which want one."""

import math
from typing import NamedTuple

import numpy as np

from skyquilt.maps.credible import cell_areas, find_credible_region
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.sky.frames import rotation
from skyquilt.sky.tangent import tangent_axes

_INSIDE = 0.99
"""Level of the region whose second moments are taken; beyond it lies what no ellipse is about."""


class ErrorEllipse(NamedTuple):
    """Ellipse of a Gaussian with the second moments of a posterior.

    Attributes
    ----------
    level : float
        Probability in it.
    semi_major_deg, semi_minor_deg : float
        Semi-axes [deg].
    position_angle_deg : float
        Of the major axis, from north through east in ICRS, in [0, 180) [deg].
    """

    level: float
    semi_major_deg: float
    semi_minor_deg: float
    position_angle_deg: float


def find_ellipse(cells: MultiOrderMap, level: float = 0.9) -> ErrorEllipse | None:
    """Ellipse of the posterior of a map.

    The moments are those of the 99 % credible region around its mean direction, in angles from
    there, divided by what a Gaussian loses beyond that level.

    Parameters
    ----------
    cells : MultiOrderMap
        Map with the columns "probdensity" and "ts".
    level : float, optional
        Probability in the ellipse.

    Returns
    -------
    ErrorEllipse or None
        None where the region reaches farther than 60 degrees from its mean: no ellipse is like it.
    """
    inside = find_credible_region(cells, cells.columns["probdensity"], _INSIDE).cells
    weight = (cells.columns["probdensity"] * cell_areas(cells))[inside]
    vec = cells.centres[inside] @ rotation(cells.frame, "icrs").T
    mean = weight @ vec
    if not np.linalg.norm(mean) > 0:
        return None
    mean /= np.linalg.norm(mean)
    if np.min(vec @ mean) < math.cos(math.radians(60)):
        return None
    x, y = _angles(vec, mean)
    x_var, y_var, cov = (np.average(one, weights=weight) for one in (x * x, y * y, x * y))
    side = np.average(cell_areas(cells)[inside], weights=weight) * math.degrees(1) ** 2 / 12
    kept = 1 + (1 - _INSIDE) * math.log(1 - _INSIDE) / _INSIDE  # of the variance of a Gaussian
    moments = np.array([[y_var, cov], [cov, x_var]]) / kept + side * np.eye(2)
    values, axes = np.linalg.eigh(moments)
    scale = math.sqrt(-2 * math.log(1 - level))
    minor, major = scale * np.sqrt(np.maximum(values, 0))
    angle = math.degrees(math.atan2(axes[1, 1], axes[0, 1])) % 180
    return ErrorEllipse(level, float(major), float(minor), angle)


def _angles(vec: np.ndarray, centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Angles [deg] to the east and to the north of a direction in ICRS."""
    east, north = (axis[0] for axis in tangent_axes(centre[None], np.array([0.0, 0.0, 1.0])))
    x, y = vec @ east, vec @ north
    length = np.hypot(x, y)
    angle = np.degrees(np.arctan2(length, vec @ centre))
    scale = np.divide(angle, length, out=np.zeros_like(angle), where=length > 0)
    return x * scale, y * scale
