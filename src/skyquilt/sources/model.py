"""Sources of a fit problem: their expected counts, and the problem with them in its background."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from skyquilt.blocks import Block
from skyquilt.problem.problem import FitProblem

if TYPE_CHECKING:
    from scipy.sparse import csr_array


MOST_ENTRIES = 2**22
"""Expected counts that are held at a time: with their bins and copies, 100 MB."""


class SourceCounts(NamedTuple):
    """Expected counts of sources for unit flux.

    Attributes
    ----------
    unit_counts : csr_array of float64, shape (n, n_hit)
        Expected counts in the hit bins.
    total : ndarray of float64, shape (n,)
        The same summed over all bins.
    """

    unit_counts: "csr_array"
    total: np.ndarray

    def join(self, other: "SourceCounts") -> "SourceCounts":
        """These sources, followed by others."""
        from scipy.sparse import vstack

        rows = vstack([self.unit_counts, other.unit_counts], format="csr")
        return SourceCounts(rows, np.concatenate([self.total, other.total]))

    def take(self, numbers: np.ndarray) -> "SourceCounts":
        """Some of the sources, by their numbers, in that order."""
        return SourceCounts(self.unit_counts[numbers], self.total[numbers])

    def put(self, numbers: np.ndarray, others: "SourceCounts") -> "SourceCounts":
        """The same sources but for some, by their numbers."""
        order = np.arange(len(self.total))
        order[numbers] = len(self.total) + np.arange(len(numbers))
        return self.join(others).take(order)


def source_counts_at(problem: FitProblem, directions: np.ndarray) -> SourceCounts:
    """Expected counts of sources in given directions.

    Parameters
    ----------
    problem : FitProblem
        The problem.
    directions : ndarray of float64, shape (n, 3)
        Unit vectors in its frame.

    Returns
    -------
    SourceCounts
        One row per direction.
    """
    from scipy.sparse import vstack

    parts = [(_rows(block), block.total) for block in blocks_of(problem, directions)]
    rows, total = zip(*parts, strict=True)
    return SourceCounts(vstack(rows, format="csr"), np.concatenate(total))


def blocks_of(problem: FitProblem, directions: np.ndarray) -> Iterator[Block]:
    """Expectations of directions in blocks of up to `MOST_ENTRIES` counts; at least one block."""
    size = most_directions(problem)
    for start in range(0, max(len(directions), 1), size):
        yield problem.expectation.block(directions[start : start + size])


def most_directions(problem: FitProblem) -> int:
    """Directions whose expected counts fit into `MOST_ENTRIES`; at least one."""
    return max(int(MOST_ENTRIES / max(problem.expectation.entries_per_direction, 1.0)), 1)


def with_sources(
    problem: FitProblem,
    templates: SourceCounts,
    flux: np.ndarray,
    but: int | np.ndarray | None = None,
) -> FitProblem:
    """The problem with sources of given fluxes in its background, all or all but some."""
    if but is not None:
        flux = flux.copy()
        flux[but] = 0
    return replace(problem, background=problem.background + flux @ templates.unit_counts)


def _rows(block: Block) -> "csr_array":
    """Expected counts that are not 0."""
    from scipy.sparse import csr_array

    return block.csr().matrix if block.is_sparse else csr_array(block.dense().unit_counts)


def correlations(problem: FitProblem, templates: SourceCounts) -> "csr_array":
    """How alike sources look to the likelihood.

    Parameters
    ----------
    problem : FitProblem
        The problem; which sources are in its background makes a difference where they are bright.
    templates : SourceCounts
        n sources.

    Returns
    -------
    csr_array of float64, shape (n, n)
        Nothing for sources that share no hit bin, 1 on the diagonal. A source of some TS gives a
        peak of the square of this times its TS at the place of the other.
    """
    from scipy.sparse import csr_array

    scaled = templates.unit_counts * (np.sqrt(problem.counts) / problem.background)
    product = csr_array(scaled @ scaled.T).tocoo()
    size = np.sqrt(np.maximum(product.diagonal(), np.finfo(float).tiny))
    row, column = product.coords
    values = product.data / (size[row] * size[column])
    return csr_array((values, (row, column)), shape=product.shape)
