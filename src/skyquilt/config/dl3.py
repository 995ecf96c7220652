"""The measurement of a Cherenkov telescope: event lists with the responses of their observations.

Responses are those of the format GADF, in the file of the events or beside it.
"""

from os.path import normpath
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, PositiveFloat, model_validator

from skyquilt.config.accept import Dl3Check, each_once
from skyquilt.config.base import Section, is_disjoint
from skyquilt.config.interval import Interval
from skyquilt.config.paths import InputPath
from skyquilt.config.position import Position


def _as_list(paths: object) -> object:
    return (paths,) if isinstance(paths, str) else paths


def _check_once(paths: tuple[str, ...]) -> tuple[str, ...]:
    each = [normpath(path) for path in paths]
    for path in each:
        if each.count(path) > 1:
            raise ValueError(f"{path!r} is there twice: its events would count twice")
    return paths


class Dl3Events(Section):
    """Event lists: one, or one of each observation."""

    path: Annotated[
        tuple[InputPath, ...],
        BeforeValidator(_as_list),
        Field(min_length=1),
        AfterValidator(_check_once),
    ]
    """FITS file with the tables EVENTS and GTI, or a list of such; each is one observation."""


class Dl3Response(Section):
    """Responses that all observations have."""

    path: InputPath
    """FITS file with effective area, energy dispersion and point spread function."""


class Dl3Background(Section):
    """Expected background: the rate in the field of view, times the time of the observation."""

    path: InputPath | None = None
    """FITS file with a table BKG_2D or BKG_3D; the file of the responses when left out."""
    scale: PositiveFloat = 1.0
    """Factor on the rate."""


class FieldRegion(Section):
    """Part of the sky of which events are taken."""

    center: Position
    """Centre of the region."""
    radius: Annotated[PositiveFloat, Field(lt=90)] | None = None
    """Radius of a circle [deg]; or `square`."""
    square: Annotated[PositiveFloat, Field(lt=45)] | None = None
    """Half the width of a square along the axes of the centre's frame [deg]; or `radius`."""

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if (self.radius is None) == (self.square is None):
            raise ValueError("give `radius` of a circle or `square`, half the width of a square")
        return self


class Dl3Data(Section):
    """Event lists with responses by angle from where the telescope points (DL3)."""

    events: Dl3Events
    """Photons one by one."""
    irf: Dl3Response | None = None
    """Responses; those in the file of each event list when left out."""
    background: Dl3Background = Dl3Background()
    """Expected background."""
    region: FieldRegion | None = None
    """Events that are taken; those of the whole field of view when left out."""
    normalise: bool = False
    """Divide the point spread function by its integral."""
    interval: Interval | None = None
    """Time interval [start, stop) of the analysis [UNIX s]: events are cut to it, and responses are
    taken in proportion to the good time; all good times when left out."""
    lost_fraction: Annotated[PositiveFloat, Field(le=0.1)] = 1e-3
    """Fraction of a source's photons that may lie outside the radius in which its photons are
    looked for; the radius at each energy follows from it."""
    accept: Annotated[tuple[Dl3Check, ...], each_once] = ()
    """Checks of the data whose objections are warnings."""

    def response_path(self, events: str) -> str:
        """File of the responses of an event list."""
        return events if self.irf is None else self.irf.path

    def background_path(self, events: str) -> str:
        """File of the background of an event list."""
        own = self.background.path
        return self.response_path(events) if own is None else own

    def paths(self) -> tuple[str, ...]:
        """All files the data are read from, each once."""
        others = (self.irf and self.irf.path, self.background.path)
        return tuple(dict.fromkeys(path for path in (*self.events.path, *others) if path))

    def backgrounds(self) -> dict[str, Dl3Background]:
        """The background, by the name ""."""
        return {"": self.background}

    def counts_paths(self) -> tuple[str, ...]:
        """Files of photons."""
        return self.events.path

    @property
    def disjoint_by(self) -> str:
        """What can keep two data sets of one file apart, for messages."""
        return "intervals or energies"

    def is_disjoint(self, other: object) -> bool:
        """Whether the intervals of two data sets are known to have nothing in common."""
        if not isinstance(other, Dl3Data) or self.interval is None or other.interval is None:
            return False
        return is_disjoint(self.interval, other.interval)
