"""How the flux of a source is fitted, in one object that goes from the plan to the kernels."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FluxOptions:
    """What is fitted in each pixel.

    Attributes
    ----------
    allow_negative : bool
        Fit below zero too, as long as the model is not negative in any of the hit bins, with
        counts or without: all bins that a source may be seen in must be among them, or the fit
        takes more than there is from those that are not. AT_BOUND where a bin ends up with nothing.
    confidence_level : float or None
        Of the upper limit. Without it there are neither limits nor errors to both sides: they are
        NaN.
    free_background : bool
        Fit a common factor on the background too: TS compares the best pairs of flux and factor
        with and without a source, and errors and limits are those of the profile likelihood. It
        needs the background's total over all bins.

    Raises
    ------
    ValueError
        If the confidence level is not within 0.5 and 1, or fluxes below zero are asked for with a
        free background.
    """

    allow_negative: bool = False
    confidence_level: float | None = None
    free_background: bool = False

    def __post_init__(self):
        level = self.confidence_level
        if level is not None and not 0.5 < level < 1:
            raise ValueError(f"confidence level {level}: allowed is above 0.5, below 1.")
        if self.allow_negative and self.free_background:
            raise ValueError("fluxes below zero need a fixed background.")

    @property
    def has_limits(self) -> bool:
        """Whether there are errors to both sides and limits."""
        return self.confidence_level is not None


DEFAULT = FluxOptions()
"""Fluxes of 0 and more over the background as it is, without limits."""
