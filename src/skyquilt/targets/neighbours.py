"""Other sources around targets, and their flux in each band."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from skyquilt.blocks import SparseBlock, join_blocks
from skyquilt.likelihood.fluxes import fit_fluxes
from skyquilt.likelihood.poisson import fit_flux
from skyquilt.problem.problem import FitProblem
from skyquilt.status import GOOD

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_MOST_ENTRIES = 2**22  # of expected counts that are made at a time: 100 MB


class Neighbours(NamedTuple):
    """Sources of a list, each a point.

    Attributes
    ----------
    name : ndarray of str, shape (n,)
        Names.
    direction : ndarray of float64, shape (n, 3)
        Unit vectors in the frame of the problem.
    flux : ndarray of float64, shape (n, n_band)
        Best fluxes of all of them together, per band, in units of the reference spectrum.
    """

    name: np.ndarray
    direction: np.ndarray
    flux: np.ndarray


def source_block(problem: FitProblem, directions: np.ndarray) -> SparseBlock:
    """Expected counts of points in some directions, as lists of the bins they are seen in."""
    expectation = problem.expectation
    size = max(int(_MOST_ENTRIES / max(expectation.entries_per_direction, 1.0)), 1)
    starts = range(0, max(len(directions), 1), size)
    blocks = [expectation.block(directions[start : start + size]).csr() for start in starts]
    return join_blocks(blocks).csr()


def fit_baseline(problem: FitProblem, name: np.ndarray, directions: np.ndarray) -> Neighbours:
    """Fluxes of all sources together, in each band of its own.

    Parameters
    ----------
    problem : FitProblem
        The problem; bins without counts may be among its bins.
    name : ndarray of str, shape (n,)
        Names of the sources.
    directions : ndarray of float64, shape (n, 3)
        Unit vectors in its frame.

    Returns
    -------
    Neighbours
        Those of the sources that the data see.
    """
    n_band = problem.bands.n_band
    if not len(name):
        return Neighbours(name, directions, np.empty((0, n_band)))
    block = source_block(problem, directions)
    seen = np.flatnonzero((block.status == GOOD) & (block.total > 0))
    matrix, totals = block.matrix[seen], problem.band_totals(directions[seen])
    flux = np.zeros((len(seen), n_band))
    by_bin = matrix.T.tocsr()
    for band in range(n_band):
        hits = np.flatnonzero((problem.bands.of_hit == band) & (problem.counts > 0))
        own = np.flatnonzero(totals[:, band] > 0)
        if hits.size and own.size:
            rows: csr_array = by_bin[hits][:, own].T.tocsr()
            data = problem.counts[hits], problem.background[hits]
            start = _alone(*data, rows, totals[own, band])
            flux[own, band] = fit_fluxes(*data, rows, totals[own, band], start).flux
    return Neighbours(name[seen], directions[seen], flux)


def _alone(
    counts: np.ndarray, background: np.ndarray, rows: "csr_array", total: np.ndarray
) -> np.ndarray:
    """Flux of each source as if there were no others."""
    rows.sort_indices()
    indptr, column = (np.asarray(one, np.int64) for one in (rows.indptr, rows.indices))
    status = np.zeros(total.size, np.uint8)
    block = SparseBlock(indptr, column, rows.data, total, status, counts.size)
    return np.nan_to_num(fit_flux(counts, background, block).flux)
