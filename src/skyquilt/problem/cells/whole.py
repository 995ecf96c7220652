"""A fit problem as a data set of cells: all of it is one, or each event is in one."""

import numpy as np

from skyquilt.problem.cells.data import CellData
from skyquilt.problem.cells.fractions import CellFractions
from skyquilt.problem.problem import FitProblem

_ANGLE = 0.02
"""Difference of positions for derivatives, of the sharpness of the data."""
_LEAST_ANGLE = 1e-4
"""The same where the sharpness is not known [deg]."""


def difference_angle(sharpness_deg: float) -> float:
    """Angle over which derivatives by positions are differences, of data of some sharpness [deg].

    Examples
    --------
    >>> difference_angle(5.0), difference_angle(0.0)
    (0.1, 0.0001)
    """
    return max(_ANGLE * sharpness_deg, _LEAST_ANGLE)


def one_cell(
    problem: FitProblem, name: str = "", livetime: float = np.nan, what: str = "problem"
) -> CellData:
    """A fit problem as one cell.

    Parameters
    ----------
    problem : FitProblem
        With nodes of true energy.
    name : str
        Name of the data set.
    livetime : float
        Its livetime, where it is known [s].
    what : str
        How messages name it.

    Raises
    ------
    ValueError
        If the problem has no nodes, or does not know its background in all bins.
    """
    n_hit = len(problem.counts)
    span = problem.description.time_span or (np.nan, np.nan)
    edges = np.array([span[0]]), np.array([span[1]])
    return in_cells(
        *(problem, name, edges, np.array([livetime]), np.ones(1), np.zeros(n_hit, np.int64)),
        what=what,
    )


def in_cells(
    problem: FitProblem,
    name: str,
    edges: tuple[np.ndarray, np.ndarray],
    livetime: np.ndarray,
    fraction: np.ndarray,
    cell: np.ndarray,
    what: str = "problem",
) -> CellData:
    """A fit problem of which each hit bin, an event, is in one cell.

    Parameters
    ----------
    problem : FitProblem
        With nodes of true energy.
    name : str
        Name of the data set.
    edges : tuple of ndarray of float64, shape (n_cell,)
        Start and stop of each cell [UNIX s].
    livetime : ndarray of float64, shape (n_cell,)
        Its livetime [s].
    fraction : ndarray of float64, shape (n_cell,)
        Its part of exposure and background.
    cell : ndarray of int64, shape (n_hit,)
        Cell of each hit bin.
    what : str
        How messages name the problem.

    Raises
    ------
    ValueError
        As `one_cell`.
    """
    if problem.expectation.true_energy is None:
        raise ValueError(f"{what}: no nodes of true energy; prepare it with true_energy=True")
    if problem.background_total is None:
        raise ValueError(f"{what}: its background in all bins is not known")
    backgrounds = problem.backgrounds
    totals = np.array([one.totals.sum() for one in backgrounds])
    if not np.all(np.isfinite(totals)):
        raise ValueError(f"{what}: its background in all bins is not known")
    if len(backgrounds) == 1:
        totals = np.array([problem.background_total])
    n_hit, about = len(problem.counts), problem.description
    background = np.stack([one.in_bins(n_hit) for one in backgrounds])
    if len(backgrounds) == 1:
        background = problem.background[np.newaxis]
    order = np.flatnonzero(problem.counts > 0)
    order = order[np.argsort(cell[order], kind="stable")]
    return CellData(
        name=name,
        frame=problem.frame,
        start=edges[0],
        stop=edges[1],
        livetime=livetime,
        cell=cell[order],
        column=order,
        counts=problem.counts[order],
        components=tuple(one.name for one in backgrounds),
        background=np.asarray(background),
        background_total=totals,
        fraction=fraction,
        expectation=CellFractions(problem.expectation, fraction),
        angle_deg=difference_angle(max(about.sharpness_deg, about.response_pixel_deg)),
        description=describe(about),
    )


def describe(about: object) -> dict:
    """What people want to know of a data set of a model."""
    kept = ("instrument", "energy_range_keV", "n_bins", "n_masked_bins", "n_masked_counts")
    return {name: getattr(about, name) for name in kept}
