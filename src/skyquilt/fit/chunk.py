"""Fit of one chunk, by one process or by several ranks."""

from typing import NamedTuple

import numpy as np

from skyquilt.errors import ProductError
from skyquilt.fit.pixels import fit_pixels
from skyquilt.fit.plan import Plan
from skyquilt.likelihood.poisson import FluxFit
from skyquilt.parallel.split import split_range
from skyquilt.parallel.team import Team
from skyquilt.problem.problem import FitProblem
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.healpix import nest_to_vec


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
    team: Team | None = None,
    threads: int = 1,
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
    team : Team, optional
        All its ranks share the pixels; None is one process.
    threads : int
        Threads of each rank.

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
    team = team or Team()
    ipix = plan.chunk_ipix(index)
    own = ipix[split_range(ipix.size, team.size, team.rank)]
    part = fit_pixels(
        problem,
        _directions(plan, own, problem.frame),
        plan.options,
        threads=threads,
        on_progress=team.report,
    )
    fit = team.gather(part)
    return None if fit is None else ChunkResult(ipix, FluxFit(*fit))


def _directions(plan: Plan, ipix: np.ndarray, frame: str) -> np.ndarray:
    return rotate(rotation(plan.frame, frame), nest_to_vec(plan.nside, ipix))
