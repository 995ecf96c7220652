"""Maps on figures of their own, and on axes that are given: plain ones and those of astropy."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from skyquilt.maps.credible import cell_areas, credible_threshold
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.skymap import SkyMap
from skyquilt.plots.marks import Marks, draw_marks, marks_from_summary
from skyquilt.plots.patch import draw_patch, find_patch
from skyquilt.plots.projection import mollweide
from skyquilt.plots.regions import credible_regions, outline_regions
from skyquilt.plots.scale import flux_scale, ts_scale
from skyquilt.plots.skymap import add_marks, draw_sky, has_unfitted, new_sky_figure
from skyquilt.plots.style import figure_style
from skyquilt.plots.zoom import plot_zoom
from skyquilt.sky.frames import lonlat_to_vec, vec_to_lonlat
from skyquilt.sky.healpix import nest_to_vec, vec_to_nest

_LEVELS = (0.9, 0.5)


@figure_style()
def draw_maps(skymap: SkyMap, name: str, label: str, ax: Axes | None, colormap: str) -> Axes:
    """Draw a column of maps, see `Maps.plot`."""
    values = skymap.ts if name == "ts" else skymap.columns[name]
    norm = ts_scale(values) if name == "ts" else flux_scale(values, None)
    marks = _best_of(skymap)
    if ax is None:
        patch = find_patch(skymap)
        if patch is not None:
            figure = draw_patch(skymap, name, patch, marks, norm, label, label, colormap)
        else:
            figure = new_sky_figure(skymap, name, norm, label, label, colormap)
            add_marks(figure, marks, has_unfitted(skymap))
        return figure.axes[0]
    if hasattr(ax, "wcs"):

        def sample(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
            return skymap.sample(name, vec_to_nest(skymap.nside, lonlat_to_vec(lon, lat)))

        return _draw_on_wcs(ax, sample, skymap.frame, norm, colormap)
    ax.set(xlim=(-2, 2), ylim=(-1, 1), aspect="equal")
    ax.set_axis_off()
    draw_sky(ax, skymap, name, norm, colormap)
    draw_marks(ax, marks, mollweide, clip_on=False)
    return ax


@figure_style()
def draw_localisation(
    cells: MultiOrderMap, summary: Mapping[str, Any], skymap: SkyMap, ax: Axes | None, colormap: str
) -> Axes:
    """Draw the surroundings of the best position, see `Localisation.plot`."""
    if ax is None:
        marks = marks_from_summary(summary, skymap.frame, float(np.sqrt(cells.pixel_area.min())))
        regions = credible_regions(outline_regions(cells, summary, skymap.frame))
        return plot_zoom(skymap, cells, regions, marks, summary["analysis"], colormap).axes[0]
    if not hasattr(ax, "wcs"):
        raise TypeError("ax: give axes of astropy (projection=WCS), or none for a figure.")
    density = cells.columns["probdensity"]

    def sample(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        cell = cells.find(lonlat_to_vec(lon, lat))
        return np.where(cell >= 0, density[cell], np.nan)

    _draw_on_wcs(ax, sample, "icrs", Normalize(0, density.max()), colormap)
    edges = [credible_threshold(density, cell_areas(cells), level) for level in _LEVELS]
    _, values = _on_pixels(ax, sample, "icrs")
    ax.contour(values, levels=sorted(set(edges)), colors="white", linewidths=0.8)
    if summary["best"] is not None:
        icrs = summary["best"]["icrs"]
        sky: Any = ax  # of astropy: its transforms have names
        at = sky.get_transform("icrs")
        sky.plot(
            icrs["lon"], icrs["lat"], "P", color="white", markeredgecolor="black", transform=at
        )
    return ax


def _draw_on_wcs(ax: Any, sample: Callable, frame: str, norm: Normalize, colormap: str) -> Axes:
    """Draw values on each pixel of axes of astropy."""
    shape, values = _on_pixels(ax, sample, frame)
    ax.imshow(
        np.ma.masked_invalid(values),
        extent=(-0.5, shape[1] - 0.5, -0.5, shape[0] - 0.5),
        origin="lower",
        norm=norm,
        cmap=colormap,
        interpolation="none",
    )
    return ax


def _on_pixels(ax: Any, sample: Callable, frame: str) -> tuple[tuple[int, int], np.ndarray]:
    """Shape of the image of axes, and the values at its pixels; NaN off the sky."""
    shape = ax.wcs.array_shape
    if shape is None:
        shape = tuple(math.ceil(abs(np.diff(limit)[0])) for limit in (ax.get_ylim(), ax.get_xlim()))
    y, x = np.indices(shape)
    coords = ax.wcs.pixel_to_world(x.ravel(), y.ravel()).transform_to(frame)
    lon, lat = coords.spherical.lon.deg, coords.spherical.lat.deg
    is_sky = np.isfinite(lon) & np.isfinite(lat)
    values = np.full(y.size, np.nan)
    values[is_sky] = sample(lon[is_sky], lat[is_sky])
    return shape, values.reshape(shape)


def _best_of(skymap: SkyMap) -> Marks:
    """Mark of the pixel of the largest TS."""
    if not np.any(skymap.ts > 0):
        return Marks(skymap.frame, None, None)
    best = skymap.ipix[np.nanargmax(skymap.ts)]
    lon, lat = vec_to_lonlat(nest_to_vec(skymap.nside, np.array([best]))[0])
    return Marks(skymap.frame, (float(lon), float(lat)), None)
