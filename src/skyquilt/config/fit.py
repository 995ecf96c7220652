"""How pixels are fitted and how the sky is cut into chunks."""

from typing import Literal

from pydantic import PositiveInt

from skyquilt.config.base import Section


class FitOptions(Section):
    """Fit of one flux per pixel."""

    allow_negative: bool = False
    """Fit fluxes below zero, down to where the model stays positive in all bins with counts."""
    chunks: PositiveInt | Literal["auto"] = "auto"
    """Number of chunks: a divisor of the number of pixels; auto follows the estimated work."""
