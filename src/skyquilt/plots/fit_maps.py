"""Maps of what a fit gives besides TS: flux, sensitivity, limits, background, best spectrum."""

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
from skyquilt.plots.skymap import FAINT_TS, add_marks, has_unfitted, new_sky_figure
from skyquilt.plots.style import figure_style, plain
from skyquilt.spectra.energies import flux_range, format_range

_NAME = 24  # letters of a spectrum's name that fit below the bar


_SENSITIVE_TS = 25


def draw_fit_maps(
    skymap: SkyMap, summary: Mapping[str, Any], marks: Marks, title: str, colormap: str
) -> dict[str, Figure]:
    """Figures by name, those of which the map has the column.

    They are flux, sensitivity, limit, background-norm and template.
    """
    best, energies = summary["best"], flux_range(summary)
    look = (marks, title, energies, best and best["photon_flux"], colormap)
    figures = {"flux": plot_flux_map(skymap, *look)}
    if _is_told(skymap, "flux_err"):
        figures["sensitivity"] = plot_sensitivity_map(skymap, marks, title, energies, colormap)
    if _is_told(skymap, "flux_ul"):
        figures["limit"] = plot_limit_map(skymap, *look)
    if "background_norm" in skymap.columns:
        figures["background-norm"] = plot_norm_map(skymap, marks, title, colormap)
    if "template" in skymap.columns:
        names = list(summary["templates"])
        figures["template"] = plot_template_map(skymap, names, marks, title, colormap)
    return figures


@figure_style()
def plot_flux_map(
    skymap: SkyMap,
    marks: Marks,
    title: str,
    energy_range: tuple[float, float],
    flux_best: float | None,
    colormap: str = "viridis",
) -> Figure:
    """Photon flux, faded where TS is below 4: there it is an error and no flux.

    Parameters
    ----------
    skymap : SkyMap
        Map with the columns "ts" and "photon_flux" [ph cm-2 s-1].
    marks : Marks
        Positions in the frame of the map.
    title : str
        Name of the analysis.
    energy_range : tuple of float
        Energies of the flux [keV].
    flux_best : float or None
        Flux at the best position [ph cm-2 s-1]; the colours reach at least up to it.
    colormap : str, optional
        Name of a matplotlib colormap.
    """
    flux, is_faint = skymap.columns["photon_flux"], skymap.ts < FAINT_TS
    meant = flux[~is_faint & np.isfinite(flux)]
    norm = flux_scale(meant if meant.size else flux, flux_best)
    label = _flux_label("photon flux", energy_range)
    look = (norm, label, f"{title}: flux", colormap)
    return _draw(skymap, "photon_flux", marks, *look, is_faded=is_faint)


@figure_style()
def plot_sensitivity_map(
    skymap: SkyMap,
    marks: Marks,
    title: str,
    energy_range: tuple[float, float],
    colormap: str = "viridis",
) -> Figure:
    """Photon flux that a source needs for TS 25, from five times the error of the flux."""
    error = skymap.as_photon_flux("flux_err")
    if error is None:
        raise ValueError("no pixel has a flux: see `draw_fit_maps`")
    shown = replace(skymap, columns={"ts": skymap.ts, "flux": np.sqrt(_SENSITIVE_TS) * error})
    norm = PowerNorm(0.5, 0, flux_scale(shown.columns["flux"], None).vmax)
    label = _flux_label(f"flux of TS {_SENSITIVE_TS}", energy_range)
    return _draw(shown, "flux", marks, norm, label, f"{title}: sensitivity", colormap)


@figure_style()
def plot_limit_map(
    skymap: SkyMap,
    marks: Marks,
    title: str,
    energy_range: tuple[float, float],
    flux_best: float | None,
    colormap: str = "viridis",
) -> Figure:
    """Upper limit on the photon flux; the colours reach at least up to the best flux."""
    limit = skymap.as_photon_flux("flux_ul")
    if limit is None:
        raise ValueError("no pixel has a flux: see `draw_fit_maps`")
    shown = replace(skymap, columns={"ts": skymap.ts, "flux_ul": limit})
    # limits are small where the exposure is large: the root shows both
    norm = PowerNorm(0.5, 0, flux_scale(limit, flux_best).vmax)
    label = _flux_label("upper limit", energy_range)
    return _draw(shown, "flux_ul", marks, norm, label, f"{title}: upper limit", colormap)


def _is_told(skymap: SkyMap, name: str) -> bool:
    """Whether a map has a column of fluxes, and tells what they are as photon fluxes."""
    return name in skymap.columns and skymap.as_photon_flux(name) is not None


def _flux_label(what: str, energy_range: tuple[float, float]) -> str:
    return f"{what} [ph cm$^{{-2}}$ s$^{{-1}}$], {format_range(*energy_range)}"


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
    skymap: SkyMap,
    name: str,
    marks: Marks,
    norm: Normalize,
    label: str,
    title: str,
    colormap: str,
    is_faded: np.ndarray | None = None,
) -> Figure:
    """One column of a map, on the whole sky or as large as the part is that was fitted."""
    look, patch = (norm, label, title, colormap), find_patch(skymap)
    if patch is not None:
        return draw_patch(skymap, name, patch, marks, *look, is_faded=is_faded)
    figure = new_sky_figure(skymap, name, *look, is_faded=is_faded)
    add_marks(figure, marks, has_unfitted(skymap))
    return figure
