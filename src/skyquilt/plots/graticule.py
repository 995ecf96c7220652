"""Coordinates at the edges of a patch of sky."""

import numpy as np
from matplotlib.axes import Axes

from skyquilt.plots.projection import from_zenithal, zenithal
from skyquilt.plots.style import AXIS_TITLES, format_degrees
from skyquilt.sky.frames import lonlat_to_vec, vec_to_lonlat

_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 45, 90)
_N_EDGE = 2001
_MAX_LABELS = 5


def draw_graticule(
    axes: Axes, centre: np.ndarray, half: float, frame: str, half_height: float | None = None
) -> None:
    """Draw meridians and parallels, and label them where they meet the lower and left edge.

    Parameters
    ----------
    axes : Axes
        Patch in `zenithal` coordinates.
    centre : ndarray of float64, shape (3,)
        Direction of its middle.
    half : float
        Half its side, or half its width [deg].
    frame : {"galactic", "icrs"}
        Frame of the coordinates.
    half_height : float, optional
        Half its height [deg], where that is not the width.
    """
    high = half if half_height is None else half_height
    across, up = np.linspace(-half, half, _N_EDGE), np.linspace(-high, high, _N_EDGE)
    lower, left = np.full(_N_EDGE, -high), np.full(_N_EDGE, -half)
    lon = np.unwrap(vec_to_lonlat(from_zenithal(across, lower, centre))[0], period=360)
    lat = vec_to_lonlat(from_zenithal(left, up, centre))[1]
    lon_step, lat_step = choose_step(lon), choose_step(lat)
    _draw_lines(axes, centre, lon_step, lat_step)
    at, values = find_crossings(across, lon, lon_step)
    axes.set_xticks(at, [format_degrees(value % 360) for value in values])
    at, values = find_crossings(up, lat, lat_step)
    axes.set_yticks(at, [format_degrees(value) for value in values])
    axes.set_xlabel(f"{AXIS_TITLES[frame][0]} [deg]", labelpad=2)
    axes.set_ylabel(f"{AXIS_TITLES[frame][1]} [deg]", labelpad=2)


def choose_step(values: np.ndarray) -> float:
    """Round step that gives at most five labels between the smallest and largest value.

    Examples
    --------
    >>> choose_step(np.array([13.0, 41.0]))
    10
    """
    span = values.max() - values.min()
    return next((step for step in _STEPS if span <= _MAX_LABELS * step), _STEPS[-1])


def find_crossings(
    along: np.ndarray, values: np.ndarray, step: float
) -> tuple[np.ndarray, np.ndarray]:
    """Positions where values along an edge pass a multiple of `step`, and these multiples.

    Parameters
    ----------
    along, values : ndarray of float64, shape (n,)
        Position on the edge, and the coordinate there.
    step : float
        Step of the labels.

    Returns
    -------
    at, multiples : ndarray of float64, shape (n_label,)
        Position and value of each label.

    Examples
    --------
    >>> find_crossings(np.array([0.0, 1.0, 2.0]), np.array([8.0, 12.0, 18.0]), 10)
    (array([0.5]), array([10.]))
    """
    cell = np.floor(values / step)
    (before,) = np.nonzero(np.diff(cell))
    multiples = np.maximum(cell[before], cell[before + 1]) * step
    fraction = (multiples - values[before]) / (values[before + 1] - values[before])
    return along[before] + fraction * (along[before + 1] - along[before]), multiples


def _draw_lines(axes: Axes, centre: np.ndarray, lon_step: float, lat_step: float) -> None:
    """Draw what lies in front; the axes clip the rest."""
    lon, lat = np.linspace(0, 360, 721), np.linspace(-90, 90, 361)
    lines = [(np.full(lat.size, at), lat) for at in np.arange(0, 360, lon_step)]
    lines += [(lon, np.full(lon.size, at)) for at in np.arange(-90 + lat_step, 90, lat_step)]
    for line in lines:
        vec = lonlat_to_vec(*line)
        x, y = np.where(vec @ centre > 0, zenithal(vec, centre), np.nan)
        axes.plot(x, y, color="white", linewidth=0.4, alpha=0.5)
