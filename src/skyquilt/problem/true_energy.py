"""Nodes of true energy: what an expectation knows of a source before it knows its spectrum.

Expected counts are linear in the photons of a source: with phi_k the photons that node k stands
for, e_i(p) = sum_k phi_k e_ik(p). Nodes are bins of true energy, energies between which a response
is linear, or the energies of single events; each phi_k is a sum over dN/dE at some energies, so
that values, derivatives by the parameters of a spectrum and fluxes of bands of energy follow from
the same e_ik by multiplying.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from skyquilt.problem.datasets import StoredDataset, get_all, put_all

if TYPE_CHECKING:
    import h5py
    from scipy.sparse import csr_array

_ORDER = 32  # Gauss-Legendre, in the logarithm of energy, between two borders

_DATASETS = {
    "energy": StoredDataset("keV", "energies at which a spectrum is asked for"),
    "indptr": StoredDataset("", "energies of node k are from indptr[k] to indptr[k + 1]"),
    "index": StoredDataset("", "number of the energy, for each energy of each node"),
    "weight": StoredDataset("keV", "its weight (without unit for the density at an event)"),
}


@dataclass(frozen=True, eq=False)
class TrueEnergy:
    """Nodes of true energy, as sums over the photon flux density of a spectrum.

    Attributes
    ----------
    energy : ndarray of float64, shape (n_energy,)
        Energies at which a spectrum is asked for [keV].
    indptr : ndarray of int64, shape (n_node + 1,)
        Entries of node k are those from ``indptr[k]`` to ``indptr[k + 1]``.
    index : ndarray of int64, shape (m,)
        Number of the energy.
    weight : ndarray of float64, shape (m,)
        Its weight [keV]; 1 for a node that is the density at an event.

    Raises
    ------
    ValueError
        If shapes do not fit, or an energy is not above zero.
    """

    energy: np.ndarray
    indptr: np.ndarray
    index: np.ndarray
    weight: np.ndarray

    def __post_init__(self):
        n_entry = self.index.size
        if self.weight.shape != (n_entry,) or self.indptr[-1] != n_entry:
            raise ValueError(f"weight {self.weight.shape}, indptr to {self.indptr[-1]}: {n_entry}.")
        if n_entry and not 0 <= self.index.min() <= self.index.max() < self.energy.size:
            raise ValueError(f"index: allowed are 0 to {self.energy.size - 1}.")
        if not np.all(self.energy > 0):
            raise ValueError("energies must be above 0 keV.")

    @classmethod
    def of_matrix(cls, energy: np.ndarray, weight: np.ndarray) -> "TrueEnergy":
        """Nodes whose weights are the rows of a matrix, shape (n_node, n_energy)."""
        node, index = np.nonzero(weight)
        indptr = np.searchsorted(node, np.arange(len(weight) + 1)).astype(np.int64)
        return cls(energy, indptr, index.astype(np.int64), weight[node, index].astype(np.float64))

    @classmethod
    def of_bins(cls, edges: np.ndarray, borders: Sequence[float] = ()) -> "TrueEnergy":
        """Bins of true energy: the photons in each.

        Parameters
        ----------
        edges : ndarray of float64, shape (n_node + 1,)
            Edges [keV].
        borders : sequence of float
            Energies at which a spectrum may have a corner, or a band an edge [keV]: bins are cut
            there, so that the sum is good to 1e-9 for smooth pieces.
        """
        inside = [one for one in borders if edges[0] < one < edges[-1]]
        ends = np.union1d(edges, inside)
        at, fraction = np.polynomial.legendre.leggauss(_ORDER)
        half = np.log(ends[1:] / ends[:-1])[:, np.newaxis] / 2
        energy = ends[:-1, np.newaxis] * np.exp(half * (1 + at))
        indptr = _ORDER * np.searchsorted(ends, edges).astype(np.int64)
        weight = (fraction * half * energy).ravel()
        return cls(energy.ravel(), indptr, np.arange(weight.size), weight)

    @classmethod
    def at_energies(cls, energy: np.ndarray) -> "TrueEnergy":
        """A node per energy: the density there."""
        n = energy.size
        return cls(energy, np.arange(n + 1), np.arange(n), np.ones(n))

    @property
    def n_node(self) -> int:
        """Number of nodes."""
        return len(self.indptr) - 1

    def flux(self, density: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Photons that each node stands for.

        Parameters
        ----------
        density : callable
            Gives the photon flux density [ph cm-2 s-1 keV-1] at energies [keV], or its derivative
            by a parameter; 0 outside a band gives the flux of a band.

        Returns
        -------
        ndarray of float64, shape (n_node,)
            Photon flux of each node [ph cm-2 s-1]; density for the nodes of events.
        """
        return self.matrix @ np.asarray(density(self.energy))

    @property
    def matrix(self) -> "csr_array":
        """Weights, shape (n_node, n_energy)."""
        from scipy.sparse import csr_array

        shape = self.n_node, self.energy.size
        return csr_array((self.weight, self.index, self.indptr), shape=shape)

    def take(self, nodes: np.ndarray) -> "TrueEnergy":
        """Some of the nodes, by number, each as often as it is named."""
        matrix = self.matrix[nodes]
        indptr, index = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64)
        return TrueEnergy(self.energy, indptr, index, matrix.data)

    def put(self, group: "h5py.Group") -> None:
        """Write to a group."""
        put_all(group, self, _DATASETS)

    @classmethod
    def get(cls, group: "h5py.Group") -> "TrueEnergy":
        """Read from a group."""
        return cls(**get_all(group, _DATASETS))


def join_true_energies(parts: Sequence[TrueEnergy]) -> TrueEnergy:
    """Nodes of several, one after the other."""
    n_energy = np.cumsum([0, *(one.energy.size for one in parts)])
    n_entry = np.cumsum([0, *(one.index.size for one in parts)])
    ends = [one.indptr[1:] + first for one, first in zip(parts, n_entry[:-1], strict=True)]
    indices = [one.index + first for one, first in zip(parts, n_energy[:-1], strict=True)]
    return TrueEnergy(
        np.concatenate([one.energy for one in parts]),
        np.concatenate([[0], *ends]),
        np.concatenate(indices),
        np.concatenate([one.weight for one in parts]),
    )
