"""How much of a point spread function lies in a circle on the sky."""

from functools import cache

import numpy as np

from skyquilt.problem.profiles import contained_in, root_angles

_N_FINE = 2001  # angles of an integral from the source outwards
_N_NODE = 200  # angles of one over rings that are partly in the circle


def contained_fraction(
    theta: np.ndarray, profile: np.ndarray, distance: float, radius: float, reach: float
) -> np.ndarray:
    """Fraction of point spread functions that lies in a circle.

    Parameters
    ----------
    theta : ndarray of float64, shape (n_theta,)
        Angles of the profiles [rad].
    profile : ndarray of float64, shape (n, n_theta)
        Densities [sr-1].
    distance : float
        From the source to the centre of the circle [rad].
    radius : float
        Of the circle [rad].
    reach : float
        Angle that holds all of a point spread function [rad].

    Returns
    -------
    ndarray of float64, shape (n,)
        Fractions of what is within the reach.
    """
    if distance + reach <= radius:
        return np.ones(len(profile))
    if distance - reach >= radius:
        return np.zeros(len(profile))
    # angles between which the part of a ring around the source that is in the circle changes
    ends = np.clip([abs(distance - radius), distance + radius], 0, reach)
    inner, outer = (float(one) for one in ends)
    whole = inner if distance < radius else 0.0
    inside = _ring_integral(theta, profile, 0.0, whole)
    node, weight = _nodes(_N_NODE)
    # nodes towards both ends, where the fraction has roots
    turn = np.pi / 2 * (1 + node)
    angle = (inner + outer) / 2 - (outer - inner) / 2 * np.cos(turn)
    step = weight * np.pi / 2 * (outer - inner) / 2 * np.sin(turn)
    cosine = (np.cos(radius) - np.cos(distance) * np.cos(angle)) / np.maximum(
        np.sin(distance) * np.sin(angle), 1e-300
    )
    part = np.arccos(np.clip(cosine, -1, 1)) / np.pi
    values = _read(theta, profile, angle)
    inside = inside + values @ (step * part * 2 * np.pi * np.sin(angle))
    return inside / _ring_integral(theta, profile, 0.0, reach)


@cache
def _nodes(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.polynomial.legendre.leggauss(n)


def _ring_integral(theta: np.ndarray, profile: np.ndarray, low: float, high: float) -> np.ndarray:
    if high <= low:
        return np.zeros(len(profile))
    angles = root_angles(high, _N_FINE)
    return contained_in(angles, theta, profile)[:, -1]


def _read(theta: np.ndarray, profile: np.ndarray, angle: np.ndarray) -> np.ndarray:
    return np.array([np.interp(angle, theta, row, right=0.0) for row in profile])
