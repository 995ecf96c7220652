"""How the flux of a simulated source runs: `light_curve`, a factor on its spectrum."""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, FiniteFloat, NonNegativeFloat, PositiveFloat, model_validator

from skyquilt.config.base import Section


class TableLightCurve(Section):
    """A factor in each of some bins of time, and 0 outside of them."""

    model: Literal["table"]
    edges: Annotated[tuple[FiniteFloat, ...], Field(min_length=2)]
    """Edges of the bins [UNIX s], ascending."""
    factors: Annotated[tuple[NonNegativeFloat, ...], Field(min_length=1)]
    """Factor in each bin, 0 or above."""

    @model_validator(mode="after")
    def _check_bins(self) -> Self:
        if len(self.factors) != len(self.edges) - 1:
            raise ValueError(
                f"{len(self.factors)} factors for {len(self.edges)} edges: allowed is one factor "
                "for each bin, one less than edges"
            )
        for first, second in pairwise(self.edges):
            if second <= first:
                raise ValueError(f"edges: {second:.9g} s is not after {first:.9g} s")
        if not any(self.factors):
            raise ValueError("factors: all are 0; give one above 0, or leave the source out")
        return self


class GaussianLightCurve(Section):
    """A pulse that rises and falls as a Gaussian, on a constant level."""

    model: Literal["gaussian"]
    t0: FiniteFloat
    """Time of the maximum, where the factor is 1 above the level [UNIX s]."""
    sigma: PositiveFloat
    """Standard deviation [s]."""
    level: NonNegativeFloat = 0.0
    """Factor far from the pulse."""


class ExponentialLightCurve(Section):
    """A pulse that sets in at once or rises exponentially, and decays exponentially."""

    model: Literal["exponential"]
    t0: FiniteFloat
    """Time of the maximum, where the factor is 1 above the level [UNIX s]."""
    rise: NonNegativeFloat = 0.0
    """Time in which it rises by a factor e [s]; 0: at once."""
    decay: PositiveFloat
    """Time in which it decays by a factor e [s]."""
    level: NonNegativeFloat = 0.0
    """Factor far from the pulse."""


class PeriodicLightCurve(Section):
    """A sine around 1."""

    model: Literal["periodic"]
    period: PositiveFloat
    """Period [s]."""
    fraction: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Amplitude; the factor runs between 1 minus this and 1 plus this."""
    t0: FiniteFloat = 0.0
    """Time of a maximum [UNIX s]."""


LightCurve = Annotated[
    TableLightCurve | GaussianLightCurve | ExponentialLightCurve | PeriodicLightCurve,
    Field(discriminator="model"),
]
