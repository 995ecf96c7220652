"""Colour scales of TS and flux."""

from itertools import pairwise

import numpy as np
from matplotlib.colors import BoundaryNorm, Normalize, PowerNorm
from matplotlib.ticker import MaxNLocator

# In lengths of the colour bar: from one label to the next, a letter, the gap between two labels.
_MIN_SPACING, _LETTER, _GAP = 0.16, 0.03, 0.02


def ts_scale(ts: np.ndarray) -> Normalize:
    """Colour scale of a TS map: linear in sqrt(TS), that is, in standard deviations.

    A linear scale shows of a burst of TS 1e5 one bright spot and nothing of its surroundings, a
    logarithmic one shows the noise of a faint map; the root gives a step of significance the
    same step of colour in both. It starts at 0, unless all values are above half the maximum:
    then the scale is linear from the smallest value, or the map had one colour. In a sky of many
    point sources, each a few pixels, it ends below the brightest, or all others were dark.

    Parameters
    ----------
    ts : ndarray of float64, any shape
        Test statistic; NaN is left out.

    Returns
    -------
    Normalize
        Scale from colour bar value to colour.
    """
    low, high = np.nanmin(ts), np.nanmax(ts)
    if low > high / 2:
        return Normalize(low, high) if low < high else Normalize(0, high)
    high = _below_few(ts, high)
    return PowerNorm(0.5, vmin=0, vmax=high if high > 0 else 1)


def flux_scale(flux: np.ndarray, flux_best: float | None) -> Normalize:
    """Colour scale of a flux map: linear, from 0 (or the smallest value below) up.

    Where the exposure is small the flux can be any multiple of that of the source, so the scale
    ends at the larger of the flux at the best position and 99 % of the pixels; in a sky of many
    point sources below the brightest of them.

    Parameters
    ----------
    flux : ndarray of float64, any shape
        Flux; NaN is left out.
    flux_best : float or None
        Flux at the best position.

    Returns
    -------
    Normalize
        Scale from colour bar value to colour.
    """
    high = _below_few(flux, max(np.nanpercentile(flux, 99), flux_best or 0))
    low = min(np.nanpercentile(flux, 1), 0)
    return Normalize(low, high if high > low else low + 1)


def _below_few(values: np.ndarray, high: float) -> float:
    """`high`, or 99.9 % of the pixels where it is more than four times that."""
    most = float(np.nanpercentile(values, 99.9, method="higher"))
    return most if 0 < 4 * most < high else high


def extension(values: np.ndarray, norm: Normalize) -> str:
    """Ends at which a colour bar needs an arrow because values lie beyond.

    Examples
    --------
    >>> extension(np.array([0.0, 3.0, np.nan]), Normalize(0, 2))
    'max'
    """
    low, high = _ends(norm)
    if np.all(np.isnan(values)):
        return "neither"
    is_below, is_above = np.nanmin(values) < low, np.nanmax(values) > high
    return {(0, 0): "neither", (0, 1): "max", (1, 0): "min", (1, 1): "both"}[
        (int(is_below), int(is_above))
    ]


def choose_ticks(norm: Normalize) -> np.ndarray:
    """Round values for a colour bar, far enough apart for their labels.

    Parameters
    ----------
    norm : Normalize
        Colour scale; on that of a root the round values are 1, 2 or 5 times a power of ten.

    Returns
    -------
    ndarray of float64, shape (n,)
        Values, ascending.

    Examples
    --------
    >>> choose_ticks(PowerNorm(0.5, vmin=0, vmax=30)).tolist()
    [0.0, 1.0, 5.0, 10.0, 20.0]
    """
    low, high = _ends(norm)
    if not isinstance(norm, PowerNorm):
        for most in (5, 4, 3, 2):
            round_ones = np.asarray(MaxNLocator(most).tick_values(low, high))
            ticks = round_ones[(round_ones >= low) & (round_ones <= high)]
            if all(_has_room(norm, *pair) for pair in pairwise(ticks)):
                break
        return ticks
    chosen, top = [0.0], np.floor(np.log10(high))
    for value in np.outer(10.0 ** np.arange(top - 3, top + 1), (1, 2, 5)).ravel():
        if value <= high and _has_room(norm, chosen[-1], value):
            chosen.append(value)
    return np.array(chosen)


def name_stretch(norm: Normalize) -> str:
    """How values become colours, to write at a colour bar; "" where colours are names.

    Examples
    --------
    >>> name_stretch(PowerNorm(0.5, 0, 9)), name_stretch(Normalize(0, 9))
    ('square-root scale', 'linear scale')
    """
    if isinstance(norm, BoundaryNorm):
        return ""
    return "square-root scale" if isinstance(norm, PowerNorm) else "linear scale"


def _ends(norm: Normalize) -> tuple[float, float]:
    if norm.vmin is None or norm.vmax is None:
        raise ValueError(f"a scale from {norm.vmin} to {norm.vmax} has no ends: give both")
    return norm.vmin, norm.vmax


def _has_room(norm: Normalize, low: float, high: float) -> bool:
    """Whether the labels of two values have room beside each other."""
    letters = (len(f"{low:.7g}") + len(f"{high:.7g}")) / 2
    return norm(high) - norm(low) >= max(_MIN_SPACING, letters * _LETTER + _GAP)
