"""A region in the TS map."""

import numpy as np
from matplotlib.figure import Figure

from skyquilt.maps.skymap import SkyMap
from skyquilt.plots.marks import Marks
from skyquilt.plots.patch import draw_patch, find_patch
from skyquilt.plots.projection import mollweide, wrap
from skyquilt.plots.regions import OutlinedRegion, draw_region
from skyquilt.plots.scale import ts_scale
from skyquilt.plots.skymap import add_marks, has_unfitted, new_sky_figure
from skyquilt.plots.style import figure_style
from skyquilt.sky.frames import vec_to_lonlat

_N_CHARACTERS = 66  # of a line of the legend, which the colour bar leaves


@figure_style()
def plot_region(
    skymap: SkyMap, region: OutlinedRegion, marks: Marks, title: str, colormap: str = "viridis"
) -> Figure:
    """TS map with the outline of one region and its area.

    The outline follows the cells' edges: a contour through interpolated values would show a
    shape that the grid does not hold.

    Parameters
    ----------
    skymap : SkyMap
        Map with a column "ts".
    region : OutlinedRegion
        Region of the summary, in the frame of the map.
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
    title = f"{title}: {100 * region.entry['level']:g} % {region.kind} region"
    look, patch = (ts_scale(skymap.ts), "TS", title, colormap), find_patch(skymap)
    if patch is not None:
        return draw_patch(skymap, "ts", patch, marks, *look, region=region)
    figure = new_sky_figure(skymap, "ts", *look)
    draw_region(figure.axes[0], *_project(region.edges), region, "white", _N_CHARACTERS)
    add_marks(figure, marks, has_unfitted(skymap))
    return figure


def _project(edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Edges in the Mollweide map, with a gap where one passes longitude 180."""
    lon, lat = vec_to_lonlat(edges)
    x, y = mollweide(lon, lat)
    is_torn = np.abs(np.diff(wrap(lon), axis=1, prepend=wrap(lon[:, :1]))) > 180
    return np.where(is_torn, np.nan, x), y
