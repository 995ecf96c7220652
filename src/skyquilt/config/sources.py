"""Which sources a map holds, and with which catalogue to compare them."""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from skyquilt.config.base import Section
from skyquilt.config.paths import InputPath

_Radius = Annotated[PositiveFloat, Field(le=180)]
_ColumnName = Annotated[str, Field(min_length=1)]
_AngleUnit = Literal["deg", "hourangle", "rad"]


class Catalogue(Section):
    """A table of known objects: FITS, ECSV, VOTable, or any other that astropy reads."""

    path: InputPath
    """File, also gzipped."""
    table: str | Annotated[int, Field(ge=0)] | None = None
    """Name or number of the table in a file of several; the first with positions when left out."""
    name: _ColumnName | None = None
    """Column of the objects' names; guessed from common ones when left out."""
    lon: _ColumnName | None = None
    """Column of longitude or right ascension; guessed when left out."""
    lat: _ColumnName | None = None
    """Column of latitude or declination; it goes with `lon`."""
    frame: Literal["galactic", "icrs"] | None = None
    """Frame of `lon` and `lat`; needed with them."""
    lon_unit: _AngleUnit | None = None
    """Unit of longitudes or right ascensions, as `deg` or `hourangle`, where the table does not
    say."""
    lat_unit: _AngleUnit | None = None
    """Unit of latitudes or declinations, where the table does not say; degrees when left out."""
    error: _ColumnName | None = None
    """Column of the 95 % error radius or half axis of the positions; none when left out."""
    radius: _Radius = 1.0
    """Largest separation of a counterpart [deg]."""

    @model_validator(mode="after")
    def _check_columns(self):
        given = [key for key in ("lon", "lat", "frame") if getattr(self, key) is not None]
        if given and len(given) < 3:
            raise ValueError(f"give `lon`, `lat` and `frame`, or none of them; given: {given}")
        return self


class SourceOptions(Section):
    """Search for sources in the map."""

    threshold: PositiveFloat = 25.0
    """Least TS of a source."""
    method: Literal["iterative", "peaks"] = "iterative"
    """iterative: sources join the background, strongest first, until no peak is left, and all
    fluxes are fitted together; peaks: all local maxima of the map, each fitted alone."""
    min_separation: _Radius | None = None
    """Least angle between two sources [deg]; one pixel of the map when left out."""
    max_sources: PositiveInt = 1000
    """Most sources to find; the search says when it stops there."""
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,8}$")] = "SQ"
    """Acronym in front of the coordinates in the names, as in SQ J0534+2200."""
    catalogue: Catalogue | None = None
    """Known objects to compare the sources with."""
