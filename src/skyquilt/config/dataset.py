"""One data set of an analysis: instrument, files, energies."""

import os

from skyquilt.config.base import Section
from skyquilt.config.energy import EnergySelection
from skyquilt.config.measurement import Data, Instrument


class Dataset(Section):
    """Measurement by one instrument, in one selection of energies."""

    instrument: Instrument = "compton"
    """Kind of instrument; it decides what `data` holds."""
    data: Data
    """The measurement."""
    energy: EnergySelection = EnergySelection()
    """Measured energies that enter the likelihood."""

    def is_disjoint(self, other: "Dataset") -> bool:
        """Whether two data sets are known to have no times or energies in common."""
        return self.data.is_disjoint(other.data) or self.energy.is_disjoint(other.energy)

    def overlap(self, other: "Dataset") -> str | None:
        """A file whose counts both data sets take at the same times and energies, or None."""
        if self.instrument != other.instrument or self.is_disjoint(other):
            return None
        others = [os.path.normpath(path) for path in other.data.counts_paths()]
        shared = (path for path in self.data.counts_paths() if os.path.normpath(path) in others)
        return next(shared, None)
