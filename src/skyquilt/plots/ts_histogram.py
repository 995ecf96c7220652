"""How often TS takes a value over the map, against what noise alone gives."""

import math

import numpy as np
from matplotlib.figure import Figure

from skyquilt.maps.skymap import SkyMap
from skyquilt.plots.style import COLUMN_WIDTH, LINES, figure_style, new_figure

_HEIGHT = 6.5  # of the figure [cm]
_AXES = (0.16, 0.16, 0.80, 0.74)
_MAX_BINS = 60
_SHOWN = 36.0  # TS beyond which all counts go into the last bin


@figure_style()
def plot_ts_histogram(skymap: SkyMap, title: str) -> Figure:
    """Pixels per TS, and what half of chi2 of one degree of freedom gives.

    Without a source, TS of one direction is 0 in half of all cases and follows chi2 in the others
    (Chernoff 1954). Neighbouring pixels share counts, so the histogram scatters more than its
    numbers say.

    Parameters
    ----------
    skymap : SkyMap
        Map with a column "ts".
    title : str
        Name of the analysis.

    Returns
    -------
    Figure
        A figure that belongs to no window and no list of figures.
    """
    ts = skymap.ts[np.isfinite(skymap.ts)]
    top = float(min(max(ts.max(initial=1.0), 1.0), _SHOWN))
    edges = np.linspace(0, top, int(min(_MAX_BINS, max(8, np.sqrt(ts.size)))) + 1)
    counts, _ = np.histogram(np.minimum(ts[ts > 0], top), edges)
    expected = 0.5 * ts.size * np.diff([math.erf(math.sqrt(edge / 2)) for edge in edges])
    n_beyond = int(np.sum(ts > top))
    figure = new_figure(COLUMN_WIDTH, _HEIGHT)
    axes = figure.add_axes(_AXES, yscale="log", xlim=(0, top))
    axes.stairs(counts, edges, fill=True, color="0.7", label="pixels")
    label = r"half of $\chi^2$, one degree of freedom"
    axes.stairs(expected, edges, baseline=None, color=LINES[1], label=label)
    axes.set_ylim(0.5, 3 * max(counts.max(initial=1), expected.max()))
    more = f" (last bin: {n_beyond} above {top:g})" if n_beyond else ""
    axes.set_xlabel(f"TS above 0{more}", labelpad=2)
    axes.set_ylabel("pixels per bin", labelpad=2)
    axes.set_title(f"{title}: TS of {ts.size} pixels, {np.mean(ts <= 0):.0%} are 0")
    axes.legend(loc="upper right")
    return figure
