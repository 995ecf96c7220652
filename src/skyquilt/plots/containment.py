"""Containment region in the TS map of the whole sky."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from skyquilt.plots.marks import Marks
from skyquilt.plots.outline import outline
from skyquilt.plots.projection import mollweide
from skyquilt.plots.scale import ts_scale
from skyquilt.plots.skymap import add_marks, has_unfitted, new_sky_figure
from skyquilt.plots.style import figure_style
from skyquilt.sky.frames import vec_to_lonlat

OUTLINE = {
    "linewidth": 1.1,
    "solid_joinstyle": "round",
    "path_effects": [withStroke(linewidth=2.2, foreground="black")],
}


@figure_style()
def plot_containment(
    skymap, containment: Mapping[str, Any], marks: Marks, title: str, colormap: str = "viridis"
) -> Figure:
    """TS map with the outline of one containment region and its area.

    The outline follows the pixels' edges: a contour through interpolated values would show a
    shape that the grid does not hold.

    Parameters
    ----------
    skymap : SkyMap
        Map with a column "ts".
    containment : dict
        Entry of the summary's `containment`.
    marks : Marks
        Positions in the frame of the map.
    title : str
        Name of the analysis.
    colormap : str, optional
        Name of a matplotlib colormap.

    Returns
    -------
    Figure
        A figure that belongs to no window and no list of figures.
    """
    name = f"{100 * containment['level']:g} % containment"
    figure = new_sky_figure(skymap, "ts", ts_scale(skymap.ts), "TS", f"{title}: {name}", colormap)
    edges = outline(skymap.nside, region_pixels(skymap, containment["threshold"]))
    draw_outline(figure.axes[0], edges, name)
    add_marks(figure, marks, has_unfitted(skymap))
    figure.text(0.985, 0.015, describe(containment), ha="right", va="bottom", fontsize=7.5)
    return figure


def region_pixels(skymap, threshold: float) -> np.ndarray:
    """Nested pixels of a map with TS_max - TS <= threshold."""
    return skymap.ipix[np.nanmax(skymap.ts) - skymap.ts <= threshold]


def describe(containment: Mapping[str, Any]) -> str:
    """Level, area and caveats of a region in two or three lines.

    Examples
    --------
    >>> region = {"level": 0.9, "area_deg2": 13.4, "n_pixels": 1, "n_parts": 1}
    >>> print(describe(region | {"is_resolved": False, "is_cut": False}))
    90 % containment: 13.4 deg²
    1 pixel (not resolved)
    """
    n_pixels, n_parts = containment["n_pixels"], containment["n_parts"]
    at_least = "at least " if containment["is_cut"] else ""
    pixels = f"{n_pixels} pixel{'s' * (n_pixels > 1)}"
    parts = f" in {n_parts} parts" if n_parts > 1 else ""
    caveat = "" if containment["is_resolved"] else " (not resolved)"
    return (
        f"{100 * containment['level']:g} % containment: {at_least}"
        f"{containment['area_deg2']:.3g} deg²\n{pixels}{parts}{caveat}"
    )


def draw_outline(axes: Axes, edges: np.ndarray, name: str, color: str = "white") -> None:
    """Draw edges of unit vectors, shape (n_edge, n_point, 3), into a Mollweide map."""
    lon, lat = vec_to_lonlat(edges)
    x, y = mollweide(lon, lat)
    # an edge that passes longitude 180 would be drawn across the whole map
    jumps = np.abs(np.diff(x, axis=1, prepend=x[:, :1])) > 1
    draw_lines(axes, np.where(jumps, np.nan, x), y, name, color)


def draw_lines(axes: Axes, x: np.ndarray, y: np.ndarray, name: str, color: str) -> None:
    """Draw the lines of shape (n_line, n_point) as one artist."""
    gap = np.full((len(x), 1), np.nan)
    x, y = (np.concatenate([part, gap], axis=1).ravel() for part in (x, y))
    axes.plot(x, y, color=color, gid=name, **OUTLINE)
