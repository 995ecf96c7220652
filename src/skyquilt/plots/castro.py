"""Spectrum of a target with the likelihood of its flux in each band as colour (castro plot)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from skyquilt.plots.style import COLUMN_WIDTH, LINES, figure_style, new_figure, plain
from skyquilt.spectra.energies import energy_unit

LOWEST = -5.0
"""Ln L less its maximum below which nothing is coloured."""

_HEIGHT = 7.4  # of the figure [cm]
_AXES, _BAR = (0.175, 0.14, 0.655, 0.77), (0.85, 0.14, 0.03, 0.77)
_LABEL = 32  # most letters of a label that fit
_BEYOND = 2.5  # factor between the data and the ends of the axis
_LEAST, _MOST = 100.0, 1e6  # ratio of the ends: two powers of ten have labels, at least


class SedPoints(NamedTuple):
    """Fluxes of a target in bands; E^2 dN/dE in [keV cm-2 s-1].

    Attributes
    ----------
    e_min, e_max : ndarray of float64, shape (n_band,)
        Bands [keV].
    value, err_lo, err_hi, limit : ndarray of float64, shape (n_band,)
        Best value, errors to both sides, upper limit; NaN where there is no fit.
    is_limit : ndarray of bool, shape (n_band,)
        Whether the limit is the statement.
    """

    e_min: np.ndarray
    e_max: np.ndarray
    value: np.ndarray
    err_lo: np.ndarray
    err_hi: np.ndarray
    limit: np.ndarray
    is_limit: np.ndarray


class SpectrumLine(NamedTuple):
    """A spectrum to draw over the points.

    Attributes
    ----------
    label : str
        What the legend calls it.
    energy, value : ndarray of float64, shape (n,)
        Energies [keV] and E^2 dN/dE [keV cm-2 s-1].
    """

    label: str
    energy: np.ndarray
    value: np.ndarray


def value_range(points: SedPoints) -> tuple[float, float]:
    """Ends of the axis of values: a little beyond all that is stated.

    Raises
    ------
    ValueError
        If no band has a fit.

    Examples
    --------
    >>> one = np.ones(1)
    >>> low, high = value_range(SedPoints(one, 2 * one, one, one, one, 3 * one, one < 0))
    >>> round(low, 3), round(high, 3)
    (0.173, 17.321)
    """
    stated = np.where(points.is_limit, points.limit, points.value)
    tops = np.where(
        points.is_limit, points.limit, np.fmax(points.value + points.err_hi, points.limit)
    )
    stated, tops = (part[np.isfinite(part) & (part > 0)] for part in (stated, tops))
    if not stated.size:
        raise ValueError("no band has a fit: there is nothing to draw.")
    high = float(tops.max()) * _BEYOND
    low = max(float(stated.min()) / _BEYOND, high / _MOST)
    wider = max(np.sqrt(_LEAST * low / high), 1.0)
    return float(low / wider), float(high * wider)


@figure_style()
def plot_castro(
    points: SedPoints,
    edges: np.ndarray,
    delta_loglike: np.ndarray,
    lines: Sequence[SpectrumLine],
    title: str,
) -> Figure:
    """E^2 dN/dE over energy: likelihood as colour, points with errors, limits as triangles.

    Parameters
    ----------
    points : SedPoints
        Fluxes in bands.
    edges : ndarray of float64, shape (n + 1,)
        Edges of the cells of E^2 dN/dE, ascending, above 0 [keV cm-2 s-1].
    delta_loglike : ndarray of float64, shape (n_band, n)
        Ln L less its maximum in each cell; NaN of bands without a fit.
    lines : sequence of SpectrumLine
        Spectra over the points.
    title : str
        Name of the target.

    Raises
    ------
    ValueError
        If no band has a fit.
    """
    low, high = value_range(points)
    unit, size = energy_unit(float(points.e_min.min()))
    figure = new_figure(COLUMN_WIDTH, _HEIGHT)
    axes = figure.add_axes(_AXES, xscale="log", yscale="log")
    colours = mpl.colormaps["viridis"].with_extremes(under="white")
    scale = Normalize(LOWEST, 0.0)
    for band, values in enumerate(np.ma.masked_less(np.ma.masked_invalid(delta_loglike), LOWEST)):
        x = np.array([points.e_min[band], points.e_max[band]]) / size
        style: dict[str, Any] = {"cmap": colours, "norm": scale, "rasterized": True}
        axes.pcolormesh(x, edges / size, values[:, np.newaxis], **style)
    _draw_points(axes, points, size)
    for number, line in enumerate(lines):
        color = LINES[(number + 1) % len(LINES)]
        label = plain(line.label, _LABEL)
        axes.plot(line.energy / size, line.value / size, color=color, lw=1.2, label=label)
    axes.set_xlim(points.e_min.min() / size, points.e_max.max() / size)
    axes.set_ylim(low / size, high / size)
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(f"energy [{unit}]", labelpad=2)
    axes.set_ylabel(rf"$E^2\,dN/dE$ [{unit} cm$^{{-2}}$ s$^{{-1}}$]", labelpad=2)
    axes.set_title(plain(title))
    if lines:
        axes.legend(loc="best")
    bar = figure.colorbar(
        mpl.cm.ScalarMappable(scale, colours), cax=figure.add_axes(_BAR), extend="min"
    )
    bar.set_label(r"$\ln L - \ln L_\mathrm{max}$", labelpad=2)
    return figure


def _draw_points(axes: Axes, points: SedPoints, size: float) -> None:
    """Best values with errors, and limits where they are the statement."""
    x = np.sqrt(points.e_min * points.e_max)
    across = np.array([x - points.e_min, points.e_max - x]) / size
    is_limit = points.is_limit & np.isfinite(points.limit)
    is_point = ~points.is_limit & np.isfinite(points.value)
    errors = np.array([points.err_lo, points.err_hi]) / size
    style: dict[str, Any] = {"color": "black", "elinewidth": 0.9, "zorder": 4}
    style |= {"fmt": "o", "markersize": 2.5}
    at, value = x[is_point] / size, points.value[is_point] / size
    axes.errorbar(at, value, xerr=across[:, is_point], yerr=errors[:, is_point], **style)
    style |= {"fmt": "v", "markersize": 3.5, "gid": "limits"}
    at, value = x[is_limit] / size, points.limit[is_limit] / size
    axes.errorbar(at, value, xerr=across[:, is_limit], **style)
