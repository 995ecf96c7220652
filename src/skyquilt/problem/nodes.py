"""Expected counts of a block of directions per node of true energy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from skyquilt.blocks import Block, SparseBlock

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Nodes = TypeVar("Nodes")


class NodeBlock(Protocol):
    """Expected counts of a block of directions, linear in the photons of each node."""

    @property
    def n_node(self) -> int:
        """Number of nodes, those of the expectation's `true_energy`."""

    def contract(self, flux: np.ndarray) -> Block:
        """Expected counts of a source that has these photons.

        Parameters
        ----------
        flux : ndarray of float64, shape (n_node,)
            Photon flux of each node, as `TrueEnergy.flux` gives it, or its derivative.
        """

    def band_totals(self, flux: np.ndarray) -> np.ndarray:
        """Expected counts of each band of a source, over all its bins, shape (n, n_band)."""


@dataclass(frozen=True, eq=False)
class ComponentNodes:
    """Nodes that share the patterns of some components, as point spread functions.

    Attributes
    ----------
    block : Block
        Patterns: component c of direction i is at ``i * n_component + c``.
    factor : ndarray of float64, shape (n, n_node)
        Factor of each node, as its exposure [cm2 s] in each direction.
    component : ndarray of int64, shape (n_node,)
        Component of each node.
    bands : ndarray of float64, shape (n * n_component, n_band)
        Totals of the patterns in each band.
    status : ndarray of uint8, shape (n,)
        GOOD, or why there is nothing to fit.
    """

    block: Block
    factor: np.ndarray
    component: np.ndarray
    bands: np.ndarray
    status: np.ndarray

    @property
    def n_node(self) -> int:
        """Number of nodes."""
        return len(self.component)

    def contract(self, flux: np.ndarray) -> Block:
        """Expected counts of a source that has these photons."""
        return self.block.combine(self._weights(flux), self.status)

    def band_totals(self, flux: np.ndarray) -> np.ndarray:
        """Expected counts of each band of a source that has these photons, shape (n, n_band)."""
        return self._weights(flux) @ self.bands

    def _weights(self, flux: np.ndarray) -> "csr_array":
        """Weights of the patterns of each direction."""
        from scipy.sparse import csr_array

        n = len(self.status)
        n_component = len(self.bands) // n if n else int(self.component.max(initial=-1)) + 1
        of_component = np.zeros((self.n_node, n_component))
        of_component[np.arange(self.n_node), self.component] = checked_flux(flux, self.n_node)
        weight = (self.factor @ of_component).ravel()
        ends = n_component * np.arange(n + 1)
        shape = n, n * n_component
        return csr_array((weight, np.arange(weight.size), ends), shape=shape)


@dataclass(frozen=True, eq=False)
class EventNodes:
    """Nodes of events one by one: a density at each event, and nodes of the total.

    Attributes
    ----------
    seen : SparseBlock
        Expected density at each event, for a photon flux density of 1 there.
    exposure : ndarray of float64, shape (n, n_total)
        Expected counts in all for a photon of each node of the total; they come after those of the
        events.
    band : ndarray of int64, shape (n_total,)
        Band of measured energy of each node of the total.
    """

    seen: SparseBlock
    exposure: np.ndarray
    band: np.ndarray

    @property
    def n_node(self) -> int:
        """Number of nodes."""
        return self.seen.n_hit + self.exposure.shape[1]

    def contract(self, flux: np.ndarray) -> SparseBlock:
        """Expected densities, and counts in all, of a source that has these photons."""
        at_event, of_total = np.split(checked_flux(flux, self.n_node), [self.seen.n_hit])
        return self.seen._replace(
            unit_counts=self.seen.unit_counts * at_event[self.seen.bin],
            total=np.sum(self.exposure * of_total, axis=1),
        )

    def band_totals(self, flux: np.ndarray) -> np.ndarray:
        """Expected counts of each band of a source that has these photons, shape (n, n_band)."""
        of_total = checked_flux(flux, self.n_node)[self.seen.n_hit :]
        return (self.exposure * of_total) @ np.eye(self.band.max(initial=0) + 1)[self.band]


@dataclass(frozen=True, eq=False)
class CombinedNodes:
    """Nodes of weighted sums of directions, as those of an extended source.

    Attributes
    ----------
    points : NodeBlock
        Nodes of the directions.
    weights : csr_array of float64, shape (n, n_direction)
        Weights of the directions.
    status : ndarray of uint8, shape (n,)
        Status of the sums.
    """

    points: NodeBlock
    weights: "csr_array"
    status: np.ndarray

    @property
    def n_node(self) -> int:
        """Number of nodes."""
        return self.points.n_node

    def contract(self, flux: np.ndarray) -> Block:
        """Expected counts of a source that has these photons."""
        return self.points.contract(flux).combine(self.weights, self.status)

    def band_totals(self, flux: np.ndarray) -> np.ndarray:
        """Expected counts of each band of a source that has these photons, shape (n, n_band)."""
        return self.weights @ self.points.band_totals(flux)


@dataclass(frozen=True, eq=False)
class JointNodes:
    """Nodes of several data sets, one after the other.

    Attributes
    ----------
    parts : tuple of NodeBlock
        Those of each data set.
    join : callable
        Puts the blocks of the data sets side by side.
    """

    parts: tuple[NodeBlock, ...]
    join: Callable[[Sequence[Block]], Block]

    @property
    def n_node(self) -> int:
        """Number of nodes."""
        return sum(part.n_node for part in self.parts)

    def contract(self, flux: np.ndarray) -> Block:
        """Expected counts of a source that has these photons."""
        own = split_flux(flux, [part.n_node for part in self.parts])
        pairs = zip(self.parts, own, strict=True)
        return self.join([part.contract(one) for part, one in pairs])

    def band_totals(self, flux: np.ndarray) -> np.ndarray:
        """Expected counts of each band of a source that has these photons, shape (n, n_band)."""
        own = split_flux(flux, [part.n_node for part in self.parts])
        pairs = zip(self.parts, own, strict=True)
        return np.hstack([part.band_totals(one) for part, one in pairs])


def checked_flux(flux: np.ndarray, n_node: int) -> np.ndarray:
    """Photons of each node.

    Raises
    ------
    ValueError
        If there is not one number for each node.
    """
    if np.shape(flux) != (n_node,):
        raise ValueError(f"flux {np.shape(flux)}: allowed is one of each of the {n_node} nodes.")
    return np.asarray(flux, np.float64)


def split_flux(flux: np.ndarray, n_nodes: Sequence[int]) -> list[np.ndarray]:
    """Photons of the nodes of several data sets."""
    return np.split(checked_flux(flux, sum(n_nodes)), np.cumsum(n_nodes)[:-1])


def missing_nodes(kind: str) -> ValueError:
    """What is said where nodes are asked for that were not kept."""
    return ValueError(
        f"this {kind} has no nodes of true energy: prepare the problem with them (true_energy)."
    )


def kept_nodes(by_energy: Nodes | None, kind: str) -> Nodes:
    """What an expectation keeps per node of true energy.

    Raises
    ------
    ValueError
        If it keeps nothing.
    """
    if by_energy is None:
        raise missing_nodes(kind)
    return by_energy
