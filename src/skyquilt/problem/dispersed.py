"""Expectation of photons one by one whose energies are measured with some width.

As that of events without dispersion (`skyquilt.problem.event_wise`), but a photon measured at E_i
may have had several true energies, and the response may change with the angle o from where the
telescope points. With the photons phi_k of each node of true energy a source at p expects

    e_i(p) = sum_o w_o(p) sum_k phi_k A_ok D_ok(E_i) P_ok(angle from p to event i).

For a given spectrum the sum over k is a table of measured energy and angle for each o, so that maps
cost about twice those of events without dispersion, for an angle between two o.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from skyquilt.blocks import SparseBlock
from skyquilt.native import EventSpread, HitEvents, entry_lists, kernels
from skyquilt.problem.buckets import Buckets
from skyquilt.problem.cost import Cost, lists_cost, mean_bins
from skyquilt.problem.datasets import StoredDataset, get_all, mapped_names, put_all
from skyquilt.problem.event_lists import add_lists, interleave
from skyquilt.problem.event_response import EventResponse
from skyquilt.problem.exposed import mark_unexposed
from skyquilt.problem.nodes import ComponentNodes, checked_flux
from skyquilt.problem.offset_grid import OffsetGrid
from skyquilt.problem.profiles import N_COLUMN
from skyquilt.problem.sky_grid import HealpixGrid, get_grid, known_values, put_grid
from skyquilt.problem.true_energy import TrueEnergy
from skyquilt.sky.healpix import check_directions

if TYPE_CHECKING:
    import h5py

    from skyquilt.problem.datasets import GetPart, PutPart

_DATASETS = {
    "direction": StoredDataset("", "unit vectors of the events", is_mapped=True),
    "energy_node": StoredDataset(
        "", "position of each event's energy among the measured ones", is_mapped=True
    ),
    "flux": StoredDataset("cm-2 s-1", "photons of each node of true energy"),
    "reach": StoredDataset("rad", "angle in which photons are sought"),
}

# patterns that a direction is seen by; seconds for an event that is looked at, and one within reach
_PATTERNS, _LOOK, _EVENT = 2, 3e-9, 30e-9


@dataclass(frozen=True, eq=False)
class DispersedEvents:
    """Events in buckets, response of patterns and nodes, weights of patterns over the sky.

    Attributes
    ----------
    direction : ndarray of float64, shape (n_hit, 3)
        Unit vectors of the events, in the order of `buckets`.
    energy_node : ndarray of float64, shape (n_hit,)
        Where the energy of each event lies among the measured ones of the response.
    buckets : Buckets
        The events of each bucket.
    weights : OffsetGrid or HealpixGrid
        Weight of each pattern in a direction.
    response : EventResponse
        Exposure, dispersion and point spread function.
    flux : ndarray of float64, shape (n_node,)
        Photons of each node of true energy of a source of unit flux [ph cm-2 s-1].
    reach : ndarray of float64, shape (n_pattern, n_measured)
        Angle beyond which there is next to nothing [rad], see `EventResponse.reach`.
    most : HealpixGrid, optional
        Largest ratio of expected density to background, see `EventWise`.

    Raises
    ------
    ValueError
        If shapes do not fit, or an energy lies outside.
    """

    kind: ClassVar[str] = "dispersed_events"
    mapped: ClassVar[frozenset[str]] = mapped_names(_DATASETS)

    direction: np.ndarray
    energy_node: np.ndarray
    buckets: Buckets
    weights: OffsetGrid | HealpixGrid
    response: EventResponse
    flux: np.ndarray
    reach: np.ndarray
    most: HealpixGrid | None = None

    def __post_init__(self):
        n, n_pattern = self.buckets.n_item, self.response.n_pattern
        n_measured = len(self.response.measured)
        wanted = {
            "direction": (n, 3),
            "energy_node": (n,),
            "flux": (self.response.axis.n_node,),
            "reach": (n_pattern, n_measured),
        }
        for name, shape in wanted.items():
            if np.shape(getattr(self, name)) != shape:
                raise ValueError(f"{name}: shape {getattr(self, name).shape}, expected {shape}.")
        if self.weights.n_quantity != n_pattern:
            raise ValueError(f"weights: of {self.weights.n_quantity} patterns, not {n_pattern}.")
        node = self.energy_node
        if n and not 0 <= node.min() <= node.max() <= n_measured - 1:
            raise ValueError(f"energy_node: allowed are 0 to {n_measured - 1}.")

    @property
    def n_hit(self) -> int:
        """Number of events."""
        return self.buckets.n_item

    @property
    def entries_per_direction(self) -> float:
        """Estimated events within reach of a direction."""
        return self.n_hit * float(np.sin(self._radius / 2) ** 2)

    @property
    def extent(self) -> float | None:
        """Radius of the field of view [rad]; None where weights are of the sky."""
        return self.weights.radius() if isinstance(self.weights, OffsetGrid) else None

    @property
    def core(self) -> float:
        """Angle within which the narrowest point spread function has 39 % of the photons [rad]."""
        return self.response.core()

    def block(self, directions: np.ndarray) -> SparseBlock:
        """Expected densities for unit flux, and the expected number of events.

        Parameters
        ----------
        directions : ndarray of float64, shape (n, 3)
            Unit vectors in the frame of the events.

        Returns
        -------
        SparseBlock
            All directions are GOOD, but NO_EXPOSURE where the response is not known, or next to
            nothing is exposed.
        """
        directions = check_directions(directions)
        weights, status = known_values(self.weights, directions)
        parts = [
            self._entries(directions, weights, pattern, self._tables(pattern))
            for pattern in np.flatnonzero(weights.any(axis=0)).tolist()
        ]
        total = (weights @ self.response.totals(self.flux)).sum(axis=1)
        status = mark_unexposed(status, total, self._largest_total)
        return SparseBlock(
            *add_lists(parts, len(directions), self.n_hit), total, status, self.n_hit
        )

    @property
    def true_energy(self) -> TrueEnergy:
        """Nodes of true energy, of events as of the total."""
        return self.response.axis

    def nodes(self, directions: np.ndarray) -> ComponentNodes:
        """Expected densities per node of true energy, for unit vectors of shape (n, 3).

        Of each node only the events are listed that its photons may be measured at.
        """
        directions, response = check_directions(directions), self.response
        weights, status = known_values(self.weights, directions)
        n, n_node = len(directions), self.true_energy.n_node
        used = np.flatnonzero(weights.any(axis=0)).tolist()
        is_seen = (response.area > 0) & response.dispersion.any(axis=1)
        lists = []
        for node in range(n_node):
            parts = [
                self._entries(directions, weights, one, response.node_density(one, node))
                for one in used
                if is_seen[one, node]
            ]
            lists.append(add_lists(parts, n, self.n_hit))
        bands = np.einsum("np,bpk,pk->nkb", weights, response.seen, response.area)
        bands = bands.reshape(n * n_node, len(response.seen))
        total = (weights @ response.totals(self.flux)).sum(axis=1)
        patterns = SparseBlock(
            *interleave(lists, n),
            *(bands.sum(axis=1), np.zeros(n * n_node, np.uint8), self.n_hit),
        )
        return ComponentNodes(
            patterns,
            factor=np.ones((n, n_node)),
            component=np.arange(n_node),
            bands=bands,
            status=mark_unexposed(status, total, self._largest_total),
        )

    def with_spectrum(self, flux: np.ndarray) -> "DispersedEvents":
        """The same for a spectrum that has these photons at each node, shape (n_node,)."""
        if self.most is not None:
            raise ValueError("fluxes below zero are bound for the reference spectrum only.")
        return replace(self, flux=checked_flux(flux, self.true_energy.n_node))

    def band_totals(self, directions: np.ndarray) -> np.ndarray:
        """Expected number of events of each band for unit flux, shape (n, n_band)."""
        weights, _ = known_values(self.weights, check_directions(directions))
        return weights @ self.response.totals(self.flux)

    def most_between(self, directions: np.ndarray) -> np.ndarray:
        """Largest ratio of expected counts to background where there are no events, shape (n,).

        0 where it is not known.
        """
        if self.most is None:
            return np.zeros(len(directions))
        return np.nan_to_num(self.most.at(directions)[:, 0])

    def select_bins(self, bins: np.ndarray) -> "DispersedEvents":
        """The same with some of the events; totals stay those of all.

        Parameters
        ----------
        bins : ndarray of int64, shape (n,)
            Numbers of the events to keep, ascending.
        """
        return replace(
            self,
            buckets=self.buckets.select(bins),
            direction=np.asarray(self.direction[bins]),
            energy_node=np.asarray(self.energy_node[bins]),
        )

    def energies(self) -> np.ndarray:
        """Measured energy of each event [keV]."""
        return self.response.energies(np.asarray(self.energy_node))

    def put(self, group: "h5py.Group", put_part: "PutPart") -> None:
        """Write to a group."""
        put_all(group, self, _DATASETS)
        self.buckets.put(group)
        self.response.put(group.create_group("response"))
        _put_weights(group.create_group("weights"), self.weights)
        if self.most is not None:
            about = "largest ratio of expected density to background"
            put_grid(group.create_group("most"), self.most, "", about)

    @classmethod
    def get(cls, group: "h5py.Group", get_part: "GetPart") -> "DispersedEvents":
        """Read from a group; what there is of each event is mapped."""
        return cls(
            **get_all(group, _DATASETS),
            buckets=Buckets.get(group),
            weights=_get_weights(group["weights"]),
            response=EventResponse.get(group["response"]),
            most=get_grid(group["most"]) if "most" in group else None,
        )

    @property
    def bucket_nside(self) -> int:
        """Resolution of the buckets in which events are looked up."""
        return self.buckets.nside

    def looks(self, directions: np.ndarray) -> float:
        """Events that are looked at for a direction, in the mean over some."""
        near = self.buckets.near(directions, self._radius)
        return float(np.mean(near.sum_over_items(np.arange(self.n_hit + 1))))

    def cost(self, directions: np.ndarray, nside: int) -> Cost:
        """Cost of a direction, from some in the frame of the problem, for a map of `nside`."""
        n_bins, looks = mean_bins(self.block(directions).indptr), self.looks(directions)
        seconds = _PATTERNS * (looks * _LOOK + n_bins * _EVENT)
        return lists_cost(n_bins, seconds, self.bucket_nside, nside)

    def _entries(
        self, directions: np.ndarray, weights: np.ndarray, pattern: int, density: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Lists of the events that directions see by one pattern, and densities there."""
        own = np.flatnonzero(weights[:, pattern])
        near = self.buckets.near(directions[own], self._radius)
        size = int(near.sum_over_items(np.arange(self.n_hit + 1)).sum())
        indptr, event = np.zeros(own.size + 1, np.int64), np.empty(size, np.int64)
        values, reach2 = np.empty(size), (2 * np.sin(self.reach[pattern] / 2)) ** 2
        events = HitEvents.of(
            directions=self.direction,
            flux_density=self._guide,
            psf_node=self.energy_node,
            exposure_node=self._first,
        )
        spread = EventSpread.of(
            n_column=N_COLUMN,
            step=float(np.sqrt(2 * np.sin(self.response.angles[-1] / 2)) / (N_COLUMN - 1)),
            most2=float(reach2.max()),
            density=density,
            reach2=reach2,
        )
        end = kernels.event_counts(
            *(own.size, np.ascontiguousarray(directions[own]), near.as_argument(), events, spread),
            *(1, np.ascontiguousarray(weights[own, pattern]), entry_lists(indptr, event, values)),
        )
        length = np.zeros(len(directions), np.int64)
        length[own] = np.diff(indptr)
        return np.append(0, np.cumsum(length)), event[:end], values[:end]

    def _tables(self, pattern: int) -> np.ndarray:
        """Densities of the reference spectrum."""
        if pattern not in self._known_tables:
            self._known_tables[pattern] = self.response.density(pattern, self.flux)
        return self._known_tables[pattern]

    @cached_property
    def _known_tables(self) -> dict[int, np.ndarray]:
        return {}

    @cached_property
    def _guide(self) -> np.ndarray:
        return self.response.guide(self.energies())

    @cached_property
    def _first(self) -> np.ndarray:
        return np.zeros(self.n_hit)

    @cached_property
    def _radius(self) -> float:
        return float(self.reach.max())

    @cached_property
    def _largest_total(self) -> float:
        totals = self.response.totals(self.flux).sum(axis=1)
        if isinstance(self.weights, HealpixGrid):
            return float(np.max(self.weights.values @ totals, initial=0.0))
        return float(totals.max(initial=0.0))


def _put_weights(group: "h5py.Group", weights: OffsetGrid | HealpixGrid) -> None:
    if isinstance(weights, HealpixGrid):
        put_grid(group, weights, "", "weights of the patterns")
    else:
        group.attrs["kind"] = "offset"
        weights.put(group)


def _get_weights(group: "h5py.Group") -> OffsetGrid | HealpixGrid:
    return OffsetGrid.get(group) if group.attrs["kind"] == "offset" else get_grid(group)
