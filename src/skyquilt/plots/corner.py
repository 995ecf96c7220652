"""Samples of several numbers: each by itself, and each two of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.ndimage import gaussian_filter

from skyquilt.plots.style import COLUMN_WIDTH, FULL_WIDTH, LINES, figure_style, new_figure, plain

MAX_NUMBERS = 8
"""Numbers that fit across a page."""

_PANEL = 2.6  # side of a panel, if there is room [cm]
_LEFT, _BOTTOM, _TOP, _RIGHT = 1.9, 2.0, 0.9, 0.25  # margins [cm]
_APART = 1.25  # of a name from its panel [cm]
_LABEL, _LETTER = 7.5, 0.58  # largest size of names [pt], and width of a letter over its size
_POINTS = 28.35  # in a centimetre
_N_BIN, _SMOOTH = 36, 1.0  # bins across a panel, and standard deviation in bins
_REACH = (0.001, 0.999)  # quantiles that a panel holds
_LEVELS = (0.68, 0.95)


@figure_style()
def plot_corner(
    samples: np.ndarray,
    labels: Sequence[str],
    title: str,
    truths: Sequence[float] | None = None,
) -> Figure:
    """Histograms on the diagonal; below it, regions that hold 68 and 95 % of the samples.

    Parameters
    ----------
    samples : ndarray of float64, shape (n, p)
        Samples of at most `MAX_NUMBERS` numbers.
    labels : sequence of str, length p
        Names with units.
    title : str
        Name of the analysis and the fit.
    truths : sequence of float, length p, optional
        True values, NaN where there is none.

    Raises
    ------
    ValueError
        If there are no samples, or too many numbers.
    """
    n, p = samples.shape
    if n < 2 or not 1 <= p <= MAX_NUMBERS:
        raise ValueError(f"{n} samples of {p} numbers: 1 to {MAX_NUMBERS} numbers can be drawn.")
    panel = min(_PANEL, (FULL_WIDTH - _LEFT - _RIGHT) / p)
    width = max(_LEFT + _RIGHT + p * panel, COLUMN_WIDTH)
    panel = (width - _LEFT - _RIGHT) / p
    height = _BOTTOM + _TOP + p * panel
    figure = new_figure(width, height)
    true = np.full(p, np.nan) if truths is None else np.asarray(truths, dtype=np.float64)
    ends = [_range(column, value) for column, value in zip(samples.T, true, strict=True)]
    for row in range(p):
        for column in range(row + 1):
            rectangle = (
                (_LEFT + column * panel) / width,
                (_BOTTOM + (p - 1 - row) * panel) / height,
                0.94 * panel / width,
                0.94 * panel / height,
            )
            axes = figure.add_axes(rectangle, xlim=ends[column])
            if row == column:
                _draw_one(axes, samples[:, row], ends[row], true[row])
            else:
                pair = samples[:, [column, row]]
                _draw_two(axes, pair, (ends[column], ends[row]), true[[column, row]])
            _label(axes, (row, column), labels, panel)
    figure.text(0.5, 1 - 0.15 / height, f"{title}: samples", ha="center", va="top", fontsize=9)
    return figure


def _range(values: np.ndarray, true: float) -> tuple[float, float]:
    low, high = np.quantile(values, _REACH)
    if np.isfinite(true):
        low, high = min(low, true), max(high, true)
    wide = (high - low) or max(abs(high), 1.0)
    return float(low - 0.05 * wide), float(high + 0.05 * wide)


def _draw_one(axes, values: np.ndarray, ends: tuple[float, float], true: float) -> None:
    axes.hist(values, _N_BIN, range=ends, histtype="step", color=LINES[0], linewidth=1.0)
    low, middle, high = np.quantile(values, (0.16, 0.5, 0.84))
    axes.axvspan(low, high, color=LINES[0], alpha=0.12, linewidth=0)
    axes.axvline(middle, color=LINES[0], linewidth=0.8)
    if np.isfinite(true):
        axes.axvline(true, color=LINES[1], linewidth=0.9)
    axes.set_yticks([])


def _draw_two(
    axes, pair: np.ndarray, ends: tuple[tuple[float, float], ...], true: np.ndarray
) -> None:
    counts, x, y = np.histogram2d(pair[:, 0], pair[:, 1], _N_BIN, np.array(ends))
    smooth = gaussian_filter(counts, _SMOOTH)
    order = np.sort(smooth.ravel())[::-1]
    held = np.cumsum(order) / max(order.sum(), 1e-300)
    last = np.minimum(np.searchsorted(held, _LEVELS), order.size - 1)
    levels = sorted(set(order[last].tolist()))
    middle = [(edges[1:] + edges[:-1]) / 2 for edges in (x, y)]
    if len(levels) == len(_LEVELS) and levels[0] > 0:
        shades: dict[str, Any] = {"colors": [LINES[0]], "alpha": 0.2}
        axes.contourf(*middle, smooth.T, [levels[0], np.inf], **shades)
        axes.contourf(*middle, smooth.T, [levels[1], np.inf], **shades)
        axes.contour(*middle, smooth.T, levels, colors=[LINES[0]], linewidths=0.8)
    else:
        axes.plot(*pair.T, ",", color=LINES[0])
    if np.all(np.isfinite(true)):
        axes.plot(*true, "+", color=LINES[1], markersize=7, markeredgewidth=1.2)
    axes.set_ylim(ends[1])


def _label(axes, panel_index: tuple[int, int], labels: Sequence[str], panel: float) -> None:
    (row, column), p = panel_index, len(labels)
    axes.locator_params(axis="x", nbins=4, prune="both")
    axes.tick_params(labelsize=6.5)
    across, down = (plain(labels[k], 26).replace(" [", "\n[") for k in (column, row))
    longest = max(len(line) for label in labels for line in label.split(" ["))
    size = min(_LABEL, panel * _POINTS / (_LETTER * longest))
    if row == p - 1:
        axes.set_xlabel(across, fontsize=size)
        axes.tick_params(axis="x", labelrotation=45)
        axes.xaxis.set_label_coords(0.5, -_APART / panel)
    else:
        axes.tick_params(labelbottom=False)
    if row == column:
        return
    axes.locator_params(axis="y", nbins=4, prune="both")
    if column == 0:
        axes.set_ylabel(down, fontsize=size)
        axes.yaxis.set_label_coords(-_APART / panel, 0.5)
    else:
        axes.tick_params(labelleft=False)
