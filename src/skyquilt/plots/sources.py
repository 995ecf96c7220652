"""Sources in a map: a ring around each, the strongest with their row in the list."""

from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

MAX_LABELS = 20
"""Sources that have a number beside them; more would hide the map and each other."""

_POSITION = {"galactic": ("glon", "glat"), "icrs": ("ra", "dec")}
_HALO = (withStroke(linewidth=1.6, foreground="black"),)
_RING = {
    "linestyle": "none",
    "marker": "o",
    "markersize": 6,
    "markerfacecolor": "none",
    "markeredgecolor": "white",
    "markeredgewidth": 0.7,
    "path_effects": _HALO,
    "zorder": 2.7,
}


def draw_sources(
    axes: Axes, sources: Mapping[str, np.ndarray], frame: str, project: Callable
) -> None:
    """Draw the sources of a list, strongest first, labelled for the legend.

    Parameters
    ----------
    axes : Axes
        Map to draw into.
    sources : dict of str to ndarray
        Columns of `sources.fits`.
    frame : {"galactic", "icrs"}
        Frame of the map.
    project : callable
        Turns arrays of longitude and latitude [deg] into places in the map.
    """
    x, y = project(*(sources[name] for name in _POSITION[frame]))
    if not x.size:
        return
    numbered = "" if x.size == 1 else ", numbers are rows"
    label = f"{x.size} source{'s' * (x.size > 1)} of sources.ecsv{numbered}"
    axes.plot(x, y, gid="sources", label=label, clip_on=False, **_RING)
    if x.size == 1:
        return
    for row, place in enumerate(zip(x[:MAX_LABELS], y[:MAX_LABELS], strict=True), 1):
        axes.annotate(
            str(row),
            place,
            xytext=(3.5, 3.5),
            textcoords="offset points",
            fontsize=6.5,
            color="white",
            path_effects=_HALO,
            zorder=2.8,
        )
