"""The neighbourhood of the best position."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from skyquilt.plots.containment import draw_lines, region_pixels
from skyquilt.plots.graticule import draw_graticule
from skyquilt.plots.marks import Marks, draw_marks
from skyquilt.plots.outline import outline
from skyquilt.plots.projection import from_zenithal, zenithal
from skyquilt.plots.skymap import add_colour_bar, draw_image
from skyquilt.plots.style import COLUMN_WIDTH, figure_style, new_figure
from skyquilt.sky.frames import lonlat_to_vec, separation

LEVEL_COLOURS = ("white", "#ff9f1c", "#f15bb5", "#9bf6ff")
"""Colours of the outlines, largest region first; repeated when there are more."""

_HEIGHT = 11.2  # of the figure [cm]
_MAP = (0.17, 0.335, 0.78, 0.592)
_BAR = (0.17, 0.225, 0.78, 0.018)
_N_RASTER = 600
_MAX_HALF_WIDTH = 60.0  # [deg]; wider belongs into the map of the whole sky


@figure_style()
def plot_zoom(
    skymap,
    containment: Iterable[Mapping[str, Any]],
    marks: Marks,
    title: str,
    colormap: str = "viridis",
) -> Figure:
    """TS around the best position with the outline of every containment region.

    Azimuthal equal-area projection, north up, longitude increasing to the left. The patch holds
    the largest region and at least four pixels on each side; the true position, where it
    lies within twice that. The colours are linear in TS.

    Parameters
    ----------
    skymap : SkyMap
        Map with a column "ts".
    containment : iterable of dict
        The summary's `containment`.
    marks : Marks
        Positions in the frame of the map. Without a best position the patch is around the true
        one, or else around the first pixel.
    title : str
        Name of the analysis.
    colormap : str, optional
        Name of a matplotlib colormap.

    Returns
    -------
    Figure
        A figure that belongs to no window and no list of figures.
    """
    regions = [
        (entry, region_pixels(skymap, entry["threshold"]))
        for entry in sorted(containment, key=lambda entry: -entry["level"])
    ]
    centre = _centre(skymap, marks)
    half = _half_width(skymap.nside, regions[0][1], centre, marks)
    figure = new_figure(COLUMN_WIDTH, _HEIGHT)
    axes = figure.add_axes(_MAP, xlim=(-half, half), ylim=(-half, half))
    image = _draw_patch(axes, skymap, centre, half, colormap)
    draw_graticule(axes, centre, half, skymap.frame)
    for number, (entry, ipix) in enumerate(regions):
        colour = LEVEL_COLOURS[number % len(LEVEL_COLOURS)]
        name = f"{100 * entry['level']:g} % containment"
        draw_lines(axes, *_project_edges(skymap.nside, ipix, centre), name, colour)
    draw_marks(axes, marks, lambda lon, lat: zenithal(lonlat_to_vec(lon, lat), centre))
    axes.set_title(f"{title}: TS around the best position")
    add_colour_bar(figure, _BAR, image, "TS")
    figure.legend(loc="lower left", bbox_to_anchor=(0.02, 0.0))
    return figure
