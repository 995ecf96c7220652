"""Counts per measured energy."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from skyquilt.plots.style import COLUMN_WIDTH, LINES, figure_style, new_figure, plain
from skyquilt.problem.fitted_counts import FITTED
from skyquilt.problem.problem import CountsSpectrum
from skyquilt.spectra.energies import energy_unit

DATA = "data"
MODEL = "background model"
"""Labels that are drawn in their own way; all others are terms of the data, or components."""
_COMPONENT = f"{MODEL}: "  # with the name of a component of the background

_HEIGHT = 7.0  # of the figure [cm]
_AXES = (0.16, 0.15, 0.80, 0.75)
_HEIGHT_OF_BOTH = 8.8  # with residuals below
_UPPER, _LOWER = (0.16, 0.34, 0.80, 0.59), (0.16, 0.115, 0.80, 0.19)
_N_COLUMNS = 2  # of the legend
_LINE = 0.075  # height of its lines, of that of the axes
_LABEL = 32  # most letters of a label that fit
_FEW_DECADES = 300  # ratio of energies up to which 1, 2, 5 of every decade fit on the axis


@figure_style()
def plot_counts_spectrum(spectrum: CountsSpectrum, title: str) -> Figure:
    """Counts per measured energy: data with errors, background model, terms of the data.

    Parameters
    ----------
    spectrum : CountsSpectrum
        Counts by label: "data" is drawn as points, "background model" dashed, its components
        ("background model: NAME") dotted, the others as lines; channels of the analysis are shaded.
        With what the fit expects, the figure has residuals below.
    title : str
        Name of the analysis.

    Returns
    -------
    Figure
        A figure that belongs to no window and no list of figures.
    """
    counts = spectrum.counts
    unit, size = energy_unit(spectrum.edges[0])
    edges = np.asarray(spectrum.edges) / size
    has_fit = FITTED in counts and DATA in counts
    figure = new_figure(COLUMN_WIDTH, _HEIGHT_OF_BOTH if has_fit else _HEIGHT)
    box = _UPPER if has_fit else _AXES
    axes = figure.add_axes(box, xscale="log", yscale="log", xlim=(edges[0], edges[-1]))
    _shade(axes, edges, spectrum.is_selected)
    terms = [label for label in counts if label not in (DATA, MODEL, FITTED)]
    for number, label in enumerate(terms):
        is_component = label.startswith(_COMPONENT)
        style: dict[str, Any] = {
            "color": LINES[number % len(LINES)],
            "linestyle": ":" if is_component else "-",
        }
        style["label"] = plain(label.removeprefix(_COMPONENT), _LABEL)
        axes.stairs(counts[label], edges, baseline=None, **style)
    if MODEL in counts:
        axes.stairs(counts[MODEL], edges, baseline=None, color="0.3", linestyle="--", label=MODEL)
    if FITTED in counts:
        style = {"baseline": None, "color": "black", "linewidth": 1.2, "label": FITTED}
        axes.stairs(counts[FITTED], edges, **style)
    if DATA in counts:
        _draw_data(axes, edges, counts[DATA])
    _label_energies(axes)
    if has_fit:
        axes.tick_params(labelbottom=False)
        _draw_residuals(figure, axes, edges, counts[DATA], counts[FITTED])
    figure.axes[-1].set_xlabel(f"measured energy [{unit}]", labelpad=2)
    axes.set_ylabel("counts per channel", labelpad=2)
    axes.set_title(f"{title}: counts")
    handles, labels = axes.get_legend_handles_labels()
    order = np.argsort([label != DATA for label in labels], kind="stable")
    axes.set_ylim(*_limits(list(counts.values()), n_lines=-(-len(labels) // _N_COLUMNS)))
    axes.legend(
        [handles[at] for at in order],
        [labels[at] for at in order],
        loc="upper center",
        ncols=_N_COLUMNS,
        fontsize=6.5,
        columnspacing=1.0,
    )
    return figure


def poisson_errors(counts: np.ndarray) -> np.ndarray:
    """Errors down and up of observed counts, 84 % limits each.

    Parameters
    ----------
    counts : ndarray of float64, shape (n,)
        Observed counts.

    Returns
    -------
    ndarray of float64, shape (2, n)
        Errors; down to 0 at most.

    References
    ----------
    Gehrels 1986, ApJ 303, 336, equations (7) and (11) for one standard deviation.

    Examples
    --------
    >>> poisson_errors(np.array([0.0, 100.0])).round(2)
    array([[ 0.  ,  9.99],
           [ 1.87, 11.04]])
    """
    down = np.sqrt(np.maximum(counts - 0.25, 0))
    return np.stack([np.minimum(down, counts), 1 + np.sqrt(counts + 0.75)])


def _draw_data(axes: Axes, edges: np.ndarray, counts: np.ndarray) -> None:
    at = np.sqrt(edges[:-1] * edges[1:])
    style: dict[str, Any] = {
        "fmt": "o",
        "color": "black",
        "markersize": 2.5,
        "elinewidth": 0.8,
        "zorder": 3,
    }
    axes.errorbar(at, counts, yerr=poisson_errors(counts), label=DATA, **style)


def _draw_residuals(
    figure: Figure, upper: Axes, edges: np.ndarray, data: np.ndarray, fitted: np.ndarray
) -> None:
    """Draw what is left of the data in standard deviations, below the counts."""
    axes = figure.add_axes(_LOWER, sharex=upper)
    pull = (data - fitted) / np.sqrt(np.where(fitted > 0, fitted, np.nan))
    at = np.sqrt(edges[:-1] * edges[1:])
    style: dict[str, Any] = {"fmt": "o", "color": "black", "markersize": 2.5, "elinewidth": 0.8}
    axes.errorbar(at, pull, yerr=np.where(np.isfinite(pull), 1.0, np.nan), gid="pull", **style)
    axes.axhline(0, color="0.5", linewidth=0.8)
    most = max(3.0, 1.2 * np.nanmax(np.abs(pull), initial=0) + 1)
    axes.set_ylim(-most, most)
    axes.set_ylabel(r"(data $-$ fit) / $\sqrt{\mathrm{fit}}$", labelpad=2, fontsize=7)
    _label_energies(axes)


def _shade(axes: Axes, edges: np.ndarray, is_selected: np.ndarray) -> None:
    """Shade each run of selected channels, with one entry in the legend."""
    steps = np.diff(np.concatenate([[0], np.asarray(is_selected, dtype=int), [0]]))
    runs = zip(np.nonzero(steps == 1)[0], np.nonzero(steps == -1)[0], strict=True)
    for number, (first, stop) in enumerate(runs):
        label = "analysed" if number == 0 else None
        axes.axvspan(edges[first], edges[stop], color="0.9", zorder=0, label=label)


def _label_energies(axes: Axes) -> None:
    """Plain numbers at 1, 2, 5 of every decade; powers of ten alone when there are many."""
    low, high = axes.get_xlim()
    steps = (1, 2, 5) if high / low < _FEW_DECADES else (1,)
    axes.xaxis.set_major_locator(LogLocator(subs=steps))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _limits(counts: list[np.ndarray], n_lines: int) -> tuple[float, float]:
    """Limits of the counts axis: from below the smallest count to a legend above the largest."""
    values = np.concatenate([np.ravel(part) for part in counts])
    positive = values[np.isfinite(values) & (values > 0)]
    if positive.size == 0:
        return 0.1, 10.0
    low, high = positive.min() / 3, positive.max() * 1.5
    return low, low * (high / low) ** (1 / (1 - _LINE * n_lines - 0.03))
