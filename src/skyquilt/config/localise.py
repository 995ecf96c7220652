"""What is asked about the position of the source."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from skyquilt.config.base import Nside, Section
from skyquilt.config.position import Position

Level = Annotated[float, Field(gt=0, lt=1)]


def _sort_distinct(levels: tuple[float, ...]) -> tuple[float, ...]:
    if len(set(levels)) < len(levels):
        raise ValueError(f"{list(levels)}: each level once")
    return tuple(sorted(levels))


class LocaliseOptions(Section):
    """Containment and credible regions, and the true position where it is known."""

    levels: Annotated[tuple[Level, ...], Field(min_length=1), AfterValidator(_sort_distinct)] = (
        0.9,
    )
    """Levels of the containment and credible regions, between 0 and 1."""
    prior: Literal["flat", "exposure"] = "flat"
    """Where sources are expected before the data: everywhere alike, or as the exposure."""
    systematic_error: Annotated[float, Field(ge=0, le=30)] | Literal["auto"] = "auto"
    """Standard error of the position along each axis that the posterior allows for, besides the
    statistical one [deg]; auto is 0.09 of the side of the pixels of the response, of an imaging
    instrument 0.1 of its point spread function's 68 % radius (or its pixels, if larger)."""
    max_nside: Nside = 256
    """Largest resolution of skymap.fits, which has one; it follows the finest cells up to this."""
    true_position: Position | None = None
    """Position to compare with and to mark in the plots."""
