"""Simulated data of an instrument that makes images: `simulation` with `instrument: imaging`."""

import math
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    FiniteFloat,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    model_validator,
)

from skyquilt.config.base import Energy, Name, Nside, Quantity, Section
from skyquilt.config.energy import EnergyEdges
from skyquilt.config.light_curve import LightCurve
from skyquilt.config.paths import OutputPath
from skyquilt.config.position import Position
from skyquilt.config.shape import BrightnessMap, Point, Shape
from skyquilt.config.spectrum import Spectrum
from skyquilt.config.units import to_value

MOST_DISPERSION = 1.0
"""Largest width of the energy dispersion, of the logarithm."""
_NORMALISED = 1e-6  # how far probabilities may be off 1 together


def _check_area(text: str) -> str:
    if to_value(text, "cm2") <= 0:
        raise ValueError(f"{text!r} is not above zero: give an area, as in '1 m2'")
    return text


class SimulatedArea(Section):
    """Effective area, ``value (E / pivot)^index``."""

    value: Annotated[str, Quantity("cm2"), AfterValidator(_check_area)] = "1 m2"
    """Effective area at the pivot energy."""
    pivot: Energy = "10 GeV"
    """Energy at which it is given."""
    index: FiniteFloat = 0.0
    """Power of the energy with which it changes."""


class SimulatedPointSpread(Section):
    """Point spread function, of a width ``sigma (E / pivot)^index``."""

    model: Literal["gaussian", "king"] = "king"
    """King's function has a tail, as that of Fermi-LAT."""
    sigma: Annotated[PositiveFloat, Field(le=10)] = 0.3
    """Width at the pivot energy [deg]; along a line through the source for a Gaussian."""
    pivot: Energy = "10 GeV"
    """Energy at which it is given."""
    index: FiniteFloat = -0.3
    """Power of the energy with which it changes; negative: sharper at higher energies."""
    gamma: Annotated[FiniteFloat, Field(gt=1.5, le=100)] = 2.5
    """Steepness of the tail of King's function; the larger, the nearer to a Gaussian."""


class GaussianDispersion(Section):
    """Measured energies around true ones: the logarithm of their ratio is a Gaussian."""

    model: Literal["gaussian"]
    sigma: Annotated[PositiveFloat, Field(le=MOST_DISPERSION)]
    """Standard deviation of the logarithm at the pivot energy: about dE / E."""
    pivot: Energy = "10 GeV"
    """Energy at which it is given."""
    index: FiniteFloat = 0.0
    """Power of the energy with which it changes, up to a width of 1."""
    bias: Annotated[PositiveFloat, Field(ge=0.1, le=10)] = 1.0
    """Median of the measured over the true energy."""


class TableDispersion(Section):
    """Measured over true energy in bins, the same at all energies."""

    model: Literal["table"]
    ratio: Annotated[
        tuple[Annotated[FiniteFloat, Field(ge=0.01, le=100)], ...], Field(min_length=2)
    ]
    """Edges of the bins, ascending."""
    probability: Annotated[tuple[NonNegativeFloat, ...], Field(min_length=1)]
    """Probability of each bin; they add up to 1."""

    @model_validator(mode="after")
    def _check_bins(self) -> Self:
        if len(self.probability) != len(self.ratio) - 1:
            raise ValueError(
                f"{len(self.probability)} probabilities for {len(self.ratio)} edges: allowed is "
                "one for each bin, one less than edges"
            )
        for first, second in pairwise(self.ratio):
            if second <= first:
                raise ValueError(f"ratio: {second:g} is not above {first:g}")
        total = sum(self.probability)
        if abs(total - 1) > _NORMALISED:
            raise ValueError(
                f"probability: the sum is {total:.9g}; it must be 1 to {_NORMALISED:g}"
            )
        return self


Dispersion = Annotated[GaussianDispersion | TableDispersion, Field(discriminator="model")]


class Epoch(Section):
    """A time in which the instrument observes."""

    start: FiniteFloat
    """Start [UNIX s]."""
    stop: FiniteFloat
    """End [UNIX s]."""
    live_fraction: Annotated[PositiveFloat, Field(le=1)] = 1.0
    """Livetime over the length of the epoch."""

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.stop <= self.start:
            raise ValueError(f"stop {self.stop:.9g} s is not after start {self.start:.9g} s")
        return self


class FieldOfView(Section):
    """Part of the sky that is observed; the area falls as 1 - (offset / radius)^2."""

    center: Position
    """Direction of the axis."""
    radius: Annotated[PositiveFloat, Field(le=90)]
    """Offset at which nothing is seen any more [deg]."""


class SimulatedDiffuse(Section):
    """Photons that come from everywhere: a component of the background."""

    spectrum: Spectrum
    """Spectrum of all of its photons, from the whole sky together."""
    latitude_scale: Annotated[PositiveFloat, Field(le=90)] | None = None
    """Isotropic when left out; else brightness falls as exp(-|b| / scale) from the plane of the
    Galaxy [deg]."""


class SimulatedSkySource(Section):
    """A source."""

    position: Position
    """True position, of its centre."""
    spectrum: Spectrum
    """True spectrum, of the whole source."""
    shape: Shape = Point(model="point")
    """True shape."""
    light_curve: LightCurve | None = None
    """Factor on the spectrum as a function of time; 1 when left out."""


class SimulatedImager(Section):
    """Simulated observation of an imaging instrument: events, cubes, exposure, point spread."""

    instrument: Literal["imaging"]
    """Kind of instrument."""
    seed: NonNegativeInt = 1
    """Seed of all random numbers; the same seed gives the same files."""
    folder: OutputPath = "data"
    """Folder of the files."""
    nside: Nside = 64
    """Resolution of the cubes; pixels should be smaller than the point spread function."""
    energy_edges: EnergyEdges = ("10 GeV", "30 GeV", "100 GeV", "300 GeV", "1 TeV")
    """Edges of the energy bands."""
    area: SimulatedArea = SimulatedArea()
    """Effective area."""
    point_spread: SimulatedPointSpread = SimulatedPointSpread()
    """Point spread function."""
    dispersion: Dispersion | None = None
    """Energy dispersion; measured energies are the true ones when left out. With it there is a file
    `dataset.fits` that holds all of it, for analyses with `data: {file: ...}`."""
    epochs: Annotated[tuple[Epoch, ...], Field(min_length=1)] = (
        Epoch(start=1.6e9, stop=1.6e9 + 3.2e7),
    )
    """Times of observation, in order."""
    field: FieldOfView | None = None
    """Field of view; the whole sky, evenly, when left out."""
    background: Annotated[dict[Name, SimulatedDiffuse], Field(min_length=1)]
    """Components of the background by name."""
    sources: dict[Name, SimulatedSkySource] = Field(default_factory=dict)
    """Sources by name."""

    @model_validator(mode="after")
    def _check_epochs(self) -> Self:
        for first, second in pairwise(self.epochs):
            if second.start < first.stop:
                raise ValueError(
                    f"epochs: one starts at {second.start:.9g} s and the one before it ends at "
                    f"{first.stop:.9g} s: give them in order, without overlap"
                )
        return self

    @model_validator(mode="after")
    def _check_dispersion(self) -> Self:
        if not isinstance(self.dispersion, GaussianDispersion):
            return self
        pivot, index = to_value(self.dispersion.pivot, "keV"), self.dispersion.index
        for text in (self.energy_edges[0], self.energy_edges[-1]):
            change = index * math.log(to_value(text, "keV") / pivot)
            if math.log(self.dispersion.sigma) + change > math.log(MOST_DISPERSION) + 1e-9:
                raise ValueError(
                    f"dispersion: sigma {self.dispersion.sigma:g} at {self.dispersion.pivot} with "
                    f"index {index:g} is more than {MOST_DISPERSION:g} at {text}: give a smaller "
                    "sigma, or another index"
                )
        return self

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        if both := self.background.keys() & self.sources.keys():
            raise ValueError(f"{sorted(both)}: names of both a source and a background")
        return self

    def paths(self) -> tuple[str, ...]:
        """Files that are read, each once."""
        shapes = (source.shape for source in self.sources.values())
        return tuple(dict.fromkeys(one.path for one in shapes if isinstance(one, BrightnessMap)))

    def observed(self, source: str) -> tuple[tuple[float, float], ...]:
        """Times in which a source is observed [UNIX s]: all epochs."""
        return tuple((one.start, one.stop) for one in self.epochs)

    @property
    def livetime(self) -> float:
        """Livetime of all epochs [s]."""
        return sum(one.live_fraction * (one.stop - one.start) for one in self.epochs)


def imager_files(simulation: SimulatedImager) -> dict[str, Path]:
    """Files of a simulated imaging instrument by what they hold, relative to its folder.

    Where there are several components of the background, each has a cube of its own beside that
    of all of them.
    """
    names = ["events", "counts", "background", "exposure", "psf"]
    if simulation.dispersion is not None:
        names.append("dataset")
    if len(simulation.background) > 1:
        names += [f"background-{name}" for name in simulation.background]
    return {name: Path(f"{name}.fits") for name in names}
