"""Positions to mark in a map: the best one and, where it is known, the true one."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from skyquilt.plots.style import format_degrees

_SYMBOLS = {"galactic": ("$l$", "$b$"), "icrs": ("RA", "Dec")}

_BEST = {
    "marker": "P",
    "color": "white",
    "markeredgecolor": "black",
    "markersize": 5,
    "zorder": 3,
    "markeredgewidth": 0.6,
}
_TRUE = {
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
    """

    frame: str
    best: tuple[float, float] | None
    true: tuple[float, float] | None


def marks_from_summary(summary: Mapping[str, Any], frame: str) -> Marks:
    """Best and true position of a summary, in the frame of the map."""

    def position(key: str) -> tuple[float, float] | None:
        if summary[key] is None:
            return None
        return summary[key][frame]["lon"], summary[key][frame]["lat"]

    return Marks(frame, position("best"), position("true_position"))


def draw_marks(axes: Axes, marks: Marks, project: Callable, clip_on: bool = True) -> None:
    """Draw both positions, labelled for the legend.

    Parameters
    ----------
    axes : Axes
        Map to draw into.
    marks : Marks
        Positions.
    project : callable
        Turns arrays of longitude and latitude [deg] into places in the map.
    clip_on : bool, optional
        Cut marks at the edge of the axes.
    """
    styles = (("true position", marks.true, _TRUE), ("best position", marks.best, _BEST))
    for name, position, style in styles:
        if position is not None:
            x, y = project(*np.atleast_2d(position).T)
            text = f"{name}: {format_position(position, marks.frame)}"
            axes.plot(x, y, linestyle="none", gid=name, label=text, clip_on=clip_on, **style)


def format_position(position: tuple[float, float], frame: str) -> str:
    """Position as text.

    Examples
    --------
    >>> format_position((93.04, 53.0), "icrs")
    'RA = 93.0°, Dec = 53.0°'
    """
    pairs = zip(_SYMBOLS[frame], position, strict=True)
    return ", ".join(f"{symbol} = {format_degrees(value, '.1f')}" for symbol, value in pairs)
