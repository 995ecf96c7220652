"""The measurement of an imaging instrument: photons, background, exposure, point spread function.

Each file has a section of its own. Where its header does not say a frame or a unit, the section
must; where the header does, the section must not say otherwise.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveFloat, model_validator

from skyquilt.config.accept import ImagingCheck, each_once
from skyquilt.config.background import NAMED, ONE, by_name, components_once, names_no, one_or_named
from skyquilt.config.base import Name, Section, is_disjoint
from skyquilt.config.interval import Interval
from skyquilt.config.paths import InputPath
from skyquilt.config.time_bins import TimeBins, check_within
from skyquilt.config.units import convert_unit


def _check_unit(kind: str) -> AfterValidator:
    """Of the type of a unit's name: it must be of the same kind as `kind`."""

    def check(text: str) -> str:
        try:
            convert_unit(text, kind)
        except ValueError as error:
            raise ValueError(f"{text!r} is not a unit convertible to {kind}") from error
        return text

    return AfterValidator(check)


EnergyUnit = Annotated[str, _check_unit("keV"), Field(description="unit, as keV")]
AngleUnit = Annotated[str, _check_unit("deg"), Field(description="unit, as deg")]
ExposureUnit = Annotated[str, _check_unit("cm2 s"), Field(description="unit, as cm2 s")]
Frame = Literal["galactic", "icrs"]


class EventList(Section):
    """Photons one by one: a FITS table with position, energy and time."""

    path: InputPath
    """FITS file with the tables EVENTS and, if it selects times, GTI."""
    energy_unit: EnergyUnit | None = None
    """Unit of ENERGY, where the header does not say."""


class CountsCube(Section):
    """Photons counted in pixels and energy bands."""

    path: InputPath
    """FITS file: a HEALPix table or images, and EBOUNDS."""
    frame: Frame | None = None
    """Frame of the pixels, where the header does not say."""
    energy_unit: EnergyUnit | None = None
    """Unit of the energies, where the header does not say."""


class BackgroundCube(Section):
    """Expected background counts in pixels and energy bands."""

    path: InputPath
    """FITS file: a HEALPix table or images, and EBOUNDS."""
    frame: Frame | None = None
    """Frame of the pixels, where the header does not say."""
    energy_unit: EnergyUnit | None = None
    """Unit of the energies, where the header does not say."""
    scale: PositiveFloat = 1.0
    """Factor on the expected counts."""


class ExposureCube(Section):
    """Effective area times time, in pixels, at energies."""

    path: InputPath
    """FITS file: a HEALPix table or images, and ENERGIES."""
    frame: Frame | None = None
    """Frame of the pixels, where the header does not say."""
    energy_unit: EnergyUnit | None = None
    """Unit of the energies, where the header does not say."""
    unit: ExposureUnit | None = None
    """Unit of the exposure, where the header does not say."""


class PointSpreadTable(Section):
    """Density of photons over the angle from their source, at energies."""

    path: InputPath
    """FITS file: table PSF and its THETA, as gtpsf writes them."""
    energy_unit: EnergyUnit | None = None
    """Unit of the energies, where the header does not say."""
    angle_unit: AngleUnit | None = None
    """Unit of the angles, where the header does not say."""
    normalise: bool = False
    """Divide by the integral at each energy."""


class ImagingData(Section):
    """Data of a telescope that makes images."""

    events: EventList | None = None
    """Photons one by one; or `counts`."""
    counts: CountsCube | None = None
    """Photons in pixels; or `events`."""
    background: Annotated[
        Annotated[BackgroundCube, ONE]
        | Annotated[dict[Name, BackgroundCube], names_no(BackgroundCube), components_once, NAMED],
        one_or_named,
    ]
    """Expected background: one cube, or several components by name, which are added."""
    exposure: ExposureCube
    """Exposure."""
    psf: PointSpreadTable
    """Point spread function."""
    interval: Interval | None = None
    """Time interval [start, stop) of the analysis [UNIX s]: events are cut to it, and exposure and
    background are taken in proportion to the good time; all good times when left out."""
    time_bins: TimeBins | None = None
    """Time bins of a model, of events; exposure and background are taken in proportion to the good
    time of each. A map takes all of the time."""
    lost_fraction: Annotated[PositiveFloat, Field(le=0.1)] = 1e-3
    """Fraction of a source's photons that may lie outside the radius in which its photons are
    looked for; the radius at each energy follows from it."""
    accept: Annotated[tuple[ImagingCheck, ...], each_once] = ()
    """Checks of the data whose objections are warnings."""

    @model_validator(mode="after")
    def _check_one(self):
        if (self.events is None) == (self.counts is None):
            raise ValueError("give `events` (one by one) or `counts` (in pixels), and not both")
        if self.interval is not None and self.counts is not None:
            raise ValueError(
                "interval cuts events, and pixels do not say when their photons came: give "
                "`events`, or cubes of that time"
            )
        if self.time_bins is not None and self.counts is not None:
            raise ValueError(
                "time_bins cut events, and pixels do not say when their photons came: give `events`"
            )
        check_within(self.time_bins, self.interval)
        return self

    def paths(self) -> tuple[str, ...]:
        """All files the data are read from, each once."""
        backgrounds = self.backgrounds().values()
        sections = (self.events, self.counts, *backgrounds, self.exposure, self.psf)
        return tuple(dict.fromkeys(section.path for section in sections if section is not None))

    def backgrounds(self) -> dict[str, BackgroundCube]:
        """Components of the background by name; one without a name has the name ""."""
        return by_name(self.background)

    def counts_paths(self) -> tuple[str, ...]:
        """Files of photons."""
        return tuple(section.path for section in (self.events, self.counts) if section is not None)

    @property
    def disjoint_by(self) -> str:
        """What can keep two data sets of one file apart, for messages."""
        return "intervals or energies" if self.events is not None else "energies"

    def is_disjoint(self, other: object) -> bool:
        """Whether the intervals of two data sets are known to have nothing in common."""
        if not isinstance(other, ImagingData) or self.interval is None or other.interval is None:
            return False
        return is_disjoint(self.interval, other.interval)
