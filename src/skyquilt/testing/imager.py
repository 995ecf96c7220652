"""A toy imaging telescope in memory: point sources of a Gaussian width on a HEALPix sky.

Expectations are sparse and exact: the expected counts of a source are a closed form, cut at five
standard deviations, and their total is their sum over all pixels.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
from scipy.spatial import cKDTree

from skyquilt.blocks import SparseBlock
from skyquilt.fit.pixels import fit_pixels
from skyquilt.maps.skymap import SkyMap
from skyquilt.problem import Description, FitProblem
from skyquilt.problem.cost import Cost
from skyquilt.problem.nodes import NodeBlock, missing_nodes
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.sky.pixels import nside_to_npix


@dataclass(frozen=True, eq=False)
class ToyPointSpread:
    """Expected counts of sources in the pixels that have counts.

    Attributes
    ----------
    tree : cKDTree
        Centres of all pixels of the sky.
    width : float
        Standard deviation of the point spread [rad].
    exposure : float
        Expected counts of a source of unit flux.
    number : ndarray of int64, shape (n_pixels,)
        Hit bin of each pixel, -1 for pixels without counts.
    """

    tree: cKDTree
    width: float
    exposure: float
    number: np.ndarray

    @property
    def n_hit(self) -> int:
        """Number of hit bins."""
        return int(self.number.max()) + 1

    @property
    def entries_per_direction(self) -> float:
        """Expected counts that a block holds per direction."""
        return len(self.number) * (5 * self.width / 2) ** 2

    true_energy: ClassVar[None] = None
    extent: ClassVar[None] = None

    @property
    def core(self) -> float:
        """Standard deviation of the point spread [rad]."""
        return self.width

    def nodes(self, directions: np.ndarray) -> NodeBlock:
        """Refused: there are none."""
        raise missing_nodes("toy")

    def with_spectrum(self, flux: np.ndarray) -> "ToyPointSpread":
        """Refused: there are no nodes."""
        raise missing_nodes("toy")

    def band_totals(self, directions: np.ndarray) -> np.ndarray:
        """Totals of the one band."""
        return self.block(directions).total[:, np.newaxis]

    def select_bins(self, bins: np.ndarray) -> "ToyPointSpread":
        """The same with some of the hit bins."""
        new = np.full(self.n_hit, -1)
        new[bins] = np.arange(len(bins))
        return replace(self, number=np.where(self.number < 0, -1, new[self.number]))

    def cost(self, directions: np.ndarray, nside: int) -> Cost:
        """Cost of a direction, from some in the frame of the problem, for a map of `nside`."""
        return Cost(1e-8 * self.entries_per_direction, self.entries_per_direction)

    def block(self, directions: np.ndarray) -> SparseBlock:
        """Expected counts for unit flux."""
        near = self.tree.query_ball_point(directions, 5 * self.width)
        sizes = np.array([len(one) for one in near], dtype=np.int64)
        pixel = np.concatenate([*near, []]).astype(np.int64)
        owner = np.repeat(np.arange(len(directions)), sizes)
        chord = np.linalg.norm(self.tree.data[pixel] - directions[owner], axis=1)
        area = 4 * np.pi / len(self.number)
        shape = np.exp(-0.5 * (chord / self.width) ** 2) / (2 * np.pi * self.width**2)
        counts = self.exposure * area * shape
        total = np.bincount(owner, counts, minlength=len(directions))
        is_hit = self.number[pixel] >= 0
        size = np.bincount(owner[is_hit], minlength=len(directions))
        indptr = np.append(0, np.cumsum(size))
        status = np.zeros(len(directions), np.uint8)
        entries = indptr, self.number[pixel[is_hit]], counts[is_hit]
        return SparseBlock(*entries, total, status, self.n_hit)


@dataclass(frozen=True)
class Imager:
    """An imaging telescope that sees the whole sky.

    Attributes
    ----------
    nside : int
        Resolution of the counts.
    width : float
        Standard deviation of the point spread [deg].
    exposure : float
        Expected counts of a source of unit flux.
    background : float
        Expected background counts per pixel.
    """

    nside: int = 32
    width: float = 3.0
    exposure: float = 100.0
    background: float = 0.2

    @cached_property
    def centres(self) -> np.ndarray:
        """Directions of all pixels."""
        return nest_to_vec(self.nside, np.arange(nside_to_npix(self.nside)))

    @cached_property
    def tree(self) -> cKDTree:
        """Centres of all pixels of the sky."""
        return cKDTree(self.centres)

    def spread(self, number: np.ndarray) -> ToyPointSpread:
        """Expectation with some of the pixels as hit bins."""
        return ToyPointSpread(self.tree, np.radians(self.width), self.exposure, number)

    def expected(self, directions: np.ndarray, flux: np.ndarray) -> np.ndarray:
        """Expected counts of all pixels."""
        every = self.spread(np.arange(len(self.centres))).block(directions)
        of_source = flux[every.direction]
        counts = np.bincount(every.bin, of_source * every.unit_counts, minlength=len(self.centres))
        return self.background + counts

    def observe(
        self, directions: np.ndarray, flux: np.ndarray, rng: np.random.Generator
    ) -> FitProblem:
        """Fit problem of one Poisson observation of several sources."""
        counts = rng.poisson(self.expected(directions, flux))
        is_hit = counts > 0
        number = np.where(is_hit, np.cumsum(is_hit) - 1, -1)
        return FitProblem(
            counts[is_hit].astype(np.float64),
            np.full(is_hit.sum(), self.background),
            self.spread(number),
            frame="galactic",
            photon_flux=1.0,
            description=Description("toy", "flat", (100.0, 200.0), n_bins=counts.size),
        )


def map_of(problem: FitProblem, nside: int, ipix: np.ndarray | None = None) -> SkyMap:
    """TS map in the frame of a problem, of the whole sky or some of its pixels."""
    ipix = np.arange(nside_to_npix(nside)) if ipix is None else ipix
    fit = fit_pixels(problem, nest_to_vec(nside, ipix))
    return SkyMap(nside, problem.frame, ipix, {"ts": fit.ts})
