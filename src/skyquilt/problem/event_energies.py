"""Energies of events one by one, and the nodes of their total."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from skyquilt.io.hdf5 import map_rows, put
from skyquilt.problem.datasets import StoredDataset, get_all, put_all
from skyquilt.problem.true_energy import TrueEnergy, join_true_energies

if TYPE_CHECKING:
    import h5py

_DATASETS = {
    "quantity": StoredDataset("", "number of the exposure of each node of the total"),
    "band": StoredDataset("", "band of measured energy of each node of the total"),
}


@dataclass(frozen=True, eq=False)
class EventEnergies:
    """What densities at events and their total are made of.

    Attributes
    ----------
    energy : ndarray of float64, shape (n_hit,)
        Energy of each event [keV], without dispersion that of its photon.
    total : TrueEnergy
        Photons of each node of the total.
    quantity, band : ndarray of int64, shape (n_total,)
        Number of the exposure, and band of measured energy, of each of these nodes.
    """

    mapped: ClassVar[frozenset[str]] = frozenset({"event_energy"})

    energy: np.ndarray
    total: TrueEnergy
    quantity: np.ndarray
    band: np.ndarray

    @cached_property
    def axis(self) -> TrueEnergy:
        """Nodes: the density at each event, then those of the total."""
        return join_true_energies([TrueEnergy.at_energies(np.asarray(self.energy)), self.total])

    def band_weight(self, flux: np.ndarray, n_exposure: int) -> np.ndarray:
        """Weights of the exposures in each band, for photons of the nodes of the total."""
        weight = np.zeros((self.band.max(initial=0) + 1, n_exposure))
        np.add.at(weight, (self.band, self.quantity), flux)
        return weight

    def select_events(self, events: np.ndarray) -> "EventEnergies":
        """The same for some of the events; the total stays that of all."""
        return replace(self, energy=np.asarray(self.energy[events]))

    def put(self, group: "h5py.Group") -> None:
        """Write to a group."""
        put(group, "event_energy", self.energy, "keV", "energy of each event")
        self.total.put(group)
        put_all(group, self, _DATASETS)

    @classmethod
    def get(cls, group: "h5py.Group") -> "EventEnergies":
        """Read from a group; energies of events are mapped."""
        energy, total = map_rows(group, "event_energy"), TrueEnergy.get(group)
        return cls(energy, total, **get_all(group, _DATASETS))
