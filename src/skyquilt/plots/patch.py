"""Maps of a part of the sky, as large as the part is."""

from typing import NamedTuple

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch as Area

from skyquilt.maps.skymap import SkyMap
from skyquilt.maps.source_positions import SourcePositions
from skyquilt.plots.graticule import draw_graticule
from skyquilt.plots.marks import Marks, draw_marks
from skyquilt.plots.projection import from_zenithal, zenithal
from skyquilt.plots.regions import OutlinedRegion, draw_region
from skyquilt.plots.scale import extension, ts_scale
from skyquilt.plots.skymap import FADED, add_colour_bar, draw_faded, draw_image, with_faded
from skyquilt.plots.sources import draw_sources, project_sources
from skyquilt.plots.style import FULL_WIDTH, UNFITTED, figure_style, new_figure
from skyquilt.sky.frames import lonlat_to_vec
from skyquilt.sky.healpix import nest_to_vec, vec_to_nest

MAX_HALF_WIDTH = 40.0
"""Parts that reach farther from their middle are drawn on the whole sky [deg]."""

# of the figure, from below [cm]: colour bar, map, title; the legend is below the bar
_BAR, _BAR_HEIGHT, _MAP, _TOP = 1.8, 0.25, 3.2, 0.7
_LEFT, _RIGHT, _MAX_HEIGHT = 1.7, 0.4, 13.0
_N_RASTER = 900  # along the longer side
_N_CHARACTERS = 70  # of an entry of the legend: one line, or it would reach the colour bar


class Patch(NamedTuple):
    """Part of the sky in azimuthal equal-area projection.

    Attributes
    ----------
    centre : ndarray of float64, shape (3,)
        Direction of its middle, in the frame of the map.
    half_width, half_height : float
        Half its sides [deg].
    """

    centre: np.ndarray
    half_width: float
    half_height: float


def find_patch(skymap: SkyMap) -> Patch | None:
    """Patch that holds all pixels of a map; None where that is better drawn as a whole sky."""
    if skymap.ipix.size > 12 * skymap.nside**2 / 4:
        return None
    vec = nest_to_vec(skymap.nside, skymap.ipix)
    centre = vec.mean(axis=0)
    length = np.linalg.norm(centre)
    if length < np.cos(np.radians(MAX_HALF_WIDTH)):
        return None
    x, y = zenithal(vec, centre / length)
    margin = np.sqrt(skymap.pixel_area)
    half_width, half_height = np.abs(x).max() + margin, np.abs(y).max() + margin
    if max(half_width, half_height) > MAX_HALF_WIDTH:
        return None
    return Patch(centre / length, float(half_width), float(half_height))


@figure_style()
def plot_ts_patch(
    skymap: SkyMap,
    patch: Patch,
    marks: Marks,
    title: str,
    colormap: str,
    sources: SourcePositions | None = None,
) -> Figure:
    """TS of a part of the sky, best and true position and sources marked.

    Parameters
    ----------
    skymap : SkyMap
        Map with a column "ts".
    patch : Patch
        What to draw, see `find_patch`.
    marks : Marks
        Positions in the frame of the map.
    title : str
        Name of the analysis.
    colormap : str
        Name of a matplotlib colormap.
    sources : SourcePositions, optional
        Sources of sources.fits.

    Returns
    -------
    Figure
        A figure that belongs to no window and no list of figures.
    """
    norm = ts_scale(skymap.ts)
    return draw_patch(skymap, "ts", patch, marks, norm, "TS", f"{title}: TS", colormap, sources)


def draw_patch(
    skymap: SkyMap,
    name: str,
    patch: Patch,
    marks: Marks,
    norm: Normalize,
    label: str,
    title: str,
    colormap: str,
    sources: SourcePositions | None = None,
    region: OutlinedRegion | None = None,
    is_faded: np.ndarray | None = None,
) -> Figure:
    """Figure of one column of a part of the sky; its first axes hold the map, then the colour bar.

    Parameters
    ----------
    name : str
        Column.
    norm : Normalize
        Colour scale.
    label, title : str
        Text of the colour bar, and above the map.
    region : OutlinedRegion, optional
        Region to outline, in the frame of the map.
    is_faded : ndarray of bool, shape (n,), optional
        Pixels whose values mean little, see `draw_faded`.
    skymap, patch, marks, colormap, sources
        See `plot_ts_patch`.
    """
    figure, bar = _new_figure(patch)
    axes, (width, height) = figure.axes[0], patch[1:]
    axes.set(xlim=(-width, width), ylim=(-height, height))
    extent = (-width, width, -height, height)
    image = draw_image(axes, _raster(skymap, name, patch), extent, norm, colormap)
    if is_faded is not None:
        draw_faded(axes, image, _raster(with_faded(skymap, is_faded), FADED, patch))
    draw_graticule(axes, patch.centre, width, skymap.frame, height)

    def project(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return zenithal(lonlat_to_vec(lon, lat), patch.centre)

    if sources is not None:
        draw_sources(axes, *project_sources(sources, skymap.frame, project))
    if region is not None:
        draw_region(axes, *zenithal(region.edges, patch.centre), region, "white", _N_CHARACTERS)
    draw_marks(axes, marks, project)
    axes.set_title(title)
    add_colour_bar(figure, bar, image, label, extension(skymap.columns[name], norm))
    handles, _ = axes.get_legend_handles_labels()
    handles.append(Area(facecolor=UNFITTED, label="not fitted"))
    n_column = -(-len(handles) // 2)  # two rows, which a narrow figure holds
    figure.legend(handles=handles, loc="lower center", ncols=n_column, columnspacing=1.5)
    return figure


def _new_figure(patch: Patch) -> tuple[Figure, tuple]:
    """Figure whose axes have the shape of a patch, and the box of the colour bar."""
    widest = FULL_WIDTH - _LEFT - _RIGHT
    scale = min(widest / patch.half_width, _MAX_HEIGHT / patch.half_height)
    width, tall = scale * patch.half_width, scale * patch.half_height
    height = _MAP + tall + _TOP
    figure = new_figure(FULL_WIDTH, height)
    left = (_LEFT + (widest - width) / 2) / FULL_WIDTH
    figure.add_axes((left, _MAP / height, width / FULL_WIDTH, tall / height))
    return figure, (left, _BAR / height, width / FULL_WIDTH, _BAR_HEIGHT / height)


def _raster(skymap: SkyMap, name: str, patch: Patch) -> np.ndarray:
    """Values at the raster points: those of the pixels they lie in."""
    longest = max(patch.half_width, patch.half_height)
    x, y = (
        half * ((np.arange(n) + 0.5) / n * 2 - 1)
        for half in (patch.half_width, patch.half_height)
        for n in [max(2, round(_N_RASTER * half / longest))]
    )
    vec = from_zenithal(*np.meshgrid(x, y), patch.centre).reshape(-1, 3)
    return skymap.sample(name, vec_to_nest(skymap.nside, vec)).reshape(y.size, x.size)
