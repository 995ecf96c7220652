"""Sources in a map: a ring around each, the strongest with their row in the list."""

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from skyquilt.maps.source_positions import SourcePositions

MAX_LABELS = 20
"""Sources that have a number beside them; more would hide the map and each other."""

_HALO = (withStroke(linewidth=1.6, foreground="black"),)
_RING: dict[str, Any] = {
    "linestyle": "none",
    "marker": "o",
    "markersize": 6,
    "markerfacecolor": "none",
    "markeredgecolor": "white",
    "markeredgewidth": 0.7,
    "path_effects": _HALO,
    "zorder": 2.7,
}


def project_sources(
    sources: SourcePositions, frame: str, project: Callable
) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the sources of a list in a map.

    Parameters
    ----------
    sources : SourcePositions
        The sources.
    frame : {"galactic", "icrs"}
        Frame of the map.
    project : callable
        Turns arrays of longitude and latitude [deg] into positions in the map.
    """
    return project(*sources.in_frame(frame))


def draw_sources(axes: Axes, x: np.ndarray, y: np.ndarray) -> None:
    """Draw the sources of a list, strongest first, labelled for the legend.

    Parameters
    ----------
    axes : Axes
        Map to draw into.
    x, y : ndarray of float64, shape (n,)
        Positions in the map, see `project_sources`; those that are NaN are not in it.
    """
    rows = np.flatnonzero(np.isfinite(x))
    if not rows.size:
        return
    numbered = "" if x.size == 1 else ", numbers are rows"
    label = f"{rows.size} source{'s' * (rows.size > 1)} of sources.ecsv{numbered}"
    axes.plot(x[rows], y[rows], gid="sources", label=label, clip_on=False, **_RING)
    if x.size == 1:
        return
    for row in rows[:MAX_LABELS]:
        axes.annotate(
            str(row + 1),
            (x[row], y[row]),
            xytext=(3.5, 3.5),
            textcoords="offset points",
            fontsize=6.5,
            color="white",
            path_effects=_HALO,
            zorder=2.8,
        )
