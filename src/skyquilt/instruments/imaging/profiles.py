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
    off = np.abs(in_rings[is_known] - 1)
    if np.any(off > _TOLERANCE) and not normalise:
        worst = in_rings[is_known][np.argmax(off)]
        logger.warning(
            "%s: the point spread function has the integral %.4g; taken as it is, for photons may "
            "lie beyond the last angle; `data.normalise: true` divides by it",
            path,
            worst,
        )
    wanted = np.where(is_known, 1.0, 0.0) if normalise else in_rings
    scale = np.divide(wanted, linear_integral(theta, profile), where=is_known, out=wanted * 0)
    return theta, profile * scale[:, np.newaxis]
