"""A target: a name and a position that an analysis is asked about."""

import sys
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from skyquilt.config.base import Section
from skyquilt.config.position import Frame, Position
from skyquilt.config.shape import Shape

TargetName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$", max_length=64)]
"""Name of a target, of a profile: part of the name of a file."""


def text_or_keys(settings: Any) -> str:
    """Which of two alternatives is meant, for messages that speak of that one only."""
    return "text" if isinstance(settings, str) else "keys"


_NamedOrShape = Annotated[
    Annotated[TargetName, Tag("text")] | Annotated[Shape, Tag("keys")],
    Discriminator(text_or_keys),
]
_LARGEST = sys.float_info.max
_EQUATORIAL, _ANY = ("ra", "dec"), ("lon", "lat", "frame")


class Target(Section):
    """A target of a roster; further keys are numbers of it."""

    model_config = ConfigDict(
        extra="allow", json_schema_extra={"additionalProperties": {"type": "number"}}
    )

    lon: Annotated[float, Field(ge=-180, le=360)] | None = None
    """Longitude or right ascension [deg]; with `lat` and `frame`."""
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    """Latitude or declination [deg]."""
    frame: Frame | None = None
    """Frame of `lon` and `lat`, by its astropy name; there is no default."""
    ra: Annotated[float, Field(ge=-180, le=360)] | None = None
    """Right ascension [deg, ICRS], with `dec`, in place of `lon`, `lat` and `frame`."""
    dec: Annotated[float, Field(ge=-90, le=90)] | None = None
    """Declination [deg, ICRS]."""
    version: TargetName | None = None
    """What tells this entry from others of the same target, as the paper that weights are of."""
    profile: _NamedOrShape | None = None
    """Shape on the sky, or its name among `profiles`; all of `profiles` when left out."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_texts(cls, settings: Any) -> Any:
        if isinstance(settings, dict):
            for key, value in settings.items():
                if key not in cls.model_fields and not _is_number(value):
                    raise ValueError(
                        f"unknown key {key!r}: a key of your own must be a finite number, as a "
                        f"weight is; keys of a target are {', '.join(cls.model_fields)}"
                    )
        return settings

    @model_validator(mode="after")
    def _check_position(self) -> Self:
        given = [key for key in (*_ANY, *_EQUATORIAL) if getattr(self, key) is not None]
        if given == ["lon", "lat"]:
            raise ValueError(
                "the position has no frame: add `frame: galactic`, `frame: icrs` or another "
                "astropy frame"
            )
        if given not in (list(_ANY), list(_EQUATORIAL)):
            listed = ", ".join(given) or "none"
            raise ValueError(f"give `lon`, `lat` and `frame`, or `ra` and `dec`; given: {listed}")
        return self

    @property
    def position(self) -> Position:
        """Where it is."""
        if self.ra is not None and self.dec is not None:
            return Position(lon=self.ra, lat=self.dec, frame="icrs")
        return Position.model_validate({key: getattr(self, key) for key in _ANY})

    @property
    def numbers(self) -> dict[str, float]:
        """Numbers of it, as weights."""
        return {key: float(value) for key, value in (self.model_extra or {}).items()}


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and -_LARGEST <= value <= _LARGEST
