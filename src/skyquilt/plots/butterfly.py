"""Spectra of a model: energy flux density with its 68 % band."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from skyquilt.plots.style import COLUMN_WIDTH, LINES, figure_style, new_figure
from skyquilt.spectra.energies import energy_unit

_HEIGHT = 7.0  # of the figure [cm]
_AXES = (0.19, 0.15, 0.77, 0.74)
_DEPTH = 1e-4  # of the highest, below which a spectrum is not followed
_FEW_DECADES = 300


class SpectrumBand(NamedTuple):
    """A spectrum.

    Attributes
    ----------
    label : str
        What the legend calls it.
    energy : ndarray of float64, shape (n,)
        Energies [keV].
    flux_density, low, high : ndarray of float64, shape (n,)
        dN/dE and its 68 % band [ph cm-2 s-1 keV-1].
    """

    label: str
    energy: np.ndarray
    flux_density: np.ndarray
    low: np.ndarray
    high: np.ndarray


@figure_style()
def plot_butterfly(
    spectra: Sequence[SpectrumBand], ranges: Sequence[tuple[float, float]], title: str
) -> Figure:
    """E^2 dN/dE against energy, with bands.

    Parameters
    ----------
    spectra : sequence of SpectrumBand
        Spectra, one or more.
    ranges : sequence of tuple of float
        Measured energies of the data sets [keV]; drawn as bars below.
    title : str
        Name of the analysis and the fit.

    Raises
    ------
    ValueError
        If there is no spectrum.
    """
    if not spectra:
        raise ValueError("no spectrum: there is nothing to draw.")
    unit, size = energy_unit(max(one.energy.min() for one in spectra))
    figure = new_figure(COLUMN_WIDTH, _HEIGHT)
    axes = figure.add_axes(_AXES, xscale="log", yscale="log")
    top, bottom = 0.0, np.inf
    for number, one in enumerate(spectra):
        x, color = one.energy / size, LINES[number % len(LINES)]
        # E^2 dN/dE [unit cm-2 s-1] from dN/dE per keV
        best, low, high = (one.energy**2 / size * y for y in one[2:])
        axes.fill_between(x, np.maximum(low, best * 1e-3), high, color=color, alpha=0.25, lw=0)
        axes.plot(x, best, color=color, linewidth=1.2, label=one.label)
        known = np.concatenate([best, high])
        top = max(top, known[np.isfinite(known)].max(initial=0.0))
        positive = np.concatenate([best, low])
        positive = positive[np.isfinite(positive) & (positive > 0)]
        bottom = min(bottom, positive.min(initial=np.inf))
    top = top or 1.0
    bottom = max(min(bottom, top / 3), top * _DEPTH)
    axes.set_ylim(bottom / 2.5, top * 2.5)
    for low_end, high_end in ranges:
        level = bottom / 1.7
        axes.plot([low_end / size, high_end / size], [level, level], color="0.35", lw=2.2)
    if ranges:
        axes.plot([], [], color="0.35", lw=2.2, label="measured energies")
    axes.set_xlim(
        min(one.energy.min() for one in spectra) / size,
        max(one.energy.max() for one in spectra) / size,
    )
    _label_energies(axes)
    axes.set_xlabel(f"energy [{unit}]", labelpad=2)
    axes.set_ylabel(rf"$E^2\,dN/dE$ [{unit} cm$^{{-2}}$ s$^{{-1}}$]", labelpad=2)
    axes.set_title(f"{title}: spectrum")
    axes.legend(loc="upper right")
    return figure


def _label_energies(axes) -> None:
    low, high = axes.get_xlim()
    steps = (1, 2, 5) if high / low < _FEW_DECADES else (1,)
    axes.xaxis.set_major_locator(LogLocator(subs=steps))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
