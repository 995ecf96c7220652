"""Damped Newton steps within ranges, from gradient and curvature.

Each parameter is measured in the size over which the log-likelihood falls by a half along it, so
that steps, damping and tests of convergence do not depend on units.
"""

import numpy as np

from skyquilt.inference.arrow import Arrow
from skyquilt.inference.surface import Derivatives

RIDGE = 1e-10
"""Of the curvature, always added: combinations of parameters that are not determined stay."""


def sizes(derivatives: Derivatives, x: np.ndarray, max_step: np.ndarray | float) -> np.ndarray:
    """Size of each parameter, shape (m, p).

    Parameters
    ----------
    derivatives : Derivatives
        At m points.
    x : ndarray of float64, shape (m, p)
        The points. Where neither the curvature nor `max_step` tells a size, it is that of the
        parameter itself, 1 at least.
    max_step : ndarray of float64, shape (p,), or float
        Farthest that a parameter moves in one step; no size is larger.
    """
    curvature = derivatives.curvature
    if isinstance(curvature, Arrow):
        diagonal = curvature.diagonal()[np.newaxis]
    else:
        diagonal = np.diagonal(curvature, axis1=1, axis2=2)
    with np.errstate(divide="ignore"):
        size = np.minimum(1 / np.sqrt(np.maximum(diagonal, 0.0)), max_step)
    return np.where(np.isfinite(size), size, np.maximum(np.abs(x), 1.0))


def solve(
    derivatives: Derivatives, size: np.ndarray, is_free: np.ndarray, damping: np.ndarray
) -> np.ndarray:
    """Steps of the free parameters, the others kept.

    Parameters
    ----------
    derivatives : Derivatives
        At m points.
    size : ndarray of float64, shape (m, p)
        Sizes of the parameters.
    is_free : ndarray of bool, shape (m, p)
        Parameters that move.
    damping : ndarray of float64, shape (m,)
        What is added to the diagonal, in units of the sizes.

    Returns
    -------
    ndarray of float64, shape (m, p)
        Steps along which the log-likelihood rises.
    """
    factor = np.where(is_free, size, 0.0)
    right = derivatives.gradient * factor
    diagonal = np.where(is_free, damping[:, np.newaxis] + RIDGE, 1.0)
    curvature = derivatives.curvature
    if isinstance(curvature, Arrow):
        matrix = curvature.scaled(factor[0]).plus_diagonal(diagonal[0])
        return factor * matrix.solve(right[0])
    matrices = curvature * factor[:, :, np.newaxis] * factor[:, np.newaxis, :]
    index = np.arange(factor.shape[1])
    matrices[:, index, index] += diagonal
    return factor * np.linalg.solve(matrices, right[:, :, np.newaxis])[:, :, 0]


def promise(derivatives: Derivatives, step: np.ndarray) -> np.ndarray:
    """Increase of the log-likelihood that the parabola promises for steps, shape (m,)."""
    curvature = derivatives.curvature
    if isinstance(curvature, Arrow):
        bent = step[0] @ curvature.times(step[0])
    else:
        bent = np.einsum("mi,mij,mj->m", step, curvature, step)
    return np.sum(derivatives.gradient * step, axis=1) - 0.5 * bent
