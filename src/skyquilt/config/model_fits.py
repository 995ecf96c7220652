"""Fits of a model, and the questions that compare them."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt, model_validator

from skyquilt.config.base import Section
from skyquilt.config.model_functions import AnyParameter
from skyquilt.config.model_parameter import Parameter, PlainName, QuantityName


class SampleOptions(Section):
    """Samples of the posterior."""

    ensembles: PositiveInt = 4
    """Ensembles; a job is one of them."""
    walkers: PositiveInt = 32
    """Walkers of each, at least twice the free numbers."""
    steps: PositiveInt = 1000
    """Steps of each walker."""
    burn: Annotated[int, Field(ge=0)] = 200
    """First steps that are left out."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Seed; the same gives the same samples."""
    max_r_hat: Annotated[float, Field(gt=1, allow_inf_nan=False)] = 1.05
    """Largest split R-hat of samples that are taken as converged."""

    @model_validator(mode="after")
    def _check_burn(self):
        if self.burn >= self.steps:
            raise ValueError(f"burn = {self.burn} leaves none of {self.steps} steps: give less")
        return self


class ModelFit(Section):
    """One fit: the model, with some of its parameters replaced."""

    split: Literal["time_bin"] | None = None
    """Fit every time bin by itself, position and all."""
    start_from: str | None = None
    """Fit that is made before, and whose values are where this one begins."""
    set: dict[QuantityName, AnyParameter] = Field(default_factory=dict)
    """Parameters that are otherwise in this fit, by name."""
    parameters: dict[PlainName, Parameter] = Field(default_factory=dict)
    """Numbers of this fit that stand for themselves, for expressions."""
    errors: Literal["curvature", "profile"] = "curvature"
    """Standard errors by the curvature at the maximum; or also to both sides by profiles."""
    profile: tuple[str, ...] = ()
    """Free numbers whose profiles are drawn."""
    sample: SampleOptions | None = None
    """Samples of the posterior; none when left out."""

    @model_validator(mode="after")
    def _check_split(self):
        if self.split is None:
            return self
        for key in ("sample", "profile"):
            if getattr(self, key):
                raise ValueError(f"`{key}` is of a fit of all bins together: `split` has none")
        return self


class Question(Section):
    """A question that is asked of a fit by a second one that differs in one thing."""

    fit: str
    """The fit."""
    constant: QuantityName | None = None
    """Is this number, which has one value per time bin, the same in all of them?"""
    common: PlainName | None = None
    """Is the position of this source, fitted as one, the same in all data sets?"""
    curved: PlainName | None = None
    """Is the spectrum of this source, a power law, curved? It is compared with a log parabola."""

    @model_validator(mode="after")
    def _check_one(self):
        kinds = ("constant", "common", "curved")
        given = [kind for kind in kinds if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(
                f"give one of {', '.join(kinds)}; given: {' and '.join(given) or 'none'}"
            )
        return self
