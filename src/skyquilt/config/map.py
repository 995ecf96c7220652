"""The pixels to fit: resolution, frame and region of the map."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, PositiveFloat, Tag

from skyquilt.config.base import Nside, Section
from skyquilt.config.position import Position


class Cone(Section):
    """All pixels whose centre lies within `radius` of `center`."""

    center: Position
    """Centre of the cone."""
    radius: Annotated[PositiveFloat, Field(le=180)]
    """Radius [deg]."""


class Polygon(Section):
    """All pixels whose centre lies in a convex polygon of great circles."""

    vertices: Annotated[tuple[Position, ...], Field(min_length=3)]
    """Corners in order."""


class PixelList(Section):
    """Pixels by number."""

    pixels: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]
    """Pixel numbers at the map's nside, in the map's ordering and frame."""


def _region_kind(region: Any) -> str | None:
    """Kind of a region, known by one of its keys."""
    keys = region if isinstance(region, dict) else getattr(type(region), "model_fields", ())
    kinds = {"center": "cone", "vertices": "polygon", "pixels": "list"}
    return next((kind for key, kind in kinds.items() if key in keys), None)


Region = Annotated[
    Annotated[Cone, Tag("cone")]
    | Annotated[Polygon, Tag("polygon")]
    | Annotated[PixelList, Tag("list")],
    Discriminator(
        _region_kind,
        custom_error_type="region",
        custom_error_message="give `center` and `radius`, or `vertices`, or `pixels`",
    ),
]


class MapGrid(Section):
    """HEALPix grid of the map."""

    nside: Nside = 16
    """Resolution: a power of two; the map has 12 nside^2 pixels."""
    ordering: Literal["nested", "ring"] = "nested"
    """Ordering of the pixels in maps.fits."""
    frame: Literal["galactic", "icrs"] = "galactic"
    """Frame of the grid."""
    region: Region | None = None
    """Part of the sky to fit; the whole sky when left out."""
