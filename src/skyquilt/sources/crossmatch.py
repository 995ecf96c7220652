"""Counterparts of sources in a catalogue, and how often chance alone gives one as near."""

from typing import NamedTuple

import numpy as np

from skyquilt.sky.frames import separation
from skyquilt.sources.catalogue.objects import KnownObjects

N_LOCAL = 20
"""Objects around a source from which the density of the catalogue is taken; known to 23 %."""


class Counterparts(NamedTuple):
    """The nearest object of a catalogue to each source.

    Attributes
    ----------
    number : ndarray of int64, shape (n,)
        Object's number in the catalogue; -1 if none is within the radius.
    separation : ndarray of float64, shape (n,)
        Separation [deg], NaN without a counterpart.
    is_within_errors : ndarray of bool, shape (n,)
        Whether the separation is within the 95 % errors of both positions, added in quadrature.
    chance : ndarray of float64, shape (n,)
        Probability of an unrelated object as near or nearer, NaN without a counterpart.
    """

    number: np.ndarray
    separation: np.ndarray
    is_within_errors: np.ndarray
    chance: np.ndarray


def find_counterparts(
    direction: np.ndarray, r95: np.ndarray, known: KnownObjects, radius: float
) -> Counterparts:
    """Match sources with the nearest objects of a catalogue.

    Unrelated objects of density rho are nearer than r with probability 1 - exp(-rho A(r)), where
    A(r) = 2 pi (1 - cos r) is the area of the circle. The density is local, from the `N_LOCAL`
    objects around the source that follow the nearest one, which may be the counterpart itself: k
    objects in the ring from the nearest to the last of them have the unbiased density (k - 1) / A.

    Parameters
    ----------
    direction : ndarray of float64, shape (n, 3)
        Sources, unit vectors in ICRS.
    r95 : ndarray of float64, shape (n,)
        Their 95 % errors [deg]; NaN counts as 0.
    known : KnownObjects
        The catalogue, at least one object.
    radius : float
        Largest separation of a counterpart [deg].

    Returns
    -------
    Counterparts
        One per source.

    References
    ----------
    Downes et al. 1986, MNRAS 218, 31 (probability of chance); de Ruiter, Willis and Arp 1977,
    A&AS 28, 211 (separations in units of the errors).
    """
    from scipy.spatial import cKDTree

    n_near = min(N_LOCAL + 1, len(known.name))
    _, near = cKDTree(known.direction).query(direction, k=range(1, n_near + 1))
    nearest, last = near[:, 0], near[:, -1]
    distance = separation(direction, known.direction[nearest])
    ring = _area(separation(direction, known.direction[last])) - _area(distance)
    density = _density(ring, n_near - 1)
    error = np.hypot(np.nan_to_num(r95), known.r95[nearest])
    is_near = distance <= radius
    return Counterparts(
        np.where(is_near, nearest, -1),
        np.where(is_near, distance, np.nan),
        is_near & (distance <= error),
        np.where(is_near, -np.expm1(-density * _area(distance)), np.nan),
    )


def _density(ring: np.ndarray, n_around: int) -> np.ndarray:
    """Objects per steradian from the area [sr] that ends at the last of `n_around` of them.

    With fewer than two besides the nearest there is no local density: the catalogue's objects then
    are taken to be spread over the whole sky.
    """
    if n_around < 2:
        return np.full(ring.shape, (n_around + 1) / (4 * np.pi))
    return (n_around - 1) / np.maximum(ring, np.finfo(float).tiny)


def _area(radius: np.ndarray) -> np.ndarray:
    """Area of circles of a radius [deg], in steradians; accurate for small ones."""
    return 4 * np.pi * np.sin(np.radians(radius) / 2) ** 2
