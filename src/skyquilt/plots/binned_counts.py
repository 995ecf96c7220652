"""Counts of time bins with what a model expects, and what is left."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from skyquilt.plots.spectrum import poisson_errors
from skyquilt.plots.style import COLUMN_WIDTH, LINES, figure_style, new_figure, plain

_HEIGHT = 8.5  # of the figure [cm]
_UPPER, _LOWER = (0.16, 0.36, 0.80, 0.55), (0.16, 0.12, 0.80, 0.21)


@figure_style()
def plot_binned_counts(
    start: np.ndarray,
    stop: np.ndarray,
    counts: np.ndarray,
    npred: Mapping[str, np.ndarray],
    title: str,
    epoch: str = "",
) -> Figure:
    """Counts per time bin, the expected ones of each part of a model, and residuals.

    Parameters
    ----------
    start, stop : ndarray of float64, shape (n,)
        Time bins [s], ascending.
    counts : ndarray of float64, shape (n,)
        Observed counts.
    npred : dict of str to ndarray of float64, shape (n,)
        Expected counts of each source and background.
    title : str
        Name of the analysis and the fit.
    epoch : str
        Time from which seconds count.
    """
    figure = new_figure(COLUMN_WIDTH, _HEIGHT)
    upper = figure.add_axes(_UPPER)
    lower = figure.add_axes(_LOWER, sharex=upper)
    total = np.sum(list(npred.values()), axis=0) if npred else np.zeros(len(counts))
    middle = (start + stop) / 2
    for number, (name, expected) in enumerate(npred.items()):
        style: dict[str, Any] = {
            "color": LINES[number % len(LINES)],
            "linewidth": 1.0,
            "label": plain(name, 24),
        }
        _draw_steps(upper, start, stop, expected, **style)
    _draw_steps(upper, start, stop, total, color="0.25", linewidth=1.2, label="sum")
    data: dict[str, Any] = {
        "fmt": "o",
        "color": "black",
        "markersize": 2.5,
        "elinewidth": 0.8,
        "zorder": 3,
    }
    upper.errorbar(middle, counts, yerr=poisson_errors(counts), label="data", **data)
    with np.errstate(divide="ignore", invalid="ignore"):
        residual = (counts - total) / np.sqrt(total)
    lower.axhline(0, color="0.6", linewidth=0.6)
    lower.errorbar(middle, residual, yerr=np.ones(len(counts)), **data)
    known = np.abs(residual[np.isfinite(residual)])
    reach = 1.25 * max(2.0, known.max(initial=0.0) + 1)
    lower.set_ylim(-reach, reach)
    highest = np.max(np.concatenate([counts + poisson_errors(counts)[1], total]), initial=1.0)
    upper.set_ylim(0, 1.28 * highest)
    upper.set_xlim(start.min(), stop.max())
    upper.tick_params(labelbottom=False)
    upper.set_ylabel("counts per bin", labelpad=2)
    lower.set_ylabel(r"residual [$\sigma$]", labelpad=2)
    lower.set_xlabel(f"time since {epoch} [s]" if epoch else "time [s]", labelpad=2)
    upper.set_title(f"{title}: counts")
    upper.legend(loc="upper left", ncols=min(3, len(npred) + 2), columnspacing=1.0)
    figure.align_ylabels([upper, lower])
    return figure


def _draw_steps(axes, start: np.ndarray, stop: np.ndarray, values: np.ndarray, **style) -> None:
    """Steps over bins, with gaps between bins that do not touch."""
    x = np.stack([start, stop, stop], axis=1)
    y = np.stack([values, values, values], axis=1)
    touches = np.append(start[1:] == stop[:-1], False)
    y[~touches, 2] = np.nan
    axes.plot(x.ravel(), y.ravel(), **style)
