"""Fit of any number of directions, block by block."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from skyquilt.likelihood.options import DEFAULT, FluxOptions
from skyquilt.likelihood.poisson import FluxFit, fit_flux
from skyquilt.problem.expectation import Expectation
from skyquilt.problem.joint import most_between
from skyquilt.problem.problem import FitProblem
from skyquilt.problem.row_table import RowTable
from skyquilt.problem.templates import Templates, split_templates

BLOCK_BYTES = 2**24
"""Expected counts of a block [byte].

They are written and read once, in order, so that the level 3 cache is near enough; Python's part of
a block, up to a millisecond for sparse counts, is shared by more pixels.
"""

ROW_PIXELS = 4096
"""Pixels of a block of weighted rows.

Their counts are never there at once, so that cache does not limit them: a hundredth of a second of
work, of which Python's part, 0.1 ms, is small.
"""

_BLOCKS_PER_THREAD = 4  # at least, where there are several threads: the last one is waited for
_MIN_PIXELS = 16  # where rows are long, a block still reads each row once for so many pixels


def fit_pixels(
    problem: FitProblem,
    directions: np.ndarray,
    options: FluxOptions = DEFAULT,
    *,
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
    options : FluxOptions
        What is fitted.
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
        If `threads` is below 1, or the background shall be free and its total is not known.
    """
    if threads < 1:
        raise ValueError(f"{threads} threads: allowed are 1 or more.")
    if options.free_background and problem.background_total is None:
        raise ValueError("a free background needs its total, which this problem does not have.")
    n = len(directions)
    report = on_progress or _no_report
    if isinstance(problem.expectation, Templates):
        return _fit_best(problem, directions, options, report, threads)

    def fit_block(block: slice) -> FluxFit:
        expected, most = problem.expectation.block(directions[block]), None
        if options.allow_negative and expected.is_sparse:
            most = most_between(problem.expectation, directions[block])
        data = problem.counts, problem.background
        total = problem.background_total
        return fit_flux(*data, expected, options, background_total=total, most=most)

    parts = []
    blocks = list(_blocks(n, block_size(problem.expectation, n, threads)))
    with _open_map(threads) as in_order:
        for block, part in zip(blocks, in_order(fit_block, blocks), strict=True):
            parts.append(part)
            report(block.stop, n)
    return FluxFit(*map(np.concatenate, zip(*parts, strict=True)))


def _fit_best(
    problem: FitProblem,
    directions: np.ndarray,
    options: FluxOptions,
    report: Callable[[int, int], None],
    threads: int,
) -> FluxFit:
    """Fit of the spectrum of largest TS, in each direction; the first of equals.

    Fluxes below zero come into question only where no spectrum has one above.
    """
    parts, fits, n = split_templates(problem), [], len(directions)
    for index, part in enumerate(parts):

        def report_part(n_done: int, _: int, index: int = index) -> None:
            report((index * n + n_done) // len(parts), n)

        fit = fit_pixels(part, directions, options, threads=threads, on_progress=report_part)
        fits.append(fit)
    ts = np.array([fit.ts for fit in fits])
    if options.allow_negative:
        is_source = np.array([fit.flux for fit in fits]) > 0
        ts[~is_source & is_source.any(axis=0)] = -np.inf
    best = np.argmax(np.where(np.isnan(ts), -np.inf, ts), axis=0)
    pixel = np.arange(n)
    *chosen, _ = (np.array(values)[best, pixel] for values in zip(*fits, strict=True))
    return FluxFit._make([*chosen, best.astype(np.uint8)])


def fitted_columns(options: FluxOptions = DEFAULT, n_templates: int = 1) -> list[str]:
    """Fields of `FluxFit` that `fit_pixels` fills with these options and so many spectra.

    Examples
    --------
    >>> fitted_columns()
    ['ts', 'flux', 'flux_err', 'npred', 'n_iter', 'status']
    """
    left_out = set() if options.free_background else {"background_norm"}
    if n_templates == 1:
        left_out |= {"template"}
    if not options.has_limits:
        left_out |= {"flux_err_lo", "flux_err_hi", "flux_ul"}
    return [name for name in FluxFit._fields if name not in left_out]


def block_size(expectation: Expectation, n: int, threads: int) -> int:
    """Pixels per block, of `n` pixels that some threads share."""
    if isinstance(expectation, RowTable):
        size = ROW_PIXELS
    else:
        size = int(BLOCK_BYTES / (8 * max(expectation.entries_per_direction, 1.0)))
    if threads > 1:
        size = min(size, -(-n // (_BLOCKS_PER_THREAD * threads)))
    return max(_MIN_PIXELS, size)


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
