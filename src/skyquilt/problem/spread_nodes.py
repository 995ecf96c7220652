"""Exposure per node of true energy, without flux, for components of a point spread function."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from skyquilt.blocks import SparseBlock
from skyquilt.problem.datasets import StoredDataset, get_all, put_all
from skyquilt.problem.nodes import checked_flux
from skyquilt.problem.sky_grid import HealpixGrid, get_grid, put_grid
from skyquilt.problem.true_energy import TrueEnergy

if TYPE_CHECKING:
    import h5py

    from skyquilt.problem.pixel_image import PixelImage

_DATASETS = {
    "quantity": StoredDataset("", "number of the exposure of each node of true energy"),
    "component": StoredDataset("", "component of each node of true energy"),
}


@dataclass(frozen=True, eq=False)
class SpreadNodes:
    """What the yields of components are made of: exposure times photons of nodes of true energy.

    Attributes
    ----------
    axis : TrueEnergy
        The nodes.
    exposure : HealpixGrid
        Exposures on the sky [cm2 s].
    quantity, component : ndarray of int64, shape (n_node,)
        Number of the exposure of each node, and component whose point spread function it has.

    Raises
    ------
    ValueError
        If shapes do not fit, or there is no such exposure.
    """

    axis: TrueEnergy
    exposure: HealpixGrid
    quantity: np.ndarray
    component: np.ndarray

    def __post_init__(self):
        for name in ("quantity", "component"):
            if getattr(self, name).shape != (self.axis.n_node,):
                raise ValueError(f"{name}: allowed is one for each of {self.axis.n_node} nodes.")
        if np.any((self.quantity < 0) | (self.quantity >= self.exposure.n_quantity)):
            raise ValueError(f"quantity: allowed are 0 to {self.exposure.n_quantity - 1}.")

    def yields(self, flux: np.ndarray, n_component: int) -> HealpixGrid:
        """Yields of the components of a source that has these photons."""
        weight = np.zeros((self.exposure.n_quantity, n_component))
        np.add.at(weight, (self.quantity, self.component), checked_flux(flux, self.axis.n_node))
        return replace(self.exposure, values=self.exposure.values @ weight)

    def put(self, group: "h5py.Group") -> None:
        """Write to a group."""
        self.axis.put(group)
        put_all(group, self, _DATASETS)
        put_grid(group.create_group("exposure"), self.exposure, "cm2 s", "exposure")

    @classmethod
    def get(cls, group: "h5py.Group") -> "SpreadNodes":
        """Read from a group."""
        exposure = get_grid(group["exposure"])
        return cls(TrueEnergy.get(group), exposure, **get_all(group, _DATASETS))


@dataclass(frozen=True, eq=False)
class ByComponent:
    """Hit bins once for each component that may be measured in them.

    Attributes
    ----------
    image : PixelImage
        The image, with a bin for each pair of hit bin and component, whose band is the number of
        the pair of band and component.
    to_band : ndarray of float64, shape (n_component, n_pair)
        Probability of a component in each pair: that in the band if it is its own, or 0.
    hit, component : ndarray of int64, shape (n_bin,)
        Hit bin and component of each bin.
    n_hit : int
        Number of hit bins.
    """

    image: "PixelImage"
    to_band: np.ndarray
    hit: np.ndarray
    component: np.ndarray
    n_hit: int

    def sort(
        self, indptr: np.ndarray, bins: np.ndarray, values: np.ndarray, total: np.ndarray
    ) -> SparseBlock:
        """Entries of directions as those of components of directions, with these totals."""
        n_component = len(self.to_band)
        direction = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
        row = direction * n_component + self.component[bins]
        order = np.lexsort((self.hit[bins], row))
        ends = np.searchsorted(row[order], np.arange(total.size + 1)).astype(np.int64)
        entries = self.hit[bins][order], values[order]
        status = np.zeros(total.size, np.uint8)
        return SparseBlock(ends, *entries, total.ravel(), status, self.n_hit)


def by_component(image: "PixelImage", to_band: np.ndarray) -> ByComponent:
    """Hit bins of an image once for each component."""
    band, component = np.nonzero(to_band.T)  # the pairs, band by band
    first = np.searchsorted(band, np.arange(to_band.shape[1] + 1))
    size = np.diff(first)[image.bin_band]
    hit = np.repeat(np.arange(len(size)), size)
    before = np.concatenate([[0], np.cumsum(size)])
    pair = np.arange(before[-1]) + np.repeat(first[image.bin_band] - before[:-1], size)
    of_pair = np.zeros((len(to_band), len(band)))
    of_pair[component, np.arange(len(band))] = to_band[component, band]
    expanded: Any = image._replace(
        bin_stop=before[image.bin_stop].astype(np.int64), bin_band=pair.astype(np.int64)
    )
    return ByComponent(expanded, of_pair, hit, component[pair], len(size))
