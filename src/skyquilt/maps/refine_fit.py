"""Fit of cells of many orders: what refinement asks for."""

from collections.abc import Callable

import numpy as np

from skyquilt.fit.pixels import fit_pixels
from skyquilt.maps.merge import derive_columns
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.problem.problem import FitProblem
from skyquilt.sky.frames import rotate, rotation


def fit_cells(
    problem: FitProblem,
    uniq: np.ndarray,
    *,
    allow_negative: bool = False,
    threads: int = 1,
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[str, np.ndarray]:
    """Fit the flux of a source at the centre of each cell.

    Parameters
    ----------
    problem : FitProblem
        Counts, background and expectation.
    uniq : ndarray of int64, shape (n,)
        Cells in ICRS, ascending along the nested curve.
    allow_negative, threads, on_progress
        See `fit_pixels`.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        The columns of maps.fits.
    """
    fit = fit_pixels(
        problem,
        rotate(rotation("icrs", problem.frame), MultiOrderMap("icrs", uniq, {}).centres),
        allow_negative=allow_negative,
        threads=threads,
        on_progress=on_progress,
    )
    return derive_columns(fit._asdict(), problem.photon_flux)
