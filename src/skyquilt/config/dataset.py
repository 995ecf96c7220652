"""One data set of an analysis: instrument, files, energies."""

import os
from typing import Self

from pydantic import model_validator

from skyquilt.config.base import Section
from skyquilt.config.dl3 import Dl3Data
from skyquilt.config.energy import EnergySelection
from skyquilt.config.imaging import ImagingData
from skyquilt.config.imaging_file import ImagingFile
from skyquilt.config.measurement import Data, Instrument
from skyquilt.config.time_bins import TimeBins, check_within


class Dataset(Section):
    """Measurement by one instrument, in one selection of energies."""

    instrument: Instrument = "compton"
    """Kind of instrument; it decides what `data` holds."""
    data: Data
    """The measurement."""
    energy: EnergySelection = EnergySelection()
    """Measured energies that enter the likelihood."""
    time_bins: TimeBins | None = None
    """Time bins of a model, as in `data`."""

    @model_validator(mode="after")
    def _check_time_bins(self) -> Self:
        if self.time_bins is None:
            return self
        if isinstance(self.data, ImagingFile):
            raise ValueError("time_bins: a file of binned data does not say when photons came")
        if isinstance(self.data, Dl3Data):
            raise ValueError(
                "time_bins: event lists with responses by angle from the pointing (DL3) are not "
                "cut into bins: give data sets that each have an `interval`"
            )
        if self.data.time_bins is not None:
            raise ValueError("time_bins stand in the data set and in its `data`: give them once")
        if isinstance(self.data, ImagingData) and self.data.events is None:
            raise ValueError("time_bins cut events, and pixels do not say when their photons came")
        check_within(self.time_bins, self.data.interval)
        return self

    @property
    def all_time_bins(self) -> TimeBins | None:
        """Time bins, wherever they stand; None for one of all times."""
        if self.time_bins is not None or isinstance(self.data, ImagingFile | Dl3Data):
            return self.time_bins
        return self.data.time_bins

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
