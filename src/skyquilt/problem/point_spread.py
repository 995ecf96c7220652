"""Expectation of an imaging instrument's counts in pixels and energy bands.

A source of unit flux at p gives, in band j of pixel i,

    e_ij(p) = sum_c  to_band_cj  yield_c(p)  integral over pixel i of PSF_c dOmega,

where a component c is a range of true energy (and, where the point spread function changes over
the sky, one of its shapes): its yield is flux times effective area times time.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from skyquilt.blocks import SparseBlock
from skyquilt.native import BandWeights, ImagePixels, SpreadTables, entry_lists, kernels
from skyquilt.problem.buckets import bucket_radius
from skyquilt.problem.cost import Cost, lists_cost, mean_bins
from skyquilt.problem.datasets import (
    StoredDataset,
    get_all,
    get_optional,
    mapped_names,
    put_all,
    put_optional,
)
from skyquilt.problem.exposed import mark_unexposed
from skyquilt.problem.extent import exposed_extent, extent_of, least_extent
from skyquilt.problem.nodes import ComponentNodes, kept_nodes
from skyquilt.problem.pixel_image import DATASETS as IMAGE
from skyquilt.problem.pixel_image import PixelImage, are_squares
from skyquilt.problem.profiles import Profiles, blur, tabulate
from skyquilt.problem.sky_grid import HealpixGrid, get_grid, known_values, put_grid
from skyquilt.problem.spread_nodes import ByComponent, SpreadNodes, by_component
from skyquilt.problem.true_energy import TrueEnergy
from skyquilt.sky.healpix import check_directions

if TYPE_CHECKING:
    import h5py

    from skyquilt.problem.datasets import GetPart, PutPart

_DATASETS = {
    "theta": StoredDataset("rad", "angles of the profiles"),
    "profile": StoredDataset("sr-1", "point spread function of each component"),
    "to_band": StoredDataset("", "probability that a photon of a component is measured in a band"),
}

# seconds for a pixel that is looked at, one near the source, and each of its components; most that
# are near; see benchmarks/time_plan.py
_LOOK, _NEAR, _COMPONENT, _MOST_NEAR = 17e-9, 0.1e-6, 0.06e-6, 100.0

# In radii of a pixel: beyond it a pixel holds its mean density, which is that of its middle if it
# is far enough (to 1 / 400), or that of a square turned any way if pixels are squares.
_FAR, _FAR_OF_SQUARES = 20.0, 5.0


@dataclass(frozen=True, eq=False)
class PointSpread:
    """Pixels with counts per energy band, yields over the sky, point spread function.

    Attributes
    ----------
    image : PixelImage
        Pixels with counts, their bins, and the border of the image; see `find_hits`.
    yields : HealpixGrid
        Expected counts for unit flux of each component of a source at a position, before any is
        lost at the border or measured outside the bands.
    theta : ndarray of float64, shape (n_theta,)
        Angles of the profiles [rad], from 0, ascending.
    profile : ndarray of float64, shape (n_component, n_theta)
        Point spread function [sr-1] of each component.
    to_band : ndarray of float64, shape (n_component, n_band)
        Probability that a photon of a component is measured in a band.
    lost_fraction : float
        Fraction of the photons of a component that lie beyond its reach.
    by_energy : SpreadNodes, optional
        Exposures that yields are made of, per node of true energy; kept where the spectrum may
        vary. The point spread function of a component is that of the reference spectrum.

    Raises
    ------
    ValueError
        If shapes do not fit, a band has no column, or a probability is negative.
    """

    kind: ClassVar[str] = "point_spread"
    mapped: ClassVar[frozenset[str]] = mapped_names(IMAGE)

    image: PixelImage
    yields: HealpixGrid
    theta: np.ndarray
    profile: np.ndarray
    to_band: np.ndarray
    lost_fraction: float = 1e-3
    by_energy: SpreadNodes | None = None

    def __post_init__(self):
        n_component = self.yields.n_quantity
        for name in ("profile", "to_band"):
            if len(getattr(self, name)) != n_component:
                raise ValueError(
                    f"{name}: shape {getattr(self, name).shape} for {n_component} components."
                )
        band = self.image.bin_band
        if band.size and not 0 <= band.min() <= band.max() < self.to_band.shape[1]:
            raise ValueError(f"bin_band: allowed are 0 to {self.to_band.shape[1] - 1}.")
        if not np.all(self.to_band >= 0):
            raise ValueError("to_band: allowed are probabilities of 0 or more.")

    @property
    def n_hit(self) -> int:
        """Number of hit bins."""
        return len(self.image.bin_band)

    @property
    def entries_per_direction(self) -> float:
        """Estimated hit bins within reach of a direction, were they all over the image."""
        area = max(self.image.shapes[:, 3].sum(), 1e-30)
        radius = self._profiles.reach.max() + self.image.shapes[:, 4].max(initial=0)
        return self.n_hit * min(1.0, 4 * np.pi * float(np.sin(radius / 2) ** 2) / area)

    @property
    def extent(self) -> float | None:
        """Angle from the middle of the image to its end, or that of its exposure [rad]."""
        border = self.image.border.reshape(-1, 3)
        return least_extent(extent_of(border), exposed_extent(self.yields))

    @property
    def core(self) -> float:
        """Angle within which the narrowest point spread function has 39 % of the photons [rad]."""
        return tabulate(self.theta, self.profile, 1e-3).core

    def block(self, directions: np.ndarray) -> SparseBlock:
        """Expected counts for unit flux.

        Parameters
        ----------
        directions : ndarray of float64, shape (n, 3)
            Unit vectors in the frame of the pixels.

        Returns
        -------
        SparseBlock
            All directions are GOOD, but NO_EXPOSURE where the yields are not known.
        """
        directions = check_directions(directions)
        yields, status = known_values(self.yields, directions)
        entries = self._entries(directions, yields)
        total = np.sum(yields * self._contained(directions) * self._measured, axis=1)
        status = mark_unexposed(status, total, self._largest_total)
        return SparseBlock(*entries, total, status, self.n_hit)

    @property
    def true_energy(self) -> TrueEnergy | None:
        """Nodes of true energy; None where they are not kept."""
        return None if self.by_energy is None else self.by_energy.axis

    def nodes(self, directions: np.ndarray) -> ComponentNodes:
        """Expected counts per node of true energy, for unit vectors of shape (n, 3).

        Raises
        ------
        ValueError
            If nodes are not kept.
        """
        own = kept_nodes(self.by_energy, "point spread")
        directions = check_directions(directions)
        pattern = np.ones((len(directions), len(self.profile)))
        entries = self._by_component._entries(directions, pattern)
        contained = self._contained(directions)
        seen = contained * self._measured
        patterns = self._bins_by_component.sort(*entries, seen)
        exposure, _ = known_values(own.exposure, directions)
        yields, status = known_values(self.yields, directions)
        status = mark_unexposed(status, np.sum(yields * seen, axis=1), self._largest_total)
        return ComponentNodes(
            patterns,
            factor=exposure[:, own.quantity],
            component=own.component,
            bands=(contained[:, :, np.newaxis] * self.to_band).reshape(seen.size, -1),
            status=status,
        )

    def with_spectrum(self, flux: np.ndarray) -> "PointSpread":
        """The same for a spectrum that has these photons at each node, shape (n_node,)."""
        own = kept_nodes(self.by_energy, "point spread")
        return replace(self, yields=own.yields(flux, len(self.profile)))

    def _entries(
        self, directions: np.ndarray, yields: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Lists of the hit bins that directions see, and expected counts in them."""
        psf, image = self._profiles, self.image
        near = image.buckets.near(directions, self._radius)
        size = int(near.sum_over_items(np.append(0, image.bin_stop)).sum())
        n, n_component = len(directions), len(psf.contained)
        indptr, hit, counts = np.zeros(n + 1, np.int64), np.empty(size, np.int64), np.empty(size)
        pixels = ImagePixels.of(
            n_vertex=image.vertices.shape[1],
            vertices=image.vertices,
            shapes=image.shapes,
            bin_stop=image.bin_stop,
            bin_band=image.bin_band,
        )
        end = kernels.pixel_counts(
            *(n, directions, near.as_argument(), pixels, self._tables, self._band_weights, yields),
            *(np.empty(2 * n_component), np.zeros(2 * n_component + 1, np.int64)),
            entry_lists(indptr, hit, counts),
        )
        return indptr, hit[:end], counts[:end]

    def band_totals(self, directions: np.ndarray) -> np.ndarray:
        """Expected counts of each band for unit flux, over all pixels, shape (n, n_band)."""
        directions = check_directions(directions)
        yields, _ = known_values(self.yields, directions)
        return (yields * self._contained(directions)) @ self.to_band

    def select_bins(self, bins: np.ndarray) -> "PointSpread":
        """The same with some of the hit bins; totals stay those of all bins.

        Parameters
        ----------
        bins : ndarray of int64, shape (n,)
            Numbers of the hit bins to keep, ascending.
        """
        return replace(self, image=self.image.select_bins(bins))

    def put(self, group: "h5py.Group", put_part: "PutPart") -> None:
        """Write to a group."""
        group.attrs["lost_fraction"] = self.lost_fraction
        put_all(group, self, _DATASETS)
        self.image.put(group.create_group("image"))
        put_grid(group.create_group("yields"), self.yields, "", "counts for unit flux")
        put_optional(group, "true_energy", self.by_energy)

    @classmethod
    def get(cls, group: "h5py.Group", get_part: "GetPart") -> "PointSpread":
        """Read from a group."""
        return cls(
            **get_all(group, _DATASETS),
            image=PixelImage.get(group["image"]),
            yields=get_grid(group["yields"]),
            lost_fraction=float(group.attrs["lost_fraction"]),
            by_energy=get_optional(group, "true_energy", SpreadNodes),
        )

    @property
    def bucket_nside(self) -> int:
        """Resolution of the buckets in which pixels are looked up."""
        return self.image.buckets.nside

    def looks(self, directions: np.ndarray) -> float:
        """Pixels that are looked at for a direction, in the mean over some."""
        near = self.image.buckets.near(directions, self._radius)
        return float(np.mean(near.sum_over_items(np.arange(self.image.buckets.n_item + 1))))

    def fraction_hit(self, looks: float) -> float:
        """Fraction of the pixels with counts, where so many of them are looked at."""
        area = self.image.shapes[:, 3].mean() if len(self.image.shapes) else 1.0
        radius = self._radius + 2 * np.radians(bucket_radius(self.bucket_nside))
        return min(1.0, looks * area / (4 * np.pi * np.sin(min(radius, np.pi) / 2) ** 2))

    def cost(self, directions: np.ndarray, nside: int) -> Cost:
        """Cost of a direction, from some in the frame of the problem, for a map of `nside`."""
        n_bins, looks = mean_bins(self.block(directions).indptr), self.looks(directions)
        near = min(looks, _MOST_NEAR) * self.fraction_hit(looks)
        seconds = looks * _LOOK + near * (_NEAR + len(self.profile) * _COMPONENT)
        return lists_cost(n_bins, seconds, self.bucket_nside, nside)

    def _contained(self, directions: np.ndarray) -> np.ndarray:
        """Integral of each component over the image; what is lost is shared out evenly."""
        psf, image = self._profiles, self.image
        n, n_component = len(directions), len(psf.contained)
        if not len(image.border):
            return np.broadcast_to(psf.total, (n, n_component))
        part = np.empty((n, n_component))
        kernels.border_containment(
            *(n, directions, len(image.border), image.border, image.inside, self._tables),
            *(np.arange(n_component), np.empty(2 * n_component), part),
        )
        return part * psf.total

    @cached_property
    def _bins_by_component(self) -> ByComponent:
        return by_component(self.image, self.to_band)

    @cached_property
    def _by_component(self) -> "PointSpread":
        """The same with a bin for each pair of hit bin and component."""
        bins = self._bins_by_component
        other = replace(self, image=bins.image, to_band=bins.to_band, by_energy=None)
        other.__dict__["_profiles"] = self._profiles
        return other

    @cached_property
    def _radius(self) -> float:
        """Angle up to which pixels are looked at [rad]."""
        return float(self._profiles.reach.max() + self.image.shapes[:, 4].max(initial=0))

    @cached_property
    def _profiles(self) -> Profiles:
        return tabulate(self.theta, self.profile, self.lost_fraction)

    @cached_property
    def _tables(self) -> SpreadTables:
        """Contained fractions and densities, one row per angle, as the kernels read them."""
        psf, density = self._profiles, self._profiles.density
        if self._far == _FAR_OF_SQUARES:
            area = float(self.image.shapes[:, 3].mean())
            density = blur(self.theta, self.profile, psf, area)
        return SpreadTables.of(
            n_component=len(psf.contained),
            n_column=psf.contained.shape[1],
            step=psf.step,
            core=psf.core,
            far=self._far,
            contained=np.ascontiguousarray(psf.contained.T),
            density=np.ascontiguousarray(density.T),
            reach=psf.reach,
        )

    @cached_property
    def _far(self) -> float:
        return _FAR_OF_SQUARES if are_squares(self.image) else _FAR

    @cached_property
    def _band_weights(self) -> BandWeights:
        """Probabilities above 0, band by band, as the kernels read them."""
        band, component = np.nonzero(self.to_band.T)
        ends = np.searchsorted(band, np.arange(self.to_band.shape[1] + 1))
        weight = np.ascontiguousarray(self.to_band[component, band], np.float64)
        return BandWeights.of(
            indptr=ends.astype(np.int64), component=np.ascontiguousarray(component), weight=weight
        )

    @cached_property
    def _largest_total(self) -> float:
        return float(np.max(self.yields.values @ self._measured, initial=0.0))

    @cached_property
    def _measured(self) -> np.ndarray:
        """Probability that a photon of a component is measured in any band."""
        return self.to_band.sum(axis=1)
