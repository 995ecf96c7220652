"""The measurement of an imaging instrument that is one file: photons, background, response."""

from typing import Annotated

from pydantic import Field, PositiveFloat

from skyquilt.config.accept import CommonCheck, each_once
from skyquilt.config.base import Section
from skyquilt.config.paths import InputPath


class ImagingFile(Section):
    """Binned data of a telescope that makes images, all in one file."""

    file: InputPath
    """FITS file with counts, background, exposure, point spread function and energy dispersion:
    a MapDataset as gammapy writes it, or the HEALPix layout of docs/formats.md."""
    normalise: bool = False
    """Divide the point spread function by its integral."""
    lost_fraction: Annotated[PositiveFloat, Field(le=0.1)] = 1e-3
    """Fraction of a source's photons that may lie outside the radius in which its photons are
    looked for; the radius at each energy follows from it."""
    accept: Annotated[tuple[CommonCheck, ...], each_once] = ()
    """Checks of the data whose objections are warnings."""

    def paths(self) -> tuple[str, ...]:
        """All files the data are read from."""
        return (self.file,)

    def counts_paths(self) -> tuple[str, ...]:
        """Files of photons."""
        return (self.file,)

    @property
    def disjoint_by(self) -> str:
        """What can keep two data sets of one file apart, for messages."""
        return "energies"

    def is_disjoint(self, other: object) -> bool:
        """Whether two data sets are known to have no time or place in common: never known."""
        return False
