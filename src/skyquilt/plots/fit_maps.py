"""Maps of what a fit may give besides TS and flux: limits, background, best spectrum."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.colors import BoundaryNorm, Normalize, PowerNorm
from matplotlib.figure import Figure

from skyquilt.maps.skymap import SkyMap
from skyquilt.plots.marks import Marks
from skyquilt.plots.patch import draw_patch, find_patch
from skyquilt.plots.scale import flux_scale
from skyquilt.plots.skymap import add_marks, has_unfitted, new_sky_figure
from skyquilt.plots.style import figure_style, plain

_NAME = 24  # letters of a spectrum's name that fit below the bar


def draw_fit_maps(
    skymap: SkyMap, summary: Mapping[str, Any], marks: Marks, title: str, colormap: str
) -> dict[str, Figure]:
    """Figures by name: limit, background-norm, template, those of which the map has the column."""
    figures = {}
    if "flux_ul" in skymap.columns:
        best = summary["best"] and summary["best"]["flux_ul"]
        figures["limit"] = plot_limit_map(skymap, best, marks, title, colormap)
    if "background_norm" in skymap.columns:
        figures["background-norm"] = plot_norm_map(skymap, marks, title, colormap)
    if "template" in skymap.columns:
        names = list(summary["templates"])
        figures["template"] = plot_template_map(skymap, names, marks, title, colormap)
    return figures


@figure_style()
def plot_limit_map(
    skymap: SkyMap, best: float | None, marks: Marks, title: str, colormap: str = "viridis"
) -> Figure:
    """Upper limit on the flux; the colours reach at least up to that of the best position."""
    # limits are small where the exposure is large: the root shows both
    norm = PowerNorm(0.5, 0, flux_scale(skymap.columns["flux_ul"], best).vmax)
    label = "upper limit on the flux [reference spectrum]"
    return _draw(skymap, "flux_ul", marks, norm, label, f"{title}: upper limit", colormap)


@figure_style()
def plot_norm_map(skymap: SkyMap, marks: Marks, title: str, colormap: str = "viridis") -> Figure:
    """Best factor on the background."""
    values = skymap.columns["background_norm"]
    low, high = np.nanmin(values), np.nanmax(values)
    norm = Normalize(low, high if high > low else low + 1)
    label, title = "best factor on the background", f"{title}: background"
    return _draw(skymap, "background_norm", marks, norm, label, title, colormap)


@figure_style()
def plot_template_map(
    skymap: SkyMap, names: Sequence[str], marks: Marks, title: str, colormap: str = "viridis"
) -> Figure:
    """Best of several spectra, where one of them is better than no source."""
    is_told = skymap.ts > 0
    shown = {"ts": np.where(is_told, skymap.ts, np.nan)}
    shown["template"] = np.where(is_told, skymap.columns["template"], np.nan)
    told = replace(skymap, columns=shown)
    norm = BoundaryNorm(np.arange(len(names) + 1) - 0.5, 256)
    label, title = "best spectrum, where TS is above 0", f"{title}: best spectrum"
    figure = _draw(told, "template", marks, norm, label, title, colormap)
    figure.axes[1].set_xticks(range(len(names)), labels=[plain(name, _NAME) for name in names])
    return figure


def _draw(
    skymap: SkyMap, name: str, marks: Marks, norm: Normalize, label: str, title: str, colormap: str
) -> Figure:
    """One column of a map, on the whole sky or as large as the part is that was fitted."""
    patch = find_patch(skymap)
    if patch is not None:
        return draw_patch(skymap, name, patch, marks, norm, label, title, colormap)
    figure = new_sky_figure(skymap, name, norm, label, title, colormap)
    add_marks(figure, marks, has_unfitted(skymap))
    return figure
