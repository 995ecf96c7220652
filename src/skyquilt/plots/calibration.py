"""Figures of simulated skies: maxima without a source, coverage, detection."""

from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from skyquilt.plots.style import COLUMN_WIDTH, LINES, figure_style, new_figure

_HEIGHT = 7.0  # [cm]
_AXES = (0.16, 0.15, 0.80, 0.75)
_BAND: dict[str, Any] = {"alpha": 0.25, "linewidth": 0}


class Tail(NamedTuple):
    """Probability that the largest TS passes a value, extrapolated.

    Attributes
    ----------
    ts : ndarray of float64, shape (n,)
        Values of TS, ascending.
    p_value : ndarray of float64, shape (n,)
        Probabilities.
    p_value_68 : ndarray of float64, shape (2, n)
        Ends of their intervals of 68 %.
    """

    ts: np.ndarray
    p_value: np.ndarray
    p_value_68: np.ndarray


class Maxima(NamedTuple):
    """Largest TS of simulated skies without a source, and of the observed sky.

    Attributes
    ----------
    ts_max : ndarray of float64, shape (n,)
        Those of the simulated skies.
    observed : float
        That of the observed one.
    tail : Tail or None
        The extrapolation, if there is one.
    """

    ts_max: np.ndarray
    observed: float
    tail: Tail | None


class Estimate(NamedTuple):
    """Numbers and their errors, arrays of one shape."""

    value: np.ndarray
    error: np.ndarray


class Detection(NamedTuple):
    """What was found of injected sources of some fluxes.

    Attributes
    ----------
    flux : ndarray of float64, shape (n,)
        Injected fluxes [multiples of the reference spectrum].
    efficiency : Estimate
        Fraction of sources that were detected, shape (n,).
    pull_mean, pull_width : Estimate
        Mean and standard deviation of the pulls of the flux, shape (n,).
    offset_deg : dict of float to ndarray
        Offset that a fraction of the detected sources stays within [deg], by that fraction, shape
        (n,); NaN at fluxes of which too few were detected.
    """

    flux: np.ndarray
    efficiency: Estimate
    pull_mean: Estimate
    pull_width: Estimate
    offset_deg: dict[float, np.ndarray]


@figure_style()
def plot_maxima(maxima: Maxima, title: str) -> Figure:
    """How often the largest TS of a sky without a source passes a value.

    Parameters
    ----------
    maxima : Maxima
        Largest TS of simulated skies and of the observed one.
    title : str
        Name of the analysis.

    Returns
    -------
    Figure
        Simulated fraction with its binomial error, extrapolation (if there is one), observed TS.
    """
    figure = new_figure(COLUMN_WIDTH, _HEIGHT)
    axes = figure.add_axes(_AXES, yscale="log")
    n, ts = maxima.ts_max.size, np.sort(maxima.ts_max)
    fraction = 1 - np.arange(n) / n
    error = np.sqrt(fraction * (1 - fraction) / n)
    low, high = np.maximum(fraction - error, 0.1 / n), np.minimum(fraction + error, 1)
    axes.fill_between(ts, low, high, step="pre", color=LINES[0], **_BAND)
    axes.step(ts, fraction, where="pre", color=LINES[0], label=f"{n} simulated skies")
    highest, lowest = max(ts[-1], 1.0), 1 / n
    if tail := maxima.tail:
        axes.fill_between(tail.ts, *tail.p_value_68, color=LINES[1], **_BAND)
        axes.plot(tail.ts, tail.p_value, "--", color=LINES[1], label="extrapolation")
        highest, lowest = max(ts[-1], tail.ts[-1]), min(1 / n, tail.p_value.min())
    _mark_observed(axes, maxima.observed, highest)
    axes.set_xlim(min(ts[0], maxima.observed) * 0.95, highest)
    axes.set_ylim(max(0.2 * lowest, 1e-12), 1.5)
    axes.set_xlabel("largest TS of the map", labelpad=2)
    axes.set_ylabel("fraction of skies above", labelpad=2)
    axes.set_title(f"{title}: no source")
    axes.legend(loc="lower left")
    return figure


@figure_style()
def plot_coverage(
    ts_drop: np.ndarray, level: np.ndarray, coverage: Estimate, detection_ts: float, title: str
) -> Figure:
    """Fraction of injected sources inside the regions of each nominal level.

    Parameters
    ----------
    ts_drop : ndarray of float64, shape (n,)
        Largest TS less that at the true direction, of detected sources.
    level : ndarray of float64, shape (n_level,)
        Nominal levels of containment.
    coverage : Estimate
        Fraction of sources inside the region of each level, shape (n_level,).
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
    band = np.sqrt(nominal * (1 - nominal) / ts_drop.size)
    for width, label in ((1, "68 % of experiments"), (2, "95 %")):
        low, high = nominal - width * band, nominal + width * band
        axes.fill_between(nominal, low, high, color="0.5", alpha=0.25, linewidth=0, label=label)
    axes.plot([0, 1], [0, 1], color="0.4", linewidth=0.8)
    n = ts_drop.size
    entered = np.sort(-np.expm1(-ts_drop / 2))  # level of the region that the source just enters
    n_sources = f"{n} sources, TS above {detection_ts:g}"
    axes.step(entered, np.arange(1, n + 1) / n, color=LINES[0], label=n_sources)
    style: dict[str, Any] = {"fmt": "o", "color": LINES[1], "markersize": 3, "elinewidth": 0.8}
    axes.errorbar(level, coverage.value, yerr=coverage.error, **style)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.set_xlabel("containment level", labelpad=2)
    axes.set_ylabel("fraction of sources inside", labelpad=2)
    axes.set_title(f"{title}: coverage")
    axes.legend(loc="upper left")
    return figure


@figure_style()
def plot_detection(found: Detection, detection_ts: float, title: str) -> Figure:
    """Detection efficiency, flux and position error against the injected flux.

    Parameters
    ----------
    found : Detection
        What was found of sources of each flux.
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
    panels[0].set(ylabel=f"fraction with TS > {detection_ts:g}", ylim=(-0.05, 1.05))
    _points(panels[0], found.flux, found.efficiency, LINES[0])
    panels[1].set(ylabel="pull of the flux")
    for name, pull, expected, colour in (
        ("width", found.pull_width, 1, LINES[1]),
        ("mean", found.pull_mean, 0, LINES[0]),
    ):
        panels[1].axhline(expected, color="0.7", linewidth=0.8)
        _points(panels[1], found.flux, pull, colour, name)
    panels[1].legend(loc="best", ncols=2)
    panels[2].set(ylabel="offset within [deg]", yscale="log", xscale="log")
    _offsets(panels[2], found)
    _plain_ticks(panels[2].xaxis)
    panels[2].set_xlabel("injected flux [multiples of the reference spectrum]", labelpad=2)
    panels[0].set_title(f"{title}: injected sources")
    return figure


def _points(
    axes: Axes,
    flux: np.ndarray,
    estimate: Estimate,
    colour: str,
    label: str | None = None,
) -> None:
    style: dict[str, Any] = {"fmt": "o-", "color": colour, "markersize": 3, "elinewidth": 0.8}
    axes.errorbar(flux, estimate.value, yerr=estimate.error, label=label, **style)


def _offsets(axes: Axes, found: Detection) -> None:
    """Lines of the offsets that so many detected sources stay within."""
    is_located = np.zeros(found.flux.size, dtype=bool)
    for colour, part in zip(LINES, sorted(found.offset_deg, reverse=True), strict=False):
        offset = found.offset_deg[part]
        is_located = np.isfinite(offset)
        style: dict[str, Any] = {"color": colour, "markersize": 3, "label": f"{100 * part:g} %"}
        axes.plot(found.flux[is_located], offset[is_located], "o-", **style)
    if is_located.any():
        low, high = axes.get_ylim()
        axes.set_ylim(low / 1.3, high * (high / low) ** 0.6)  # room for the legend
        axes.legend(loc="upper center", ncols=3)
        _plain_ticks(axes.yaxis)


def _plain_ticks(axis: Axis) -> None:
    """Plain numbers at 1, 2 and 5 of every decade."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def _mark_observed(axes: Axes, observed: float, highest: float) -> None:
    """Line at the observed TS, or its value where it is far outside."""
    label = f"observed TS {observed:.1f}"
    if observed <= highest:
        axes.axvline(observed, color="black", linewidth=0.9, label=label)
    else:
        axes.plot([], [], ">", color="black", markersize=4, label=f"{label}, outside")
