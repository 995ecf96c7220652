"""What is asked about the position of the source."""

from typing import Annotated

from pydantic import AfterValidator, Field

from skyquilt.config.base import Section
from skyquilt.config.position import Position

Level = Annotated[float, Field(gt=0, lt=1)]


def _sort_distinct(levels: tuple[float, ...]) -> tuple[float, ...]:
    if len(set(levels)) < len(levels):
        raise ValueError(f"{list(levels)}: each level once")
    return tuple(sorted(levels))


class LocaliseOptions(Section):
    """Containment regions, and the true position where it is known."""

    levels: Annotated[tuple[Level, ...], Field(min_length=1), AfterValidator(_sort_distinct)] = (
        0.9,
    )
    """Containment levels, between 0 and 1."""
    true_position: Position | None = None
    """Position to compare with and to mark in the plots."""
