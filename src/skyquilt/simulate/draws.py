"""Draws from densities that are known at nodes."""

import numpy as np

from skyquilt.problem.profiles import contained_in


def draw_between(
    nodes: np.ndarray, amount: np.ndarray, n: int, rng: np.random.Generator
) -> np.ndarray:
    """Values drawn from amounts between nodes, even between two of them.

    Parameters
    ----------
    nodes : ndarray of float64, shape (m + 1,)
        Ascending.
    amount : ndarray of float64, shape (m,)
        How much lies between a node and the next, 0 or more.
    n : int
        How many to draw.
    rng : numpy.random.Generator
        Random numbers.

    Returns
    -------
    ndarray of float64, shape (n,)
        Values.
    """
    cumulative = np.concatenate([[0.0], np.cumsum(amount)])
    return np.interp(rng.uniform(0, cumulative[-1], n), cumulative, nodes)


def draw_angles(
    position: np.ndarray, theta: np.ndarray, profile: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Angles from their source of photons that a point spread function scatters.

    Parameters
    ----------
    position : ndarray of float64, shape (n,)
        Position of each photon among the profiles: 2.3 is 0.7 of number 2 plus 0.3 of number 3.
    theta : ndarray of float64, shape (n_theta,)
        Angles of the profiles [rad], from 0.
    profile : ndarray of float64, shape (n_profile, n_theta)
        Densities [sr-1], linear between the angles.
    rng : numpy.random.Generator
        Random numbers.

    Returns
    -------
    ndarray of float64, shape (n,)
        Angles [rad].
    """
    node = np.floor(position + rng.uniform(size=position.size)).astype(int)
    fine = np.unique(np.concatenate([theta, (theta[1:] + theta[:-1]) / 2]))
    contained = contained_in(fine, theta, profile)
    angle, part = np.empty(position.size), rng.uniform(size=position.size)
    for number in np.unique(node):
        is_here = node == number
        inside = contained[number]
        # even in solid angle between the angles of the table
        height = np.interp(part[is_here] * inside[-1], inside, np.sin(fine / 2) ** 2)
        angle[is_here] = 2 * np.arcsin(np.sqrt(height))
    return angle


def turn_away(direction: np.ndarray, angle: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
    """Directions at given angles from other directions.

    Parameters
    ----------
    direction : ndarray of float64, shape (n, 3)
        Unit vectors.
    angle, azimuth : ndarray of float64, shape (n,)
        Angle from `direction`, and azimuth around it from an arbitrary zero [rad].

    Returns
    -------
    ndarray of float64, shape (n, 3)
        Unit vectors.

    Examples
    --------
    >>> turned = turn_away(np.array([[0.0, 0.0, 1.0]]), np.array([np.pi / 3]), np.array([1.0]))
    >>> round(float(turned[0, 2]), 12)
    0.5
    """
    helper = np.eye(3)[np.argmin(np.abs(direction), axis=1)]
    first = np.cross(direction, helper)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(direction, first)
    around = np.cos(azimuth)[:, None] * first + np.sin(azimuth)[:, None] * second
    return np.cos(angle)[:, None] * direction + np.sin(angle)[:, None] * around
