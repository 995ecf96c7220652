"""What is climbed: a log-likelihood with its slope and curvature, at many points at a time."""

from typing import NamedTuple, Protocol

import numpy as np

from skyquilt.inference.arrow import Arrow


class Derivatives(NamedTuple):
    """First and second derivatives at m points.

    Attributes
    ----------
    gradient : ndarray of float64, shape (m, p)
        First derivatives.
    curvature : ndarray of float64, shape (m, p, p), or Arrow
        Minus the second derivatives, or a matrix that stands for them and has no negative
        eigenvalue (Gauss and Newton's sum of d mu d mu^T d / mu^2 for Poisson counts). An `Arrow`
        is that of a single point.
    """

    gradient: np.ndarray
    curvature: np.ndarray | Arrow


class Surface(Protocol):
    """A log-likelihood of p parameters, or several that are climbed side by side.

    Both functions are called with `x` of shape (m, p) and `lanes` of shape (m,), the numbers of
    the climbs that these rows belong to, so that problems of one shape share a call.
    """

    def value(self, x: np.ndarray, lanes: np.ndarray) -> np.ndarray:
        """Log-likelihood, shape (m,); NaN or -inf where parameters are not possible."""

    def derivatives(self, x: np.ndarray, lanes: np.ndarray) -> Derivatives:
        """Derivatives at points where the value is finite."""
