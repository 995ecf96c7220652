"""Expectation of photons that are known one by one, each with its position and energy.

The bins are infinitely small around each event, so expected counts and background are densities,
per solid angle and energy: the fit needs only their ratio. A source of unit flux at p expects

    e_i(p) = dN/dE(E_i)  exposure(p, E_i)  PSF(angle from p to event i, E_i).

Only events within the reach of the point spread function see a direction.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from skyquilt.blocks import SparseBlock
from skyquilt.native import EventSpread, HitEvents, entry_lists, kernels
from skyquilt.problem.buckets import Buckets
from skyquilt.problem.cost import Cost, lists_cost, mean_bins
from skyquilt.problem.datasets import (
    StoredDataset,
    get_all,
    get_optional,
    mapped_names,
    put_all,
    put_optional,
)
from skyquilt.problem.event_density import EventDensity
from skyquilt.problem.event_energies import EventEnergies
from skyquilt.problem.exposed import mark_unexposed
from skyquilt.problem.extent import exposed_extent
from skyquilt.problem.nodes import EventNodes, checked_flux, kept_nodes
from skyquilt.problem.profiles import Profiles, tabulate
from skyquilt.problem.sky_grid import HealpixGrid, get_grid, known_values, put_grid
from skyquilt.problem.true_energy import TrueEnergy
from skyquilt.sky.healpix import check_directions

if TYPE_CHECKING:
    import h5py

    from skyquilt.problem.datasets import GetPart, PutPart

_DATASETS = {
    "direction": StoredDataset("", "unit vectors of the events", is_mapped=True),
    "flux_density": StoredDataset(
        "cm-2 s-1 keV-1", "reference spectrum at the energy of each event", is_mapped=True
    ),
    "psf_node": StoredDataset(
        "", "position of each event's energy among those of the profiles", is_mapped=True
    ),
    "exposure_node": StoredDataset(
        "", "position of each event's energy among those of the exposure", is_mapped=True
    ),
    "total_weight": StoredDataset("cm-2 s-1", "expected counts per exposure at each energy"),
    "band_weight": StoredDataset("cm-2 s-1", "the same of each band of measured energy"),
    "theta": StoredDataset("rad", "angles of the profiles"),
    "profile": StoredDataset("sr-1", "point spread function at each of its energies"),
}

# seconds for an event that is looked at, and one within reach; see benchmarks/time_plan.py
_LOOK, _EVENT = 3e-9, 30e-9


@dataclass(frozen=True, eq=False)
class EventWise:
    """Events in buckets, exposure over the sky, point spread function; both at some energies.

    Attributes
    ----------
    direction : ndarray of float64, shape (n_hit, 3)
        Unit vectors of the events, in the order of `buckets`.
    flux_density : ndarray of float64, shape (n_hit,)
        Reference spectrum at the energy of each event [ph cm-2 s-1 keV-1].
    psf_node, exposure_node : ndarray of float64, shape (n_hit,)
        Where the energy of each event lies among the energies of the profiles and of the
        exposure: 2.3 is 0.7 times number 2 plus 0.3 times number 3.
    buckets : Buckets
        The events of each bucket.
    exposure : HealpixGrid
        Effective area times time [cm2 s] at each energy.
    total_weight : ndarray of float64, shape (n_energy,)
        Expected counts over all positions and energies per exposure at each energy [cm-2 s-1].
    theta : ndarray of float64, shape (n_theta,)
        Angles of the profiles [rad].
    profile : ndarray of float64, shape (n_profile, n_theta)
        Point spread function [sr-1] at each of its energies.
    lost_fraction : float
        Fraction of the photons beyond the reach of a profile.
    most : HealpixGrid, optional
        Largest ratio of expected density to background, over all positions and energies, of a
        source of unit flux: what bounds fluxes below zero where there are no events.
    density : EventDensity, optional
        What is expected at other positions and energies: of a problem that skies are drawn from.
    by_energy : EventEnergies, optional
        Energies of the events, and what the weights of the total are made of; kept where the
        spectrum may vary.
    band_weight : ndarray of float64, shape (n_band, n_energy), optional
        As `total_weight`, of the photons of each band of energy; of one band when left out.

    Raises
    ------
    ValueError
        If shapes do not fit, or an energy lies outside those of profiles or exposure.
    """

    kind: ClassVar[str] = "event_wise"
    mapped: ClassVar[frozenset[str]] = mapped_names(_DATASETS) | EventEnergies.mapped

    direction: np.ndarray
    flux_density: np.ndarray
    psf_node: np.ndarray
    exposure_node: np.ndarray
    buckets: Buckets
    exposure: HealpixGrid
    total_weight: np.ndarray
    theta: np.ndarray
    profile: np.ndarray
    lost_fraction: float = 1e-3
    most: HealpixGrid | None = None
    density: EventDensity | None = None
    by_energy: EventEnergies | None = None
    band_weight: np.ndarray | None = None

    def __post_init__(self):
        n, n_energy = self.buckets.n_item, self.exposure.n_quantity
        wanted = dict.fromkeys(("flux_density", "psf_node", "exposure_node"), (n,))
        for name, shape in {**wanted, "direction": (n, 3), "total_weight": (n_energy,)}.items():
            if np.shape(getattr(self, name)) != shape:
                raise ValueError(f"{name}: shape {getattr(self, name).shape}, expected {shape}.")
        if self.band_weight is not None and self.band_weight.shape[1:] != (n_energy,):
            raise ValueError(
                f"band_weight: shape {self.band_weight.shape}, expected (n, {n_energy})."
            )
        for name, n_node in (("psf_node", len(self.profile)), ("exposure_node", n_energy)):
            node = getattr(self, name)
            if n and not 0 <= node.min() <= node.max() <= n_node - 1:
                raise ValueError(f"{name}: allowed are 0 to {n_node - 1}.")

    @property
    def n_hit(self) -> int:
        """Number of events."""
        return self.buckets.n_item

    @property
    def entries_per_direction(self) -> float:
        """Estimated events within reach of a direction."""
        return self.n_hit * float(np.sin(self._profiles.reach.max() / 2) ** 2)

    @property
    def extent(self) -> float | None:
        """Angle from the middle of the exposure to its end [rad]; None if it is all around."""
        return exposed_extent(self.exposure)

    @property
    def core(self) -> float:
        """Angle within which the narrowest point spread function has 39 % of the photons [rad]."""
        return tabulate(self.theta, self.profile, 1e-3).core

    def block(self, directions: np.ndarray) -> SparseBlock:
        """Expected densities for unit flux, and the expected number of events.

        Parameters
        ----------
        directions : ndarray of float64, shape (n, 3)
            Unit vectors in the frame of the events.

        Returns
        -------
        SparseBlock
            All directions are GOOD, but NO_EXPOSURE where the exposure is not known, or next to
            nothing.
        """
        directions, psf = check_directions(directions), self._profiles
        exposure, status = known_values(self.exposure, directions)
        near = self.buckets.near(directions, float(psf.reach.max()))
        size = int(near.sum_over_items(np.arange(self.n_hit + 1)).sum())
        n = len(directions)
        indptr, event, density = np.zeros(n + 1, np.int64), np.empty(size, np.int64), np.empty(size)
        reach2 = (2 * np.sin(psf.reach / 2)) ** 2
        events = HitEvents.of(
            directions=self.direction,
            flux_density=self.flux_density,
            psf_node=self.psf_node,
            exposure_node=self.exposure_node,
        )
        spread = EventSpread.of(
            n_column=psf.density.shape[1],
            step=psf.step,
            most2=float(reach2.max()),
            density=psf.density,
            reach2=reach2,
        )
        end = kernels.event_counts(
            *(n, directions, near.as_argument(), events, spread),
            *(exposure.shape[1], exposure, entry_lists(indptr, event, density)),
        )
        total = np.sum(exposure * self.total_weight, axis=1)
        status = mark_unexposed(status, total, self._largest_total)
        return SparseBlock(indptr, event[:end], density[:end], total, status, self.n_hit)

    @property
    def true_energy(self) -> TrueEnergy | None:
        """Nodes of true energy: those of the events, then of the total; None if not kept."""
        return None if self.by_energy is None else self.by_energy.axis

    def nodes(self, directions: np.ndarray) -> EventNodes:
        """Expected densities per node of true energy, for unit vectors of shape (n, 3).

        Raises
        ------
        ValueError
            If nodes are not kept.
        """
        own = kept_nodes(self.by_energy, "event list")
        exposure, _ = known_values(self.exposure, check_directions(directions))
        return EventNodes(self._of_one.block(directions), exposure[:, own.quantity], own.band)

    def with_spectrum(self, flux: np.ndarray) -> "EventWise":
        """The same for a spectrum that has these photons at each node, shape (n_node,)."""
        own = kept_nodes(self.by_energy, "event list")
        flux = checked_flux(flux, own.axis.n_node)
        if self.most is not None:
            raise ValueError("fluxes below zero are bound for the reference spectrum only.")
        band_weight = own.band_weight(flux[self.n_hit :], self.exposure.n_quantity)
        return replace(
            self,
            flux_density=flux[: self.n_hit],
            total_weight=band_weight.sum(axis=0),
            band_weight=band_weight,
            density=None,
        )

    def band_totals(self, directions: np.ndarray) -> np.ndarray:
        """Expected number of events of each band for unit flux, shape (n, n_band)."""
        exposure, _ = known_values(self.exposure, check_directions(directions))
        weight = self.total_weight[np.newaxis] if self.band_weight is None else self.band_weight
        return exposure @ weight.T

    def most_between(self, directions: np.ndarray) -> np.ndarray:
        """Largest ratio of expected counts to background where there are no events, shape (n,).

        0 where it is not known.
        """
        if self.most is None:
            return np.zeros(len(directions))
        return np.nan_to_num(self.most.at(directions)[:, 0])

    def select_bins(self, bins: np.ndarray) -> "EventWise":
        """The same with some of the events; totals stay those of all.

        Parameters
        ----------
        bins : ndarray of int64, shape (n,)
            Numbers of the events to keep, ascending.
        """
        return self._with(
            buckets=self.buckets.select(bins),
            direction=np.asarray(self.direction[bins]),
            flux_density=np.asarray(self.flux_density[bins]),
            psf_node=np.asarray(self.psf_node[bins]),
            exposure_node=np.asarray(self.exposure_node[bins]),
            by_energy=self.by_energy and self.by_energy.select_events(bins),
        )

    def with_events(
        self,
        direction: np.ndarray,
        flux_density: np.ndarray,
        psf_node: np.ndarray,
        exposure_node: np.ndarray,
    ) -> tuple["EventWise", np.ndarray]:
        """The same with other events, and the order in which it has them.

        Parameters
        ----------
        direction : ndarray of float64, shape (n, 3)
            Unit vectors in the frame of the problem.
        flux_density, psf_node, exposure_node : ndarray of float64, shape (n,)
            As the attributes.

        Returns
        -------
        EventWise
            The expectation.
        order : ndarray of int64, shape (n,)
            Numbers of the given events, in its order.
        """
        buckets, order = Buckets.sort(self.bucket_nside, direction)
        if self.density is not None:  # many skies will ask for it
            _ = self._profiles
        other = self._with(
            direction=np.ascontiguousarray(direction[order]),
            flux_density=flux_density[order],
            psf_node=psf_node[order],
            exposure_node=exposure_node[order],
            buckets=buckets,
            by_energy=None,
        )
        return other, order

    def put(self, group: "h5py.Group", put_part: "PutPart") -> None:
        """Write to a group."""
        group.attrs["lost_fraction"] = self.lost_fraction
        put_all(group, self, _DATASETS)
        self.buckets.put(group)
        put_grid(group.create_group("exposure"), self.exposure, "cm2 s", "exposure")
        if self.most is not None:
            about = "largest ratio of expected density to background"
            put_grid(group.create_group("most"), self.most, "", about)
        put_optional(group, "density", self.density)
        put_optional(group, "true_energy", self.by_energy)

    @classmethod
    def get(cls, group: "h5py.Group", get_part: "GetPart") -> "EventWise":
        """Read from a group; what there is of each event is mapped."""
        return cls(
            **get_all(group, _DATASETS),
            buckets=Buckets.get(group),
            exposure=get_grid(group["exposure"]),
            lost_fraction=float(group.attrs["lost_fraction"]),
            most=get_grid(group["most"]) if "most" in group else None,
            density=get_optional(group, "density", EventDensity),
            by_energy=get_optional(group, "true_energy", EventEnergies),
        )

    @property
    def reach(self) -> float:
        """Angle from a source within which all of its photons are sought [rad]."""
        return float(self._profiles.reach.max())

    @property
    def bucket_nside(self) -> int:
        """Resolution of the buckets in which events are looked up."""
        return self.buckets.nside

    def looks(self, directions: np.ndarray) -> float:
        """Events that are looked at for a direction, in the mean over some."""
        near = self.buckets.near(directions, float(self._profiles.reach.max()))
        return float(np.mean(near.sum_over_items(np.arange(self.n_hit + 1))))

    def cost(self, directions: np.ndarray, nside: int) -> Cost:
        """Cost of a direction, from some in the frame of the problem, for a map of `nside`."""
        n_bins, looks = mean_bins(self.block(directions).indptr), self.looks(directions)
        return lists_cost(n_bins, looks * _LOOK + n_bins * _EVENT, self.bucket_nside, nside)

    def _with(self, **events: Buckets | np.ndarray | EventEnergies | None) -> "EventWise":
        """The same with other events, and what was found out that does not depend on them."""
        changes: dict[str, Any] = dict(events)
        other = replace(self, **changes)
        known = ("_profiles", "_largest_total")
        other.__dict__.update({key: self.__dict__[key] for key in known if key in self.__dict__})
        return other

    @cached_property
    def _of_one(self) -> "EventWise":
        """The same for a photon flux density of 1 at each event."""
        _ = self._profiles, self._largest_total
        return self._with(flux_density=np.ones(self.n_hit), by_energy=None)

    @cached_property
    def _largest_total(self) -> float:
        return float(np.max(self.exposure.values @ self.total_weight, initial=0.0))

    @cached_property
    def _profiles(self) -> Profiles:
        return tabulate(self.theta, self.profile, self.lost_fraction)
