"""Fit of any number of directions, block by block."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from skyquilt.likelihood.poisson import FluxFit, fit_flux, fit_flux_sparse
from skyquilt.problem.expectation import SparseBlock
from skyquilt.problem.problem import FitProblem

BLOCK_BYTES = 2**20
"""Expected counts of a block [byte].

The expectation writes them and the fit reads them, so they should stay in the level 2 cache: 1 to
2 MiB per core on servers since 2017 (Intel Xeon Scalable; AMD EPYC has 0.5 to 1 MiB).
"""

_MIN_PIXELS = 16  # where rows are long, a block still reads each row once for so many pixels


def fit_pixels(
    problem: FitProblem,
    directions: np.ndarray,
    *,
    allow_negative: bool = False,
    threads: int = 1,
    on_progress: Callable[[int, int], None] | None = None,
) -> FluxFit:
    """Fit the flux of a source in each direction.

    The result does not depend on `threads`.

    Parameters
    ----------
    problem : FitProblem
        Counts, background and expectation.
    directions : ndarray of float64, shape (n, 3)
        Unit vectors in the frame of the problem.
    allow_negative : bool
        Fit below zero too.
    threads : int
        Blocks fitted at a time.
    on_progress : callable, optional
        Called with the number of pixels done and of all pixels, after each block.

    Returns
    -------
    FluxFit
        One value per direction.

    Raises
    ------
    ValueError
        If `threads` is below 1.
    """
    if threads < 1:
        raise ValueError(f"{threads} threads: allowed are 1 or more.")
    n = len(directions)
    report = on_progress or _no_report

    def fit_block(block: slice) -> FluxFit:
        expected = problem.expectation.block(directions[block])
        fit = fit_flux_sparse if isinstance(expected, SparseBlock) else fit_flux
        return fit(problem.counts, problem.background, *expected, allow_negative=allow_negative)

    parts = []
    blocks = list(_blocks(n, block_size(problem.expectation.entries_per_direction)))
    with _open_map(threads) as in_order:
        for block, part in zip(blocks, in_order(fit_block, blocks), strict=True):
            parts.append(part)
            report(block.stop, n)
    return FluxFit(*map(np.concatenate, zip(*parts, strict=True)))


def block_size(entries_per_direction: float) -> int:
    """Pixels per block, from the expected counts that each adds to it.

    Examples
    --------
    >>> block_size(1000)
    131
    """
    return max(_MIN_PIXELS, int(BLOCK_BYTES / (8 * max(entries_per_direction, 1.0))))


def _blocks(n: int, size: int) -> Iterator[slice]:
    """Slices of up to `size`; one empty slice for nothing, so that there is always a result."""
    for start in range(0, max(n, 1), size):
        yield slice(start, min(start + size, n))


@contextmanager
def _open_map(threads: int) -> Iterator[Callable]:
    """`map`, by several threads if there are several."""
    if threads == 1:
        yield map
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(threads) as pool:
        yield pool.map


def _no_report(n_done: int, n_all: int) -> None:
    pass
