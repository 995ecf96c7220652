"""Covariance of parameters at a maximum, from the observed curvature of the log-likelihood.

The expected curvature of a fit's steps (Gauss and Newton) is up to 9 % off at 200 counts; the
observed one is the difference of gradients around the maximum.
"""

from typing import NamedTuple

import numpy as np

from skyquilt.inference.climb import Status
from skyquilt.inference.surface import Surface

_SIDE = 0.05  # standard errors over which gradients are compared; truncation grows with its square
_NOTHING = 1e-11  # of the expected curvature, which has no errors but of rounding
_LEAST = 1e-7  # eigenvalue over the largest, in sizes of the parameters: below, nothing is known


class Covariance(NamedTuple):
    """Covariance of parameters, and what is not determined.

    Attributes
    ----------
    matrix : ndarray of float64, shape (p, p)
        Covariance; rows of parameters that are fixed, at a bound or undetermined are NaN.
    status : Status
        Good, degenerate or no_effect.
    weak : ndarray of float64, shape (n_weak, p)
        Directions, in the units of the parameters and of largest component 1 in standard errors,
        along which the log-likelihood does not change; none where the status is good.
    """

    matrix: np.ndarray
    status: Status
    weak: np.ndarray

    @property
    def errors(self) -> np.ndarray:
        """Standard errors, shape (p,)."""
        return np.sqrt(np.diag(self.matrix))


def observed_curvature(
    surface: Surface,
    x: np.ndarray,
    size: np.ndarray,
    *,
    lower: np.ndarray | float = -np.inf,
    upper: np.ndarray | float = np.inf,
    groups: tuple[int, int] | None = None,
) -> np.ndarray:
    """Minus the second derivatives at a point, from gradients to both sides of it.

    Parameters
    ----------
    surface : Surface
        The log-likelihood; all points are handed over in one call, as lane 0.
    x : ndarray of float64, shape (p,)
        The point.
    size : ndarray of float64, shape (p,)
        Standard error of each parameter, all others known; a guess will do.
    lower, upper : ndarray of float64, shape (p,), or float
        Ends of the ranges; near them the difference is taken to one side.
    groups : tuple of int, optional
        Where the matrix is an arrow (`skyquilt.inference.arrow`), the number of parameters that all
        groups share, and of those of each group: groups do not feel each other, and are moved
        together, so that the cost does not grow with their number.

    Returns
    -------
    ndarray of float64, shape (p, p)
        Symmetric; exact for a parabola, off by 0.1 % where third derivatives are of the order of 1
        in these sizes.
    """
    of_one = observed_curvatures(
        *(surface, x[np.newaxis], size[np.newaxis]), lower=lower, upper=upper, groups=groups
    )
    return of_one[0]


def observed_curvatures(
    surface: Surface,
    x: np.ndarray,
    size: np.ndarray,
    *,
    lower: np.ndarray | float = -np.inf,
    upper: np.ndarray | float = np.inf,
    groups: tuple[int, int] | None = None,
) -> np.ndarray:
    """The same of several surfaces side by side, lane by lane.

    Parameters
    ----------
    surface : Surface
        The log-likelihoods; all points are handed over in one call.
    x, size : ndarray of float64, shape (n, p)
        The point of each, and the standard errors there.
    lower, upper : ndarray of float64, shape (p,), or float
        As of `observed_curvature`.
    groups : tuple of int, optional
        As of `observed_curvature`.

    Returns
    -------
    ndarray of float64, shape (n, p, p)
        Symmetric.
    """
    n, p = x.shape
    low, high = np.broadcast_to(lower, p), np.broadcast_to(upper, p)
    ahead = np.minimum(x + _SIDE * size, high)
    behind = np.maximum(x - _SIDE * size, low)
    n_shared, n_own = (p, 0) if groups is None else groups
    moved = np.zeros((n_shared + n_own, p), bool)
    moved[np.arange(n_shared), np.arange(n_shared)] = True
    for own in range(n_own):
        moved[n_shared + own, n_shared + own :: n_own] = True
    ends = [np.where(moved, end[:, np.newaxis], x[:, np.newaxis]) for end in (ahead, behind)]
    points = np.concatenate(ends, axis=1)
    lanes = np.repeat(np.arange(n, dtype=np.int64), 2 * len(moved))
    gradient = surface.derivatives(points.reshape(-1, p), lanes).gradient.reshape(points.shape)
    width = np.where(ahead > behind, ahead - behind, 1.0)
    change = gradient[:, len(moved) :] - gradient[:, : len(moved)]
    curvature = np.zeros((n, p, p))
    curvature[:, :n_shared] = change[:, :n_shared] / width[:, :n_shared, np.newaxis]
    for own in range(n_own):
        rows = np.arange(n_shared + own, p, n_own)
        for other in range(n_own):
            columns = rows - own + other
            by_own = change[:, n_shared + own][:, columns] / width[:, rows]
            curvature[:, rows, columns] = by_own
    if n_own:
        curvature[:, n_shared:, :n_shared] = np.swapaxes(curvature[:, :n_shared, n_shared:], 1, 2)
    return (curvature + np.swapaxes(curvature, 1, 2)) / 2


def covariance(
    curvature: np.ndarray, is_free: np.ndarray, expected: np.ndarray | None = None
) -> Covariance:
    """Covariance from minus the second derivatives.

    Parameters
    ----------
    curvature : ndarray of float64, shape (p, p)
        Minus the second derivatives at the maximum.
    is_free : ndarray of bool, shape (p,)
        Parameters that have an error: neither fixed nor at a bound.
    expected : ndarray of float64, shape (p, p), optional
        Curvature of the fit's steps. Where it has none, there is none: differences of gradients
        take the bend of a ridge, as of two factors of a product, for a small curvature.

    Returns
    -------
    Covariance
        With the combinations that are not determined.

    Examples
    --------
    >>> found = covariance(np.array([[4.0, 0.0], [0.0, 0.25]]), np.array([True, True]))
    >>> found.errors.tolist(), str(found.status)
    ([0.5, 2.0], 'good')
    >>> product = covariance(np.ones((2, 2)), np.array([True, True]))
    >>> str(product.status), product.weak.round(3).tolist()
    ('degenerate', [[1.0, -1.0]])
    """
    p = is_free.size
    matrix = np.full((p, p), np.nan)
    diagonal = np.diag(curvature)
    is_felt = is_free & (diagonal > 0)
    idle = np.eye(p)[is_free & ~is_felt]
    numbers = np.flatnonzero(is_felt)
    size = 1 / np.sqrt(diagonal[numbers])
    scaled = curvature[np.ix_(numbers, numbers)] * np.outer(size, size)
    if expected is not None and numbers.size:
        scaled = _without_ridges(scaled, expected[np.ix_(numbers, numbers)])
    value, vector = np.linalg.eigh(scaled) if numbers.size else (np.zeros(0), np.zeros((0, 0)))
    is_known = value > _LEAST * value.max(initial=0.0)
    weak = np.zeros((np.count_nonzero(~is_known), p))
    weak[:, numbers] = _signed(vector[:, ~is_known].T) * size
    inverse = (vector[:, is_known] / value[is_known]) @ vector[:, is_known].T
    inverse *= np.outer(size, size)
    is_sure = np.all(np.abs(vector[:, ~is_known]) < np.sqrt(_LEAST), axis=1)
    inverse[~is_sure, :] = inverse[:, ~is_sure] = np.nan
    matrix[np.ix_(numbers, numbers)] = inverse
    weak = np.concatenate([weak, idle])
    return Covariance(matrix, _status(len(weak) - len(idle), len(idle)), weak)


def _without_ridges(scaled: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Curvature with nothing along directions in which the expected one has nothing."""
    diagonal = np.diag(expected)
    size = np.where(diagonal > 0, 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0)), 0.0)
    value, vector = np.linalg.eigh(expected * np.outer(size, size))
    kept = vector[:, value > _NOTHING * value.max()]
    along = kept @ kept.T
    return along @ scaled @ along


def _signed(vectors: np.ndarray) -> np.ndarray:
    """Directions with the largest component 1."""
    if not vectors.size:
        return vectors
    largest = np.argmax(np.abs(vectors) > 0.999 * np.abs(vectors).max(1, keepdims=True), axis=1)
    return vectors / np.take_along_axis(vectors, largest[:, np.newaxis], axis=1)


def _status(n_weak: int, n_idle: int) -> Status:
    if n_weak:
        return Status.DEGENERATE
    return Status.NO_EFFECT if n_idle else Status.GOOD
