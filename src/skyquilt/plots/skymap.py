"""Maps of the whole sky in Mollweide projection."""

from dataclasses import replace
from functools import lru_cache
from typing import Any, cast

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Ellipse, Patch, Rectangle
from matplotlib.patheffects import withStroke

from skyquilt.maps.skymap import SkyMap
from skyquilt.maps.source_positions import SourcePositions
from skyquilt.plots.marks import Marks, draw_marks
from skyquilt.plots.projection import from_mollweide, mollweide
from skyquilt.plots.scale import choose_ticks, extension, name_stretch, ts_scale
from skyquilt.plots.sources import draw_sources, project_sources
from skyquilt.plots.style import (
    FRAME_TITLES,
    FULL_WIDTH,
    UNFITTED,
    figure_style,
    format_degrees,
    format_number,
    new_figure,
)

FADED = "faded"
"""Column of pixels whose values mean little, see `with_faded`."""
FAINT_TS = 4.0
"""TS below which the flux of a direction is less than two standard errors above 0."""

_HEIGHT = 10.2  # of the figure [cm]
_MAP = (0.05, 0.175, 0.90, 0.75)  # the ellipse in the figure: twice as wide as high
_BAR = (0.60, 0.125, 0.34, 0.024)
_RASTER = (700, 1400)  # 230 per inch across the page


@figure_style()
def plot_ts_map(
    skymap: SkyMap,
    marks: Marks,
    title: str,
    colormap: str = "viridis",
    sources: SourcePositions | None = None,
) -> Figure:
    """TS of the whole sky, best and true position marked.

    Parameters
    ----------
    skymap : SkyMap
        Map with a column "ts".
    marks : Marks
        Positions in the frame of the map.
    title : str
        Name of the analysis.
    colormap : str, optional
        Name of a matplotlib colormap.
    sources : SourcePositions, optional
        Sources of sources.fits, to mark.

    Returns
    -------
    Figure
        A figure that belongs to no window and no list of figures.
    """
    norm = ts_scale(skymap.ts)
    figure = new_sky_figure(skymap, "ts", norm, "TS", f"{title}: TS", colormap)
    if sources is not None:
        draw_sources(figure.axes[0], *project_sources(sources, skymap.frame, mollweide))
    add_marks(figure, marks, has_unfitted(skymap))
    return figure


def new_sky_figure(
    skymap: SkyMap,
    name: str,
    norm: Normalize,
    label: str,
    title: str,
    colormap: str,
    is_faded: np.ndarray | None = None,
) -> Figure:
    """Figure with one column of a map, graticule, colour bar and title.

    Longitude 0 is in the middle and longitude increases to the left, as seen from inside the
    sphere. Every raster point takes the value of the pixel it lies in; grey is not fitted.

    Parameters
    ----------
    skymap : SkyMap
        Map with the column.
    name : str
        Column.
    norm : Normalize
        Colour scale.
    label, title : str
        Text of the colour bar, and above the map.
    colormap : str
        Name of a matplotlib colormap.
    is_faded : ndarray of bool, shape (n,), optional
        Pixels whose values mean little, see `draw_faded`.

    Returns
    -------
    Figure
        Its first axes hold the map, the second the colour bar.
    """
    figure = new_figure(FULL_WIDTH, _HEIGHT)
    axes = figure.add_axes(_MAP, xlim=(-2, 2), ylim=(-1, 1))
    axes.set_axis_off()
    image = draw_sky(axes, skymap, name, norm, colormap)
    if is_faded is not None:
        draw_faded(axes, image, _raster(with_faded(skymap, is_faded), FADED))
    figure.text(0.5, 0.965, title, ha="center", va="center", fontsize=9)
    figure.text(0.02, 0.965, FRAME_TITLES[skymap.frame], va="center", fontsize=7.5)
    add_colour_bar(figure, _BAR, image, label, extension(skymap.columns[name], norm))
    return figure


def add_marks(figure: Figure, marks: Marks, has_unfitted: bool) -> None:
    """Draw best and true position into a sky figure, and the legend beside the colour bar."""
    axes = figure.axes[0]
    draw_marks(axes, marks, mollweide, clip_on=False)  # whole, also at the edge of the map
    handles, _ = axes.get_legend_handles_labels()
    if has_unfitted:
        handles.append(Patch(facecolor=UNFITTED, label="not fitted"))
    figure.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.005, 0.005))


def has_unfitted(skymap: SkyMap) -> bool:
    """Whether some pixels of the sky have no TS."""
    return skymap.ipix.size < 12 * skymap.nside**2 or bool(np.any(np.isnan(skymap.ts)))


def add_colour_bar(
    figure: Figure, box: tuple, image: AxesImage, label: str, beyond: str = "neither"
) -> None:
    """Horizontal colour bar: label below, stretch above, arrows at the ends named by `beyond`."""
    bar = figure.colorbar(image, cax=figure.add_axes(box), orientation="horizontal", extend=beyond)
    bar.set_label(label, labelpad=2)
    norm = cast("Normalize", image.norm)
    stretch: dict[str, Any] = {"ha": "right", "va": "bottom", "fontsize": 6.5, "color": "0.35"}
    bar.ax.text(1, 1.1, name_stretch(norm), transform=bar.ax.transAxes, **stretch)
    ticks = choose_ticks(norm).tolist()
    bar.set_ticks(ticks, labels=[format_number(tick) for tick in ticks])
    bar.minorticks_off()


def draw_image(axes: Axes, values: np.ndarray, extent: tuple, norm: Normalize, colormap: str):
    """Draw a raster, first row at the bottom, missing values in light grey."""
    return axes.imshow(
        np.ma.masked_invalid(values),
        extent=extent,
        origin="lower",
        norm=norm,
        cmap=colormaps[colormap].with_extremes(bad=UNFITTED),
        interpolation="none",
    )


def with_faded(skymap: SkyMap, is_faded: np.ndarray) -> SkyMap:
    """A map that tells in a column where its values mean little."""
    return replace(skymap, columns=skymap.columns | {FADED: np.where(is_faded, 1.0, np.nan)})


def draw_faded(axes: Axes, image: AxesImage, raster: np.ndarray) -> None:
    """Draw a veil over parts of an image, and say so in the legend.

    Parameters
    ----------
    axes : Axes
        Axes of the image.
    image : AxesImage
        What is veiled.
    raster : ndarray of float64, shape (n_y, n_x)
        Column `FADED` at the raster points of the image.
    """
    veil = axes.imshow(
        np.ma.masked_invalid(raster),
        extent=image.get_extent(),
        origin="lower",
        cmap=ListedColormap(["white"]),
        alpha=0.7,
        interpolation="none",
        gid=FADED,
    )
    if (clip := image.get_clip_path()) is not None:
        veil.set_clip_path(clip)
    label = f"faded: TS below {FAINT_TS:g}"
    axes.add_patch(Rectangle((0, 0), 0, 0, facecolor="0.93", edgecolor="0.6", label=label))


def draw_sky(axes: Axes, skymap: SkyMap, name: str, norm: Normalize, colormap: str) -> AxesImage:
    """Draw a column of a map and the graticule into axes from -2 to 2 and from -1 to 1."""
    image = draw_image(axes, _raster(skymap, name), (-2, 2, -1, 1), norm, colormap)
    edge = Ellipse((0, 0), 4, 2, facecolor="none", edgecolor="black", linewidth=0.8)
    axes.add_patch(edge)
    edge.set_clip_on(False)
    image.set_clip_path(edge)
    _draw_graticule(axes)
    return image


def _raster(skymap: SkyMap, name: str) -> np.ndarray:
    """Values at the raster points; NaN outside the ellipse."""
    is_sky, ipix = _raster_pixels(skymap.nside)
    values = np.full(_RASTER, np.nan)
    values[is_sky] = skymap.sample(name, ipix)
    return values


@lru_cache(maxsize=1)
def _raster_pixels(nside: int) -> tuple[np.ndarray, np.ndarray]:
    """Which raster points are in the ellipse, and the nested pixels there: all maps share them."""
    from healpy import ang2pix

    n_y, n_x = _RASTER
    x = (np.arange(n_x) + 0.5) / n_x * 4 - 2
    y = (np.arange(n_y) + 0.5) / n_y * 2 - 1
    lon, lat = from_mollweide(*np.meshgrid(x, y))
    is_sky = np.isfinite(lon)
    return is_sky, ang2pix(nside, lon[is_sky], lat[is_sky], nest=True, lonlat=True)


def _draw_graticule(axes: Axes) -> None:
    """Meridians and parallels every 30 degrees, labelled every 60 and every 30."""
    lat = np.linspace(-90, 90, 91)
    for lon in range(-150, 180, 30):
        _draw_line(axes, *mollweide(np.full(lat.size, lon), lat))
    for parallel in range(-60, 90, 30):
        x, y = mollweide(np.array([-180, 180 - 1e-9]), np.full(2, parallel))
        _draw_line(axes, x, y)
        axes.annotate(
            format_degrees(parallel),
            (x.min(), y[0]),
            xytext=(-3, parallel / 15),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=7,
        )
    for lon in range(-120, 180, 60):
        x, y = mollweide(np.array([lon]), np.zeros(1))
        halo = [withStroke(linewidth=1.2, foreground="black", alpha=0.5)]
        axes.text(
            x[0],
            y[0] + 0.01,
            format_degrees(lon % 360),
            ha="center",
            va="bottom",
            fontsize=7,
            color="white",
            path_effects=halo,
        )


def _draw_line(axes: Axes, x: np.ndarray, y: np.ndarray) -> None:
    axes.plot(x, y, color="white", linewidth=0.4, alpha=0.5)
