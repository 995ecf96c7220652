"""The measurement of an imaging instrument that is one file: photons, background, response."""

from os.path import normpath
from typing import Annotated

from pydantic import Field, PositiveFloat, model_validator

from skyquilt.config.accept import CommonCheck, each_once
from skyquilt.config.background import NAMED, ONE, by_name, components_once, names_no, one_or_named
from skyquilt.config.base import Name, Section
from skyquilt.config.imaging import EnergyUnit, Frame
from skyquilt.config.paths import InputPath


class FileBackground(Section):
    """Expected background counts: those of the file with the data, or of another."""

    path: InputPath | None = None
    """FITS file of a cube with the pixels and bands of the counts; the background in `file` when
    left out."""
    frame: Frame | None = None
    """Frame of the pixels, where the header of `path` does not say."""
    energy_unit: EnergyUnit | None = None
    """Unit of the energies, where the header of `path` does not say."""
    scale: PositiveFloat = 1.0
    """Factor on the expected counts."""

    @model_validator(mode="after")
    def _check_path(self):
        for name in ("frame", "energy_unit"):
            if self.path is None and getattr(self, name) is not None:
                raise ValueError(f"{name} has no effect without `path`: remove it")
        return self


class ImagingFile(Section):
    """Binned data of a telescope that makes images, all in one file."""

    file: InputPath
    """FITS file with counts, background, exposure, point spread function and energy dispersion:
    a MapDataset as gammapy writes it, or the HEALPix layout of docs/formats.md."""
    background: (
        Annotated[
            Annotated[FileBackground, ONE]
            | Annotated[
                dict[Name, FileBackground], names_no(FileBackground), components_once, NAMED
            ],
            one_or_named,
        ]
        | None
    ) = None
    """Expected background, if it is not just that of the file: one, or several components by name,
    which are added."""
    normalise: bool = False
    """Divide the point spread function by its integral."""
    lost_fraction: Annotated[PositiveFloat, Field(le=0.1)] = 1e-3
    """Fraction of a source's photons that may lie outside the radius in which its photons are
    looked for; the radius at each energy follows from it."""
    accept: Annotated[tuple[CommonCheck, ...], each_once] = ()
    """Checks of the data whose objections are warnings."""

    @model_validator(mode="after")
    def _check_own(self):
        for section in self.backgrounds().values():
            if section.path is not None and normpath(section.path) == normpath(self.file):
                raise ValueError(
                    f"the background of {section.path!r}, which is `file`, is taken by a component "
                    "without `path`: remove it"
                )
        return self

    def paths(self) -> tuple[str, ...]:
        """All files the data are read from."""
        paths = (self.file, *(section.path for section in self.backgrounds().values()))
        return tuple(dict.fromkeys(path for path in paths if path is not None))

    def backgrounds(self) -> dict[str, FileBackground]:
        """Components of the background by name; one without a name has the name ""."""
        return by_name(FileBackground() if self.background is None else self.background)

    def counts_paths(self) -> tuple[str, ...]:
        """Files of photons."""
        return (self.file,)

    @property
    def disjoint_by(self) -> str:
        """What can keep two data sets of one file apart, for messages."""
        return "energies"

    def is_disjoint(self, other: object) -> bool:
        """Whether two data sets have no time or part of the sky in common: that is never known."""
        return False
