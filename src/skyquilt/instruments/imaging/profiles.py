"""Point spread functions given as densities in rings, as profiles that keep their integral."""

import logging

import numpy as np

from skyquilt.problem.profiles import linear_integral

logger = logging.getLogger(__name__)

_TOLERANCE = 0.01  # of the integral, before a warning


def ring_profiles(
    edges: np.ndarray, density: np.ndarray, path: str, *, normalise: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Profiles, linear between angles, that hold as many photons as the rings they come from.

    Parameters
    ----------
    edges : ndarray of float64, shape (n_ring + 1,)
        Edges of the rings [rad], the first one 0.
    density : ndarray of float64, shape (n, n_ring)
        Photons per solid angle [sr-1]; all 0 where the function is not known.
    path : str
        File, for the warning.
    normalise : bool
        Divide by the integral.

    Returns
    -------
    theta : ndarray of float64, shape (n_ring + 2,)
        Centre, middles of the rings, outer edge [rad].
    profile : ndarray of float64, shape (n, n_ring + 2)
        Density [sr-1]; 0 from the outer edge on.
    """
    middle = (edges[1:] + edges[:-1]) / 2
    theta = np.concatenate([[0.0], middle, edges[-1:]])
    profile = np.column_stack([density[:, 0], density, np.zeros(len(density))])
    in_rings = density @ (2 * np.pi * -np.diff(np.cos(edges)))
    is_known = in_rings > 0
    _warn(path, in_rings[is_known], is_wanted=normalise)
    wanted = np.where(is_known, 1.0, 0.0) if normalise else in_rings
    scale = np.divide(wanted, linear_integral(theta, profile), where=is_known, out=wanted * 0)
    return theta, profile * scale[:, np.newaxis]


def node_profiles(
    angles: np.ndarray, density: np.ndarray, path: str, *, normalise: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Profiles of densities that are given at angles, linear between them.

    Parameters
    ----------
    angles : ndarray of float64, shape (n_angle,)
        Angles [rad], ascending.
    density : ndarray of float64, shape (n, n_angle)
        Photons per solid angle [sr-1].
    path : str
        File, for the warning.
    normalise : bool
        Divide by the integral.

    Returns
    -------
    theta : ndarray of float64, shape (n_theta,)
        The angles, from 0 on [rad].
    profile : ndarray of float64, shape (n, n_theta)
        Density [sr-1]; within the first angle that at it.
    """
    theta, profile = angles, density
    if angles[0] > 0:
        theta, profile = np.append(0.0, angles), np.column_stack([density[:, 0], density])
    integral = linear_integral(theta, profile)
    _warn(path, integral, is_wanted=normalise)
    return theta, profile / integral[:, np.newaxis] if normalise else profile


def _warn(path: str, integral: np.ndarray, *, is_wanted: bool) -> None:
    off = np.abs(integral - 1)
    if np.any(off > _TOLERANCE) and not is_wanted:
        logger.warning(
            "%s: the point spread function has the integral %.4g; taken as it is, for photons may "
            "lie beyond the last angle; `data.normalise: true` divides by it",
            path,
            integral[np.argmax(off)],
        )
