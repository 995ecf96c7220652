"""Containment region in the TS map of the whole sky."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from skyquilt.plots.marks import Marks
from skyquilt.plots.projection import mollweide, wrap
from skyquilt.plots.scale import ts_scale
from skyquilt.plots.skymap import add_marks, has_unfitted, new_sky_figure
from skyquilt.plots.style import figure_style
from skyquilt.sky.frames import vec_to_lonlat
from skyquilt.sky.outline import outline
from skyquilt.sky.pixels import nside_to_order
from skyquilt.sky.uniq import to_uniq

_OUTLINE = {
    "linewidth": 0.8,
    "zorder": 2.5,  # between the marks, which are larger than a pixel of most maps
    "solid_joinstyle": "round",
    "path_effects": [withStroke(linewidth=1.7, foreground="black")],
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
    ipix = region_pixels(skymap, containment["threshold"])
    edges = outline(to_uniq(nside_to_order(skymap.nside), ipix))
    draw_lines(figure.axes[0], *_project(edges), describe(containment), "white")
    add_marks(figure, marks, has_unfitted(skymap))
    return figure


def region_pixels(skymap, threshold: float) -> np.ndarray:
    """Nested pixels of a map with TS_max - TS <= threshold."""
    return skymap.ipix[np.nanmax(skymap.ts) - skymap.ts <= threshold]


def describe(containment: Mapping[str, Any]) -> str:
    """Level, area and caveats of a region in one line.

    Examples
    --------
    >>> region = {"level": 0.9, "area_deg2": 13.4, "n_pixels": 1, "n_parts": 1}
    >>> describe(region | {"is_resolved": False, "is_cut": False})
    '90 % region: 13.4 deg² (1 pixel, not resolved)'
    """
    n_pixels, n_parts, area = (containment[key] for key in ("n_pixels", "n_parts", "area_deg2"))
    size = f"{n_pixels} pixel{'s' * (n_pixels > 1)}"
    parts = f" in {n_parts} parts" if n_parts > 1 else ""
    caveat = "" if containment["is_resolved"] else ", not resolved"
    at_least = "at least " if containment["is_cut"] else ""
    number = f"{area:.0f}" if area > 1000 else f"{area:.3g}"
    return (
        f"{100 * containment['level']:g} % region: {at_least}{number} deg² ({size}{parts}{caveat})"
    )


def draw_lines(axes: Axes, x: np.ndarray, y: np.ndarray, label: str, color: str) -> None:
    """Draw lines of shape (n_line, n_point) as one artist with one label; NaN leaves a gap."""
    gap = np.full((len(x), 1), np.nan)
    x, y = (np.concatenate([part, gap], axis=1).ravel() for part in (x, y))
    axes.plot(x, y, color=color, label=label, gid="region", **_OUTLINE)


def _project(edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Edges in the Mollweide map, with a gap where one passes longitude 180."""
    lon, lat = vec_to_lonlat(edges)
    x, y = mollweide(lon, lat)
    is_torn = np.abs(np.diff(wrap(lon), axis=1, prepend=wrap(lon[:, :1]))) > 180
    return np.where(is_torn, np.nan, x), y
