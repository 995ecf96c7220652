"""Sources of a fit problem: their expected counts, and the problem with them in its background."""

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

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

    rows, total, size = [], [], most_directions(problem)
    for start in range(0, max(len(directions), 1), size):
        block = problem.expectation.block(directions[start : start + size])
        rows.append(block.csr().matrix)
        total.append(block.total)
    return SourceCounts(vstack(rows, format="csr"), np.concatenate(total))


def most_directions(problem: FitProblem) -> int:
    """Directions whose expected counts fit into `MOST_ENTRIES`; at least one."""
    return max(int(MOST_ENTRIES / max(problem.expectation.entries_per_direction, 1.0)), 1)


def with_sources(
    problem: FitProblem,
    counts: SourceCounts,
    flux: np.ndarray,
    but: int | np.ndarray | None = None,
) -> FitProblem:
    """The problem with sources of given fluxes in its background, all or all but some."""
    if but is not None:
        flux = flux.copy()
        flux[but] = 0
    return replace(problem, background=problem.background + flux @ counts.unit_counts)
