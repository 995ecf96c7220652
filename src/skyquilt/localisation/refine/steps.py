"""Refinement in steps: cells that were evaluated in other jobs, and what comes next."""

from collections.abc import Callable, Sequence

import numpy as np

from skyquilt.localisation.refine.cells import Goal, cells_to_split, children, refine
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.skymap import SkyMap
from skyquilt.sky.pixels import nside_to_order
from skyquilt.sky.uniq import to_uniq, uniq_to_ipix, uniq_to_order, uniq_to_ranges

WORTH_CHUNKS_S = 300.0
"""Time of a refinement on one core from which on its cells are fitted in chunks [s].

Below it one process is done before the jobs of eight steps and more have started and the workflow
has been planned as often.
"""

N_CELLS = 5000
"""Cells that a refinement fits, to estimate its time: 1000 for bright sources, 1e4 for faint."""


def is_worth_chunks(seconds_per_pixel: float) -> bool:
    """Whether the cells of a refinement should be fitted in chunks.

    Examples
    --------
    >>> is_worth_chunks(5e-6), is_worth_chunks(1.0)
    (False, True)
    """
    return N_CELLS * seconds_per_pixel > WORTH_CHUNKS_S


def map_to_cells(skymap: SkyMap) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """UNIQ and columns of the pixels of a map of one order."""
    return to_uniq(nside_to_order(skymap.nside), skymap.ipix), skymap.columns


def join_cells(parts: Sequence[tuple[np.ndarray, dict[str, np.ndarray]]]) -> MultiOrderMap:
    """Map of cells that were evaluated in parts; those that were split give way to theirs.

    Parameters
    ----------
    parts : sequence of tuple
        UNIQ of cells in ICRS, and their columns.

    Returns
    -------
    MultiOrderMap
        Cells without a finer one.

    Examples
    --------
    >>> coarse = np.array([4, 5]), {"ts": np.array([1.0, 2.0])}
    >>> fine = np.array([16, 17, 18, 19]), {"ts": np.zeros(4)}
    >>> join_cells([coarse, fine]).uniq
    array([16, 17, 18, 19,  5])
    """
    uniq = np.concatenate([part for part, _ in parts])
    index = np.flatnonzero(~np.isin(uniq, uniq >> 2))
    ranges = uniq_to_ranges(uniq[index], int(uniq_to_order(uniq).max()))
    index = index[np.argsort(ranges[:, 0])]
    names = parts[0][1]
    columns = {name: np.concatenate([part[name] for _, part in parts])[index] for name in names}
    return MultiOrderMap("icrs", uniq[index], columns)


def refine_map(
    start: np.ndarray,
    evaluate: Callable[[np.ndarray], dict[str, np.ndarray]],
    goal: Goal,
    parts: Sequence[tuple[np.ndarray, dict[str, np.ndarray]]] = (),
) -> MultiOrderMap:
    """Refine to the end, from the cells to begin with or from where other jobs have come.

    Parameters
    ----------
    start : ndarray of int64, shape (n,)
        UNIQ of the cells to begin with.
    evaluate : callable
        Gives the columns of cells of any orders, named by UNIQ.
    goal : Goal
        When to split and when to stop.
    parts : sequence of tuple, optional
        UNIQ of cells that were evaluated, and their columns.
    """
    missing = missing_cells(start, parts)
    if missing.size:
        parts = [*parts, (missing, evaluate(missing))]
    return refine(join_cells(parts), evaluate, goal)


def next_pixels(
    start: np.ndarray, parts: Sequence[tuple[np.ndarray, dict[str, np.ndarray]]], goal: Goal
) -> tuple[int, np.ndarray]:
    """Pixels to fit next, of one order: the coarsest of those that are due.

    Parameters
    ----------
    start : ndarray of int64, shape (n,)
        UNIQ of the cells to begin with.
    parts : sequence of tuple
        UNIQ of cells that were evaluated, and their columns.
    goal : Goal
        When to split and when to stop.

    Returns
    -------
    order : int
        Order of the pixels.
    ipix : ndarray of int64, shape (n,)
        Nested pixels in ICRS; none when the goal is reached.
    """
    due = missing_cells(start, parts)
    if not due.size:
        cells = join_cells(parts)
        due = children(cells.uniq[cells_to_split(cells, goal)])
    if not due.size:
        return 0, due
    order = uniq_to_order(due)
    return int(order.min()), uniq_to_ipix(due[order == order.min()])


def missing_cells(
    start: np.ndarray, parts: Sequence[tuple[np.ndarray, dict[str, np.ndarray]]]
) -> np.ndarray:
    """Cells to begin with that are in none of the parts."""
    return start[~np.isin(start, np.concatenate([start[:0], *(uniq for uniq, _ in parts)]))]
