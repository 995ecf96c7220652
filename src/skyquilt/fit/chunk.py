"""Fit of one chunk, by one process or by several ranks."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from skyquilt.errors import ProductError
from skyquilt.fit.pixels import fit_pixels
from skyquilt.fit.plan import Plan
from skyquilt.likelihood.poisson import FluxFit
from skyquilt.parallel.comm import gather_arrays
from skyquilt.parallel.split import split_range
from skyquilt.problem.problem import FitProblem
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.healpix import nest_to_vec

if TYPE_CHECKING:
    from mpi4py.MPI import Comm


class ChunkResult(NamedTuple):
    """Fitted pixels of a chunk.

    Attributes
    ----------
    ipix : ndarray of int64, shape (n,)
        Nested pixels, ascending.
    fit : FluxFit
        One value per pixel.
    """

    ipix: np.ndarray
    fit: FluxFit


def fit_chunk(
    problem: FitProblem,
    plan: Plan,
    index: int,
    *,
    comm: "Comm | None" = None,
    threads: int = 1,
    on_progress: Callable[[int, int], None] | None = None,
) -> ChunkResult | None:
    """Fit all target pixels of a chunk.

    The result does not depend on the number of ranks and threads.

    Parameters
    ----------
    problem : FitProblem
        The problem that the plan was made for.
    plan : Plan
        Target pixels and chunks.
    index : int
        Number of the chunk.
    comm : mpi4py.MPI.Comm, optional
        All its ranks share the pixels; None is serial.
    threads : int
        Threads of each rank.
    on_progress : callable, optional
        Called with the number of pixels done and of all pixels of this rank.

    Returns
    -------
    ChunkResult or None
        The result on rank 0, None on all others.

    Raises
    ------
    ProductError
        If the plan was made for another problem.
    ValueError
        If there is no such chunk.
    """
    if plan.problem_identity != problem.identity:
        raise ProductError(
            f"the plan is for problem {plan.problem_identity[:12]!r}, this one is "
            f"{problem.identity[:12]!r}; make it again with `skyquilt plan`."
        )
    ipix = plan.chunk_ipix(index)
    rank, size = (comm.Get_rank(), comm.Get_size()) if comm else (0, 1)
    part = fit_pixels(
        problem,
        _directions(plan, ipix[split_range(ipix.size, size, rank)], problem.frame),
        allow_negative=plan.allow_negative,
        threads=threads,
        on_progress=on_progress,
    )
    fit = gather_arrays(comm, part)
    return None if fit is None else ChunkResult(ipix, FluxFit(*fit))


def _directions(plan: Plan, ipix: np.ndarray, frame: str) -> np.ndarray:
    return rotate(rotation(plan.frame, frame), nest_to_vec(plan.nside, ipix))
