"""Shape of the source on the sky: `shape`, one section per model."""

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, model_validator

from skyquilt.config.base import Section
from skyquilt.config.paths import InputPath
from skyquilt.config.position import Position

_Width = Annotated[PositiveFloat, Field(le=30)]


class Point(Section):
    """A source without extent."""

    model: Literal["point"]


class Disk(Section):
    """Uniform brightness up to a radius."""

    model: Literal["disk"]
    radius: _Width
    """Radius [deg]."""


class Gaussian(Section):
    """Brightness that falls as a Gaussian of the angle from the centre."""

    model: Literal["gaussian"]
    sigma: _Width
    """Standard deviation along any line through the centre [deg]; 39 % are within it."""


class Ring(Section):
    """Uniform brightness between two radii, as of a shell that is seen flat."""

    model: Literal["ring"]
    inner: _Width
    """Inner radius [deg]."""
    outer: _Width
    """Outer radius [deg]."""

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.inner >= self.outer:
            raise ValueError(
                f"inner radius {self.inner:g} deg is not below the outer one, {self.outer:g} deg"
            )
        return self


class EllipticalGaussian(Section):
    """Gaussian with a long and a short axis."""

    model: Literal["elliptical_gaussian"]
    sigma: _Width
    """Standard deviation along the long axis [deg]."""
    ratio: Annotated[float, Field(gt=0, le=1)]
    """Standard deviation along the short axis over that along the long one."""
    angle: Annotated[float, Field(ge=-360, le=360)]
    """Position angle of the long axis, from the north of ICRS to the east [deg]."""


class BrightnessMap(Section):
    """Brightness of a file, a template; it is moved to each direction with its centre there."""

    model: Literal["map"]
    path: InputPath
    """FITS image, or HEALPix table of one column; its integral must be 1."""
    frame: Literal["galactic", "icrs"] | None = None
    """Frame of the pixels, where the header does not say."""
    center: Position | None = None
    """Direction in the map that stands for the source; its centre of brightness when left out."""
    normalise: bool = False
    """Divide by the integral."""


AnalyticShape = Annotated[
    Point | Disk | Gaussian | Ring | EllipticalGaussian, Field(discriminator="model")
]
Shape = Annotated[
    Point | Disk | Gaussian | Ring | EllipticalGaussian | BrightnessMap,
    Field(discriminator="model"),
]
