"""Profiles of a likelihood along one number each."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from skyquilt.plots.style import (
    COLUMN_WIDTH,
    FULL_WIDTH,
    LINES,
    figure_style,
    format_number,
    new_figure,
    plain,
)

_SIDE = 5.2  # of a panel [cm]
_ACROSS = 3  # panels in a row
_LEVELS = ((1.0, "68 %"), (3.841, "95 %"))


class ProfileCurve(NamedTuple):
    """Twice the fall of the log-likelihood along a number, all others refitted.

    Attributes
    ----------
    name, unit : str
        The number.
    value : ndarray of float64, shape (n,)
        Its values, ascending.
    fall : ndarray of float64, shape (n,)
        2 (ln L of the best - ln L); NaN where a fit did not end.
    best, low, high : float
        Best value, and the ends of its 68 % interval; NaN where there is none.
    """

    name: str
    unit: str
    value: np.ndarray
    fall: np.ndarray
    best: float
    low: float
    high: float


@figure_style()
def plot_profiles(curves: Sequence[ProfileCurve], title: str) -> Figure:
    """One panel for each number.

    Parameters
    ----------
    curves : sequence of ProfileCurve
        Profiles.
    title : str
        Name of the analysis and the fit.

    Raises
    ------
    ValueError
        If there is none.
    """
    if not curves:
        raise ValueError("no profile: there is nothing to draw.")
    across = min(len(curves), _ACROSS)
    down = -(-len(curves) // across)
    width = COLUMN_WIDTH if across == 1 else min(across * _SIDE + 1.2, FULL_WIDTH)
    height = down * _SIDE + 0.9
    figure = new_figure(width, height)
    panels = figure.subplots(down, across, squeeze=False)
    for panel, curve in zip(panels.flat, curves, strict=False):
        panel.plot(curve.value, curve.fall, color=LINES[0], linewidth=1.2)
        for level, label in _LEVELS:
            panel.axhline(level, color="0.6", linewidth=0.6, linestyle="--")
            panel.annotate(
                label,
                (1.0, level),
                xycoords=("axes fraction", "data"),
                xytext=(-2, 1),
                textcoords="offset points",
                ha="right",
                fontsize=6.5,
                color="0.4",
            )
        panel.axvline(curve.best, color="0.3", linewidth=0.7)
        for end in (curve.low, curve.high):
            if np.isfinite(end):
                panel.plot([end, end], [0, 1], color=LINES[1], linewidth=1.0)
        panel.set_ylim(0, 6)
        panel.set_xlim(curve.value.min(), curve.value.max())
        panel.set_xlabel(plain(f"{curve.name} [{curve.unit}]" if curve.unit else curve.name, 30))
        panel.set_title(_interval(curve), fontsize=7.5)
        panel.locator_params(axis="x", nbins=4)
    for panel in panels[:, 0]:
        panel.set_ylabel(r"$2\,(\ln L_\mathrm{max} - \ln L)$")
    for panel in panels.flat[len(curves) :]:
        panel.set_axis_off()
    figure.suptitle(f"{title}: profiles", fontsize=9, y=1 - 0.18 / height)
    figure.subplots_adjust(
        left=1.15 / width,
        right=1 - 0.3 / width,
        bottom=0.95 / height,
        top=1 - 1.35 / height,
        wspace=0.28,
        hspace=0.55,
    )
    return figure


def _interval(curve: ProfileCurve) -> str:
    """Best value and errors to both sides, to two digits of the smaller one."""
    down, up = curve.best - curve.low, curve.high - curve.best
    known = [error for error in (down, up) if np.isfinite(error) and error > 0]
    if not known:
        return format_number(curve.best, ".4g")
    digits = f".{max(0, 1 - int(np.floor(np.log10(min(known)))))}f"
    sides = [format_number(e, digits) if np.isfinite(e) else "?" for e in (down, up)]
    return f"${curve.best:{digits}}_{{-{sides[0]}}}^{{+{sides[1]}}}$"
