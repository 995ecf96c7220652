"""A source of a model: position, spectrum, flux, shape."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from skyquilt.config.base import Quantity, Section
from skyquilt.config.model_functions import (
    AnyParameter,
    FreePoint,
    FreeShape,
    FreeSpectrum,
    InUnitOrCurve,
)
from skyquilt.config.model_parameter import Axis, FreeParameter, PlainName
from skyquilt.config.position import Frame, Position
from skyquilt.config.units import to_value

MAX_RANGE = 90.0
"""Farthest that a position may be from its start [deg]."""


def _check_range(text: str) -> str:
    if to_value(text, "deg") > MAX_RANGE:
        raise ValueError(f"{text!r} is above {MAX_RANGE:g} deg: give a smaller range")
    return text


class ModelPosition(Section):
    """Direction of a source: fixed, free within a range, or that of another source."""

    start: Literal["best"] | Position | None = None
    """Where the fit begins: best, that of `localise`, or lon, lat, frame."""
    lon: Annotated[float, Field(ge=-180, le=360)] | None = None
    """Longitude or right ascension [deg]; with `lat` and `frame` instead of `start`."""
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    """Latitude or declination [deg]."""
    frame: Frame | None = None
    """Frame of `lon` and `lat`, by its astropy name."""
    range: (
        Annotated[str, Quantity("deg", is_positive=True), AfterValidator(_check_range)] | None
    ) = None
    """How far it may be from there; it is fixed when left out."""
    per: Axis | None = None
    """A free position for each time bin, or each data set."""
    link: PlainName | None = None
    """Source whose position it has."""

    @model_validator(mode="after")
    def _check(self):
        parts = [key for key in ("lon", "lat", "frame") if getattr(self, key) is not None]
        if parts and len(parts) < 3:
            raise ValueError(f"give `lon`, `lat` and `frame`; given: {', '.join(parts)}")
        if (self.start is not None) + bool(parts) + (self.link is not None) != 1:
            raise ValueError("give one of: `start`; `lon`, `lat` and `frame`; `link`")
        if self.link is not None and (self.range is not None or self.per is not None):
            raise ValueError("`range` and `per` have no effect with `link`: remove them")
        if self.per is not None and self.range is None:
            raise ValueError(f"per: {self.per} has no effect on a fixed position: give a `range`")
        return self

    @property
    def begin(self) -> Position | None:
        """Where the fit begins; None for that of `localise`, or of another source."""
        if isinstance(self.start, Position):
            return self.start
        if self.lon is None or self.lat is None or self.frame is None:
            return None
        return Position(lon=self.lon, lat=self.lat, frame=self.frame)


class ModelSource(Section):
    """A source; its numbers are `{name}.{parameter}`."""

    position: ModelPosition
    """Direction; with a shape, that of its centre."""
    spectrum: FreeSpectrum
    """Photon flux density."""
    flux: Annotated[AnyParameter, InUnitOrCurve("")] = FreeParameter(start=1.0, range=(0.0, None))
    """Factor on the spectrum."""
    shape: FreeShape = FreePoint(model="point")
    """Shape on the sky; the flux is that of the whole."""
