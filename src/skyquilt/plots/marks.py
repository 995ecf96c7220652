"""Positions to mark in a map: the best one and, where it is known, the true one."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from skyquilt.plots.style import format_degrees

_SYMBOLS = {"galactic": ("$l$", "$b$"), "icrs": ("RA", "Dec")}

_BEST: dict[str, Any] = {
    "marker": "P",
    "color": "white",
    "markeredgecolor": "black",
    "markersize": 5,
    "zorder": 3,
    "markeredgewidth": 0.6,
}
_TRUE: dict[str, Any] = {
    "marker": "o",
    "color": "#e8222b",
    "markerfacecolor": "none",
    "markersize": 10,
    "markeredgewidth": 1.2,
    "path_effects": [withStroke(linewidth=2.4, foreground="white")],
}


class Marks(NamedTuple):
    """Positions in the frame of the map.

    Attributes
    ----------
    frame : {"galactic", "icrs"}
        Frame of the positions.
    best, true : tuple of float or None
        Longitude and latitude [deg].
    n_decimals : int
        Decimals of positions in legends.
    """

    frame: str
    best: tuple[float, float] | None
    true: tuple[float, float] | None
    n_decimals: int = 1


def marks_from_summary(summary: Mapping[str, Any], frame: str, side: float) -> Marks:
    """Best and true position of a summary, with the decimals that the cells are worth.

    Parameters
    ----------
    summary : dict
        The summary.
    frame : {"galactic", "icrs"}
        Frame of the map.
    side : float
        Side of the smallest cells or pixels [deg].
    """

    def position(key: str) -> tuple[float, float] | None:
        if summary[key] is None:
            return None
        return summary[key][frame]["lon"], summary[key][frame]["lat"]

    n_decimals = max(1, math.ceil(-math.log10(side)))
    return Marks(frame, position("best"), position("true_position"), n_decimals)


def draw_marks(axes: Axes, marks: Marks, project: Callable, clip_on: bool = True) -> None:
    """Draw both positions, labelled for the legend.

    Parameters
    ----------
    axes : Axes
        Map to draw into.
    marks : Marks
        Positions.
    project : callable
        Turns arrays of longitude and latitude [deg] into positions in the map.
    clip_on : bool, optional
        Cut marks at the edge of the axes.
    """
    styles = (("true position", marks.true, _TRUE), ("best position", marks.best, _BEST))
    for name, position, style in styles:
        if position is not None:
            x, y = project(*np.atleast_2d(position).T)
            text = f"{name}: {format_position(position, marks.frame, marks.n_decimals)}"
            axes.plot(x, y, linestyle="none", gid=name, label=text, clip_on=clip_on, **style)


def format_position(position: tuple[float, float], frame: str, n_decimals: int) -> str:
    """Position as text.

    Examples
    --------
    >>> format_position((93.04, 53.0), "icrs", 2)
    'RA = 93.04°, Dec = 53.00°'
    """
    pairs = zip(_SYMBOLS[frame], position, strict=True)
    digits = f".{n_decimals}f"
    return ", ".join(f"{symbol} = {format_degrees(value, digits)}" for symbol, value in pairs)
