"""How pixels are fitted and how the sky is cut into chunks."""

from typing import Annotated, Literal, Self, TypedDict

from pydantic import Field, PositiveInt, model_validator

from skyquilt.config.base import Section


class FluxSettings(TypedDict):
    """Fields of `skyquilt.likelihood.options.FluxOptions`."""

    allow_negative: bool
    confidence_level: float | None
    free_background: bool


class FitOptions(Section):
    """Fit of one flux per pixel."""

    allow_negative: bool = False
    """Fit fluxes below zero, as long as the model is negative in no bin, with counts or without."""
    limits: bool = True
    """Errors to both sides and an upper limit for every pixel; false saves their time."""
    confidence_level: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    """Confidence level of the upper limit."""
    background: Literal["fixed", "free"] = "fixed"
    """Whether a factor on the whole background is fitted in each pixel too."""
    chunks: PositiveInt | Literal["auto"] = "auto"
    """Number of chunks: a divisor of the number of pixels; auto follows the estimated work."""

    @property
    def flux_options(self) -> FluxSettings:
        """Fields of `skyquilt.likelihood.options.FluxOptions`."""
        return {
            "allow_negative": self.allow_negative,
            "confidence_level": self.confidence_level if self.limits else None,
            "free_background": self.background == "free",
        }

    @model_validator(mode="after")
    def _check_background(self) -> Self:
        if self.allow_negative and self.background == "free":
            raise ValueError(
                "`allow_negative: true` needs a fixed background: with a free one, fluxes are "
                "fitted from 0 upwards"
            )
        default = type(self).model_fields["confidence_level"].default
        if not self.limits and self.confidence_level != default:
            raise ValueError("`confidence_level` has no effect with `limits: false`: remove it")
        return self
