"""Light curves of a model: fluxes of time bins, and a function of time with its band."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from skyquilt.plots.style import COLUMN_WIDTH, LINES, figure_style, new_figure

_HEIGHT = 7.0  # of the figure [cm]
_AXES = (0.16, 0.15, 0.80, 0.73)
_MARKERS = "osD^v"
_HEADROOM = 0.12  # of the range, above the highest error, for the legend


class BinnedFlux(NamedTuple):
    """Fluxes of time bins.

    Attributes
    ----------
    label : str
        What the legend calls them.
    start, stop : ndarray of float64, shape (n,)
        Time bins [s].
    flux : ndarray of float64, shape (n,)
        Fluxes; NaN where there is none.
    low, high : ndarray of float64, shape (n,)
        Ends of their 68 % intervals; NaN where they are not known.
    """

    label: str
    start: np.ndarray
    stop: np.ndarray
    flux: np.ndarray
    low: np.ndarray
    high: np.ndarray


class FluxBand(NamedTuple):
    """A function of time.

    Attributes
    ----------
    label : str
        What the legend calls it.
    time : ndarray of float64, shape (n,)
        Times [s].
    flux, low, high : ndarray of float64, shape (n,)
        Best flux and its 68 % band.
    """

    label: str
    time: np.ndarray
    flux: np.ndarray
    low: np.ndarray
    high: np.ndarray


@figure_style()
def plot_light_curve(
    binned: Sequence[BinnedFlux],
    bands: Sequence[FluxBand],
    title: str,
    unit: str = "",
    epoch: str = "",
    *,
    is_positive: bool = True,
) -> Figure:
    """Fluxes against time, with the bands of functions behind.

    Parameters
    ----------
    binned : sequence of BinnedFlux
        Fluxes of time bins, as of every bin alone and of all together.
    bands : sequence of FluxBand
        Functions of time.
    title : str
        Name of the analysis and the source.
    unit : str
        Unit of the flux; "" for a factor on the spectrum.
    epoch : str
        Time from which seconds count.
    is_positive : bool
        Whether the flux may not be below zero: then nothing is drawn there.

    Raises
    ------
    ValueError
        If there is nothing to draw.
    """
    if not binned and not bands:
        raise ValueError("no fluxes and no functions: there is nothing to draw.")
    figure = new_figure(COLUMN_WIDTH, _HEIGHT)
    axes = figure.add_axes(_AXES)
    for number, band in enumerate(bands):
        color = LINES[(len(binned) + number) % len(LINES)]
        low = np.maximum(band.low, 0) if is_positive else band.low
        axes.fill_between(band.time, low, band.high, color=color, alpha=0.25, linewidth=0)
        axes.plot(band.time, band.flux, color=color, linewidth=1.1, label=band.label)
    for number, fluxes in enumerate(binned):
        _draw_binned(axes, fluxes, number, len(binned), is_positive)
    if not is_positive:
        axes.axhline(0, color="0.6", linewidth=0.6, zorder=0)
    _set_limits(axes, binned, bands, is_positive)
    axes.set_xlabel(f"time since {epoch} [s]" if epoch else "time [s]", labelpad=2)
    axes.set_ylabel(f"flux [{unit}]" if unit else "flux (factor on the spectrum)", labelpad=2)
    axes.set_title(f"{title}: light curve")
    axes.legend(loc="upper left", ncols=len(binned) + len(bands), columnspacing=1.2)
    return figure


def _draw_binned(
    axes: Axes, fluxes: BinnedFlux, number: int, n_series: int, is_positive: bool
) -> None:
    """Points in the middle of their bins, those of several series side by side."""
    width = fluxes.stop - fluxes.start
    shift = (number - (n_series - 1) / 2) * 0.25
    middle = fluxes.start + width * (0.5 + shift)
    low = np.maximum(fluxes.low, 0) if is_positive else fluxes.low
    down, up = np.maximum(fluxes.flux - low, 0), np.maximum(fluxes.high - fluxes.flux, 0)
    axes.errorbar(
        middle,
        fluxes.flux,
        yerr=[np.nan_to_num(down), np.nan_to_num(up)],
        fmt=_MARKERS[number % len(_MARKERS)],
        markersize=2.8,
        elinewidth=0.8,
        color=LINES[number % len(LINES)] if n_series > 1 else "black",
        label=fluxes.label,
        zorder=3,
    )


def _set_limits(
    axes: Axes, binned: Sequence[BinnedFlux], bands: Sequence[FluxBand], is_positive: bool
) -> None:
    """From zero where nothing is below, to above the highest error, with room for the legend."""
    ends = [part for one in binned for part in (one.flux, one.low, one.high)]
    ends += [part for one in bands for part in (one.flux, one.low, one.high)]
    values = np.concatenate(ends)
    values = values[np.isfinite(values)]
    top, bottom = (values.max(), values.min()) if values.size else (1.0, 0.0)
    low = 0.0 if is_positive else min(bottom, 0.0)
    wide = (top - low) or 1.0
    axes.set_ylim(low - (0.0 if is_positive else 0.05 * wide), top + (0.05 + _HEADROOM) * wide)
    times = [np.concatenate([one.start, one.stop]) for one in binned]
    times += [one.time for one in bands]
    axes.set_xlim(min(map(np.min, times)), max(map(np.max, times)))
