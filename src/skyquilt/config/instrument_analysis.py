"""What an instrument is asked: one of its data sets, under one spectrum.

An analysis may have several data sets and several spectra; for each pair of them there is one of
these, of the class of its instrument, so that code of an instrument sees data of its own kind only.
"""

from dataclasses import dataclass
from typing import ClassVar, Generic, Protocol, TypeVar

from skyquilt.config.data import ComptonData
from skyquilt.config.dl3 import Dl3Data
from skyquilt.config.energy import EnergySelection
from skyquilt.config.fit import FitOptions
from skyquilt.config.imaging import ImagingData
from skyquilt.config.imaging_file import ImagingFile
from skyquilt.config.measurement import Instrument
from skyquilt.config.shape import Shape
from skyquilt.config.spectrum import Spectrum


class AnyData(Protocol):
    """What the data of all instruments have in common."""

    @property
    def accept(self) -> tuple[str, ...]:
        """Checks of the data whose objections are warnings."""

    def paths(self) -> tuple[str, ...]:
        """All files the data are read from, each once."""

    def counts_paths(self) -> tuple[str, ...]:
        """Files of counts."""


D = TypeVar("D", bound=AnyData, covariant=True)


@dataclass(frozen=True)
class InstrumentAnalysis(Generic[D]):
    """One data set under one spectrum.

    Attributes
    ----------
    instrument : str
        Kind of instrument, as in the configuration.
    data : ComptonData, ImagingData, ImagingFile or Dl3Data
        The measurement.
    energy : EnergySelection
        Measured energies that enter the likelihood.
    spectrum : Spectrum
        Spectrum of the source.
    shape : Shape
        Shape of the source on the sky.
    fit : FitOptions
        How pixels are fitted.
    """

    instrument: ClassVar[Instrument]
    data: D
    energy: EnergySelection
    spectrum: Spectrum
    shape: Shape
    fit: FitOptions


class ComptonAnalysis(InstrumentAnalysis[ComptonData]):
    """A data set of a Compton telescope under one spectrum."""

    instrument = "compton"


class ImagingAnalysis(InstrumentAnalysis[ImagingData]):
    """A data set of an imaging instrument under one spectrum."""

    instrument = "imaging"


class ImagingFileAnalysis(InstrumentAnalysis[ImagingFile]):
    """A data set of an imaging instrument that is one file, under one spectrum."""

    instrument = "imaging"


class Dl3Analysis(InstrumentAnalysis[Dl3Data]):
    """Event lists with responses by angle from the pointing, under one spectrum."""

    instrument = "imaging"


AnyAnalysis = ComptonAnalysis | ImagingAnalysis | ImagingFileAnalysis | Dl3Analysis
