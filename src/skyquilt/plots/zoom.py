"""The neighbourhood of the best position."""

from collections.abc import Callable, Iterable
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.skymap import SkyMap
from skyquilt.maps.source_positions import SourcePositions
from skyquilt.plots.graticule import draw_graticule
from skyquilt.plots.marks import Marks, draw_marks
from skyquilt.plots.projection import from_zenithal, zenithal
from skyquilt.plots.regions import OutlinedRegion, draw_region, label_region
from skyquilt.plots.skymap import add_colour_bar, draw_image
from skyquilt.plots.sources import draw_sources, project_sources
from skyquilt.plots.style import COLUMN_WIDTH, figure_style, new_figure
from skyquilt.sky.frames import lonlat_to_vec, rotate, rotation, separation
from skyquilt.sky.healpix import nest_to_vec, vec_to_nest

LEVEL_COLOURS = ("white", "#ff9f1c", "#f15bb5", "#9bf6ff")
"""Colours of the outlines, largest region first; repeated when there are more."""

# of the figure, from below [cm]: each line of the legend, then colour bar and map
_LINE, _BAR, _BAR_HEIGHT, _MAP, _TOP = 0.42, 0.95, 0.22, 2.3, 0.7
_LEFT, _SIDE = 1.7, 6.2
_N_RASTER = 600
_N_CHARACTERS = 54  # of a line of the legend
_MAX_HALF_WIDTH = 60.0  # [deg]; wider belongs into the map of the whole sky


@figure_style()
def plot_zoom(
    skymap: SkyMap,
    cells: MultiOrderMap,
    regions: Iterable[OutlinedRegion],
    marks: Marks,
    title: str,
    colormap: str = "viridis",
    sources: SourcePositions | None = None,
) -> Figure:
    """TS around the best position with the outline of every region.

    Azimuthal equal-area projection, north up, longitude increasing to the left. The patch holds
    the regions and at least four of the smallest cells on each side; the true position, where it
    lies within twice that. The colours are linear in TS.

    Parameters
    ----------
    skymap : SkyMap
        Map with a column "ts".
    cells : MultiOrderMap
        The refined map, with a column "ts"; drawn where it is finer.
    regions : iterable of OutlinedRegion
        Regions in the frame of the map, largest first.
    marks : Marks
        Positions in the frame of the map. Without a best position the patch is around the true
        one, or else around the first pixel.
    title : str
        Name of the analysis.
    colormap : str, optional
        Name of a matplotlib colormap.
    sources : SourcePositions, optional
        Sources of sources.fits; those within the patch are marked.

    Returns
    -------
    Figure
        A figure that belongs to no window and no list of figures.
    """
    regions = list(regions)
    centre = _centre(skymap, marks)
    half = _half_width(cells, regions, centre, marks)

    def project(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return zenithal(lonlat_to_vec(lon, lat), centre)

    x_source, y_source = _find_sources(sources, skymap.frame, project, half)
    n_lines = (marks.best is not None) + (marks.true is not None)
    n_lines += bool(np.isfinite(x_source).any())
    n_lines += sum(label_region(region, _N_CHARACTERS).count("\n") + 1 for region in regions)
    figure, bar = _new_figure(n_lines)
    axes = figure.axes[0]
    axes.set(xlim=(-half, half), ylim=(-half, half))
    image = _draw_patch(axes, skymap, cells, centre, half, colormap)
    draw_graticule(axes, centre, half, skymap.frame)
    levels = sorted({region.entry["level"] for region in regions}, reverse=True)
    colours = dict(zip(levels, cycle(LEVEL_COLOURS), strict=False))
    for region in regions:
        x, y = _project(region.edges, centre)
        draw_region(axes, x, y, region, colours[region.entry["level"]], _N_CHARACTERS)
    draw_sources(axes, x_source, y_source)
    draw_marks(axes, marks, project)
    axes.set_title(f"{title}: TS around the best position" if marks.best else f"{title}: TS")
    add_colour_bar(figure, bar, image, "TS")
    figure.legend(loc="lower left", bbox_to_anchor=(0.02, 0.0))
    return figure


def _new_figure(n_lines: int) -> tuple[Figure, tuple]:
    """Figure with square axes, and the box of the colour bar, above a legend of `n_lines`."""
    legend = n_lines * _LINE
    height = legend + _MAP + _SIDE + _TOP
    figure = new_figure(COLUMN_WIDTH, height)
    left, width = _LEFT / COLUMN_WIDTH, _SIDE / COLUMN_WIDTH
    figure.add_axes((left, (legend + _MAP) / height, width, _SIDE / height))
    return figure, (left, (legend + _BAR) / height, width, _BAR_HEIGHT / height)


def _centre(skymap: SkyMap, marks: Marks) -> np.ndarray:
    """Direction of the middle of the patch."""
    if known := marks.best or marks.true:
        return lonlat_to_vec(*known)
    return nest_to_vec(skymap.nside, skymap.ipix[:1])[0]


def _half_width(
    cells: MultiOrderMap, regions: list[OutlinedRegion], centre: np.ndarray, marks: Marks
) -> float:
    """Half the side of the patch [deg]."""
    cell = float(np.sqrt(cells.pixel_area.min()))
    is_open = any(len(region.edges) == 0 for region in regions)  # the whole sky
    extents = [separation(region.edges, centre).max(initial=0) for region in regions]
    half = _MAX_HALF_WIDTH if is_open else max(1.2 * max(extents), 4 * cell)
    if marks.true is not None:
        offset = separation(lonlat_to_vec(*marks.true), centre)
        half = max(half, offset + cell) if offset < 2 * half else half
    return float(min(half, _MAX_HALF_WIDTH))


def _find_sources(
    sources: SourcePositions | None, frame: str, project: Callable, half: float
) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the sources, NaN outside the patch."""
    if sources is None:
        return np.empty(0), np.empty(0)
    x, y = project_sources(sources, frame, project)
    is_inside = np.maximum(np.abs(x), np.abs(y)) < half
    return np.where(is_inside, x, np.nan), np.where(is_inside, y, np.nan)


def _draw_patch(
    axes: Axes, skymap: SkyMap, cells: MultiOrderMap, centre: np.ndarray, half: float, colormap: str
) -> AxesImage:
    at = (np.arange(_N_RASTER) + 0.5) / _N_RASTER * 2 * half - half
    vec = from_zenithal(*np.meshgrid(at, at), centre).reshape(-1, 3)
    ts = _sample_finest(skymap, cells, vec).reshape(_N_RASTER, _N_RASTER)
    low, high = np.nanmin(ts), np.nanmax(ts)
    norm = Normalize(low, high if high > low else low + 1)
    return draw_image(axes, ts, (-half, half, -half, half), norm, colormap)


def _sample_finest(skymap: SkyMap, cells: MultiOrderMap, vec: np.ndarray) -> np.ndarray:
    """TS of directions in the frame of the map, from whichever of both maps is finer there."""
    index = cells.find(rotate(rotation(skymap.frame, cells.frame), vec))
    is_finer = (index >= 0) & (cells.pixel_area[index] <= skymap.pixel_area * (1 + 1e-9))
    flat = skymap.sample("ts", vec_to_nest(skymap.nside, vec))
    return np.where(is_finer, cells.ts[index], flat)


def _project(edges: np.ndarray, centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y = zenithal(edges.reshape(-1, 3), centre)
    # what lies behind the patch would be drawn across it at the antipode
    is_near = np.hypot(x, y) < 2 * _MAX_HALF_WIDTH
    x, y = np.where(is_near, x, np.nan), np.where(is_near, y, np.nan)
    return x.reshape(edges.shape[:-1]), y.reshape(edges.shape[:-1])
