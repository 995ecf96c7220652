"""Look of the figures."""

from typing import Literal

from skyquilt.config.base import Section


class PlotOptions(Section):
    """Settings of all figures of an analysis."""

    colormap: Literal["viridis", "cividis", "inferno", "magma", "plasma"] = "viridis"
    """Colours of the maps: matplotlib's perceptually uniform ones, safe for colour blindness."""
