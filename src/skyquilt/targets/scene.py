"""What surrounds targets: data, backgrounds and neighbours, in a form that is asked often."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from skyquilt.blocks import SparseBlock
from skyquilt.likelihood.source_profile import ScanOptions
from skyquilt.problem.circle import Circle, bins_inside, has_events, source_totals
from skyquilt.problem.expectation import Expectation
from skyquilt.problem.problem import FitProblem
from skyquilt.sky.frames import separation
from skyquilt.targets.neighbours import Neighbours, source_block

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class Around(NamedTuple):
    """How a target is fitted with what is around it.

    Attributes
    ----------
    radius : float
        Radius of its region [rad]; without effect where there is no image.
    own_radius : float
        A listed source nearer than this is the target [rad].
    free_above : float
        Correlation from which a neighbour's flux is fitted again.
    errors : tuple of float
        Of each component of the background the relative error of its factor: 0 where it is fixed,
        infinite where nothing is known.
    scan : ScanOptions
        Limits and scan.
    """

    radius: float
    own_radius: float
    free_above: float
    errors: tuple[float, ...]
    scan: ScanOptions


class Region(NamedTuple):
    """Bins around a target, and its neighbours in them.

    Attributes
    ----------
    circle : Circle
        Where it is.
    bins : ndarray of int64, shape (n_bin,)
        Bins in it.
    band : ndarray of int64, shape (n_bin,)
        Band of each.
    neighbours : ndarray of int64, shape (n,)
        Numbers of the neighbours that are seen in it, without the target itself.
    unit_counts : ndarray of float64, shape (n, n_bin)
        Their expected counts for unit flux.
    totals : ndarray of float64, shape (n, n_band)
        The same over all bins of the region.
    own : tuple of str
        Names of listed sources that are the target.
    """

    circle: Circle
    bins: np.ndarray
    band: np.ndarray
    neighbours: np.ndarray
    unit_counts: np.ndarray
    totals: np.ndarray
    own: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Scene:
    """Data with all bins, backgrounds, neighbours.

    Attributes
    ----------
    problem : FitProblem
        The problem, of points, with all bins.
    neighbours : Neighbours
        Other sources, with their fluxes.
    """

    problem: FitProblem
    neighbours: Neighbours

    @cached_property
    def has_events(self) -> bool:
        """Whether bins are photons one by one: those without are not among them."""
        return has_events(self.problem.expectation)

    @cached_property
    def components(self) -> np.ndarray:
        """Components of the background in all bins, and last what else is known in them."""
        n_hit = self.problem.expectation.n_hit
        each = np.array([one.in_bins(n_hit) for one in self.problem.backgrounds])
        rest = np.maximum(self.problem.background - each.sum(axis=0), 0.0)
        rest[rest < 1e-9 * self.problem.background] = 0.0  # what rounding leaves
        return np.vstack([each, rest])

    def region(self, direction: np.ndarray, around: Around) -> Region:
        """Bins around a direction, and the neighbours in them."""
        circle = Circle(direction, around.radius)
        expectation: Expectation = self.problem.expectation
        bins = bins_inside(expectation, circle)
        band = self.problem.bands.of_hit[bins]
        inside = self._by_bin[bins]
        distance = np.radians(separation(self.neighbours.direction, direction))
        is_own = distance < around.own_radius
        seen = np.unique(inside.indices)
        seen = seen[~is_own[seen]]
        rows = self._rows(seen)
        directions = self.neighbours.direction[seen]
        totals = np.zeros((0, self.problem.bands.n_band))
        if seen.size:
            totals = source_totals(self.problem, rows, directions, bins, circle)
        own = tuple(map(str, self.neighbours.name[is_own]))
        unit_counts = inside[:, seen].toarray().T
        return Region(circle, bins, band, seen, unit_counts, totals, own)

    @cached_property
    def _block(self) -> SparseBlock:
        return source_block(self.problem, self.neighbours.direction)

    @cached_property
    def _matrix(self) -> "csr_array":
        return self._block.matrix

    @cached_property
    def _by_bin(self) -> "csr_array":
        return self._matrix.T.tocsr()

    def _rows(self, numbers: np.ndarray) -> SparseBlock:
        """Expected counts of some of the neighbours."""
        block, rows = self._block, self._matrix[numbers]
        indptr, column = (np.asarray(one, np.int64) for one in (rows.indptr, rows.indices))
        return SparseBlock(
            indptr, column, rows.data, block.total[numbers], block.status[numbers], block.n_hit
        )
