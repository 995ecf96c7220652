"""Figures of simulated skies: maxima without a source, coverage, detection."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from skyquilt.plots.style import COLUMN_WIDTH, LINES, figure_style, new_figure

_HEIGHT = 7.0  # [cm]
_AXES = (0.16, 0.15, 0.80, 0.75)
_BAND: dict[str, Any] = {"alpha": 0.25, "linewidth": 0}


@figure_style()
def plot_maxima(ts_max: np.ndarray, null: Mapping[str, Any], title: str) -> Figure:
    """How often the largest TS of a sky without a source passes a value.

    Parameters
    ----------
    ts_max : ndarray of float64, shape (n,)
        Largest TS of each simulated sky.
    null : dict
        Section `null` of calibration.json.
    title : str
        Name of the analysis.

    Returns
    -------
    Figure
        Simulated fraction with its binomial error, extrapolation (if there is one), observed TS.
    """
    figure = new_figure(COLUMN_WIDTH, _HEIGHT)
    axes = figure.add_axes(_AXES, yscale="log")
    n, ts = ts_max.size, np.sort(ts_max)
    fraction = 1 - np.arange(n) / n
    error = np.sqrt(fraction * (1 - fraction) / n)
    low, high = np.maximum(fraction - error, 0.1 / n), np.minimum(fraction + error, 1)
    axes.fill_between(ts, low, high, step="pre", color=LINES[0], **_BAND)
    axes.step(ts, fraction, where="pre", color=LINES[0], label=f"{n} simulated skies")
    highest, lowest = max(ts[-1], 1.0), 1 / n
    if curve := null["curve"]:
        axes.fill_between(curve["ts"], *curve["p_value_68"], color=LINES[1], **_BAND)
        axes.plot(curve["ts"], curve["p_value"], "--", color=LINES[1], label="extrapolation")
        highest, lowest = max(ts[-1], curve["ts"][-1]), min(1 / n, min(curve["p_value"]))
    _mark_observed(axes, null, highest)
    axes.set_xlim(min(ts[0], null["observed_ts_max"]) * 0.95, highest)
    axes.set_ylim(max(0.2 * lowest, 1e-12), 1.5)
    axes.set_xlabel("largest TS of the map", labelpad=2)
    axes.set_ylabel("fraction of skies above", labelpad=2)
    axes.set_title(f"{title}: no source")
    axes.legend(loc="lower left")
    return figure


@figure_style()
def plot_coverage(
    drop: np.ndarray, regions: list[Mapping[str, Any]], detection_ts: float, title: str
) -> Figure:
    """Fraction of injected sources inside the regions of each nominal level.

    Parameters
    ----------
    drop : ndarray of float64, shape (n,)
        Largest TS less that at the true direction, of detected sources.
    regions : list of dict
        `regions` of calibration.json for all fluxes together.
    detection_ts : float
        TS from which on a source counts as detected.
    title : str
        Name of the analysis.

    Returns
    -------
    Figure
        Right regions follow the diagonal within the binomial band.
    """
    figure = new_figure(COLUMN_WIDTH, _HEIGHT + 1)
    axes = figure.add_axes((0.16, 0.13, 0.80, 0.78), aspect="equal")
    nominal = np.linspace(0, 1, 201)
    band = np.sqrt(nominal * (1 - nominal) / drop.size)
    for width, label in ((1, "68 % of experiments"), (2, "95 %")):
        low, high = nominal - width * band, nominal + width * band
        axes.fill_between(nominal, low, high, color="0.5", alpha=0.25, linewidth=0, label=label)
    axes.plot([0, 1], [0, 1], color="0.4", linewidth=0.8)
    level = np.sort(-np.expm1(-drop / 2))  # of the region that the source just enters
    n_sources = f"{drop.size} sources, TS above {detection_ts:g}"
    axes.step(level, np.arange(1, drop.size + 1) / drop.size, color=LINES[0], label=n_sources)
    for region in regions:
        style: dict[str, Any] = {"fmt": "o", "color": LINES[1], "markersize": 3, "elinewidth": 0.8}
        axes.errorbar(region["level"], region["coverage"], yerr=region["coverage_err"], **style)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.set_xlabel("containment level", labelpad=2)
    axes.set_ylabel("fraction of sources inside", labelpad=2)
    axes.set_title(f"{title}: coverage")
    axes.legend(loc="upper left")
    return figure


@figure_style()
def plot_detection(by_flux: list[Mapping[str, Any]], detection_ts: float, title: str) -> Figure:
    """Detection efficiency, flux and position error against the injected flux.

    Parameters
    ----------
    by_flux : list of dict
        `by_flux` of calibration.json.
    detection_ts : float
        TS from which on a source counts as detected.
    title : str
        Name of the analysis.

    Returns
    -------
    Figure
        Three panels that share the axis of the flux; the offsets are those of detected sources.
    """
    figure = new_figure(COLUMN_WIDTH, 1.7 * _HEIGHT)
    panels = figure.subplots(3, 1, sharex=True)
    figure.subplots_adjust(left=0.16, right=0.96, bottom=0.09, top=0.94, hspace=0.08)
    flux = np.array([part["flux"] for part in by_flux])
    panels[0].set(ylabel=f"fraction with TS > {detection_ts:g}", ylim=(-0.05, 1.05))
    _points(panels[0], flux, by_flux, "efficiency", LINES[0])
    panels[1].set(ylabel="pull of the flux")
    for number, (name, expected) in enumerate((("width", 1), ("mean", 0))):
        panels[1].axhline(expected, color="0.7", linewidth=0.8)
        _points(panels[1], flux, by_flux, f"pull_{name}", LINES[1 - number], name)
    panels[1].legend(loc="best", ncols=2)
    panels[2].set(ylabel="offset within [deg]", yscale="log", xscale="log")
    _offsets(panels[2], [part for part in by_flux if part["offset_deg"]])
    _plain_ticks(panels[2].xaxis)
    panels[2].set_xlabel("injected flux [multiples of the reference spectrum]", labelpad=2)
    panels[0].set_title(f"{title}: injected sources")
    return figure


def _points(
    axes: Axes,
    flux: np.ndarray,
    by_flux: list[Mapping[str, Any]],
    name: str,
    colour: str,
    label: str | None = None,
) -> None:
    values, errors = ([part[key] for part in by_flux] for key in (name, f"{name}_err"))
    style: dict[str, Any] = {"fmt": "o-", "color": colour, "markersize": 3, "elinewidth": 0.8}
    axes.errorbar(flux, values, yerr=errors, label=label, **style)


def _offsets(axes: Axes, located: list[Mapping[str, Any]]) -> None:
    """Lines of the offsets that so many detected sources stay within."""
    flux = [part["flux"] for part in located]
    for colour, level in zip(LINES, ("0.9", "0.68", "0.5"), strict=False):
        offsets = [part["offset_deg"][level] for part in located]
        label = f"{100 * float(level):g} %"
        axes.plot(flux, offsets, "o-", color=colour, markersize=3, label=label)
    if located:
        low, high = axes.get_ylim()
        axes.set_ylim(low / 1.3, high * (high / low) ** 0.6)  # room for the legend
        axes.legend(loc="upper center", ncols=3)
        _plain_ticks(axes.yaxis)


def _plain_ticks(axis: Axis) -> None:
    """Plain numbers at 1, 2 and 5 of every decade."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def _mark_observed(axes: Axes, null: Mapping[str, Any], highest: float) -> None:
    """Line at the observed TS, or its value where it is far outside."""
    observed = null["observed_ts_max"]
    label = f"observed TS {observed:.1f}"
    if observed <= highest:
        axes.axvline(observed, color="black", linewidth=0.9, label=label)
    else:
        axes.plot([], [], ">", color="black", markersize=4, label=f"{label}, outside")
