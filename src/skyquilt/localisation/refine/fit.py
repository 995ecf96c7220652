"""Fit of cells of many orders: what refinement asks for."""

from collections.abc import Callable

import numpy as np

from skyquilt.fit.pixels import fit_pixels, fitted_columns
from skyquilt.likelihood.options import DEFAULT, FluxOptions
from skyquilt.maps.merge import derive_columns
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.problem.problem import FitProblem
from skyquilt.problem.templates import photon_fluxes
from skyquilt.sky.frames import rotate, rotation


def fit_cells(
    problem: FitProblem,
    uniq: np.ndarray,
    options: FluxOptions = DEFAULT,
    *,
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
    options, threads, on_progress
        See `fit_pixels`.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        The columns of maps.fits that the options ask for.
    """
    fit = fit_pixels(
        problem,
        rotate(rotation("icrs", problem.frame), MultiOrderMap("icrs", uniq, {}).centres),
        options,
        threads=threads,
        on_progress=on_progress,
    )
    fluxes = photon_fluxes(problem)
    names = fitted_columns(options, len(fluxes))
    return derive_columns({name: getattr(fit, name) for name in names}, fluxes)
