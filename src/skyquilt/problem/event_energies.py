"""Energies of events one by one, and the nodes of their total."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from skyquilt.io.hdf5 import map_rows, put
from skyquilt.problem.true_energy import TrueEnergy, join_true_energies

if TYPE_CHECKING:
    import h5py


@dataclass(frozen=True, eq=False)
class EventEnergies:
    """What densities at events and their total are made of.

    Attributes
    ----------
    energy : ndarray of float64, shape (n_hit,)
        Energy of each event [keV], without dispersion that of its photon.
    total : TrueEnergy
        Photons of each weight of the total.
    """

    mapped: ClassVar[frozenset[str]] = frozenset({"event_energy"})

    energy: np.ndarray
    total: TrueEnergy

    @cached_property
    def axis(self) -> TrueEnergy:
        """Nodes: the density at each event, then those of the total."""
        return join_true_energies([TrueEnergy.at_energies(np.asarray(self.energy)), self.total])

    def select_events(self, events: np.ndarray) -> "EventEnergies":
        """The same for some of the events; the total stays that of all."""
        return replace(self, energy=np.asarray(self.energy[events]))

    def put(self, group: "h5py.Group") -> None:
        """Write to a group."""
        put(group, "event_energy", self.energy, "keV", "energy of each event")
        self.total.put(group)

    @classmethod
    def get(cls, group: "h5py.Group") -> "EventEnergies":
        """Read from a group; energies of events are mapped."""
        return cls(map_rows(group, "event_energy"), TrueEnergy.get(group))
