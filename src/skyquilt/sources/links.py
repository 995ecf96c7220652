"""Which sources look alike to the likelihood, and what one gives at the position of another."""

from typing import TYPE_CHECKING

import numpy as np

from skyquilt.problem.problem import FitProblem
from skyquilt.sources.model import SourceCounts

if TYPE_CHECKING:
    from scipy.sparse import csr_array


NO_TS = 1e-4
"""TS that a source gives at the position of another, below which it does not matter there: 0.01
standard errors."""


def correlations(problem: FitProblem, counts: SourceCounts) -> "csr_array":
    """How alike sources look to the likelihood.

    Parameters
    ----------
    problem : FitProblem
        The problem; which sources are in its background makes a difference where they are bright.
    counts : SourceCounts
        n sources.

    Returns
    -------
    csr_array of float64, shape (n, n)
        Nothing for sources that share no hit bin, 1 on the diagonal. A source of some TS gives a
        peak of the square of this times its TS at the position of the other.
    """
    from scipy.sparse import csr_array

    scaled = counts.unit_counts * (np.sqrt(problem.counts) / problem.background)
    product = csr_array(scaled @ scaled.T).tocoo()
    size = np.sqrt(np.maximum(product.diagonal(), np.finfo(float).tiny))
    row, column = product.coords
    values = product.data / (size[row] * size[column])
    return csr_array((values, (row, column)), shape=product.shape)


def given_ts(alike: "csr_array", ts: np.ndarray, least: float) -> "csr_array":
    """Whether a source (row) gives that TS at the position of another, or more."""
    from scipy.sparse import csr_array

    alike = alike.tocoo()
    row, column = alike.coords
    is_given = alike.data**2 * ts[row] >= least
    return csr_array((is_given[is_given], (row[is_given], column[is_given])), shape=alike.shape)
