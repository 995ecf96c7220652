"""Which measured energies enter the likelihood."""

from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, Field, NonNegativeInt, model_validator

from skyquilt.config.base import Energy, Section, is_disjoint
from skyquilt.config.units import to_value


def _check_channels(channels: tuple[int, int]) -> tuple[int, int]:
    if not channels[0] < channels[1]:
        raise ValueError(f"{list(channels)}: give [first, last + 1] with first <= last")
    return channels


def _check_edges(edges: tuple[str, ...]) -> tuple[str, ...]:
    values = [to_value(edge, "keV") for edge in edges]
    if not (values[0] > 0 and all(low < high for low, high in pairwise(values))):
        raise ValueError(f"{list(edges)}: energy edges must be above 0 keV and ascend")
    return edges


EnergyEdges = Annotated[tuple[Energy, ...], Field(min_length=2), AfterValidator(_check_edges)]
"""Edges of energy bins, ascending quantities above zero."""


def _values(energies: tuple[str, str]) -> tuple[float, float]:
    low, high = energies
    return to_value(low, "keV"), to_value(high, "keV")


class EnergySelection(Section):
    """Measured-energy channels, by index or by their edges; all when neither is given."""

    channels: (
        Annotated[tuple[NonNegativeInt, NonNegativeInt], AfterValidator(_check_channels)] | None
    ) = None
    """Half-open range of channel numbers: [2, 3] is channel 2 alone."""
    range: Annotated[tuple[Energy, Energy], Field()] | None = None
    """Energies [low, high]; both must be edges of the histogram."""
    sum_channels: bool = False
    """Add the channels before the fit, as cosipy does, instead of fitting them jointly."""

    @model_validator(mode="after")
    def _check_one(self):
        if self.channels is not None and self.range is not None:
            raise ValueError("give `channels` or `range`, not both")
        return self

    def is_disjoint(self, other: "EnergySelection") -> bool:
        """Whether two selections, given in the same way, have no channel in common."""
        if self.channels is not None and other.channels is not None:
            return is_disjoint(self.channels, other.channels)
        if self.range is not None and other.range is not None:
            return is_disjoint(_values(self.range), _values(other.range))
        return False
