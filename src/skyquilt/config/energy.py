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
    bands: EnergyEdges | None = None
    """Edges of the bands in which spectra are measured, from the lowest to the highest energy, in
    place of `range`; any energies where photons are taken one by one, edges of the file
    elsewhere. When left out each channel of the data is one, of photons one by one each band of
    their background. Maps are those of all bands together."""
    sum_channels: bool = False
    """Add the channels before the fit, as cosipy does, instead of fitting them jointly."""

    @model_validator(mode="after")
    def _check_one(self):
        if self.channels is not None and self.range is not None:
            raise ValueError("give `channels` or `range`, not both")
        if self.bands is None:
            return self
        for name in ("channels", "range"):
            if getattr(self, name) is not None:
                raise ValueError(f"give `bands` or `{name}`, not both: bands say the energies, too")
        if self.sum_channels and len(self.bands) > 2:
            raise ValueError(
                "`sum_channels` adds all channels to one; give `bands` two edges, or remove one of "
                "the two keys"
            )
        return self

    def limits(self) -> tuple[str, str] | None:
        """Lowest and highest energy, by `range` or `bands`; None if neither is given."""
        return self.range if self.bands is None else (self.bands[0], self.bands[-1])

    def is_disjoint(self, other: "EnergySelection") -> bool:
        """Whether two selections, given in the same way, have no channel in common."""
        if self.channels is not None and other.channels is not None:
            return is_disjoint(self.channels, other.channels)
        mine, others = self.limits(), other.limits()
        if mine is not None and others is not None:
            return is_disjoint(_values(mine), _values(others))
        return False
