"""One analysis: data, energies, spectrum, map, fit, localisation, plots."""

from typing import Literal

from skyquilt.config.base import Section
from skyquilt.config.data import ComptonData
from skyquilt.config.energy import EnergySelection
from skyquilt.config.fit import FitOptions
from skyquilt.config.localise import LocaliseOptions
from skyquilt.config.map import MapGrid
from skyquilt.config.plots import PlotOptions
from skyquilt.config.spectrum import Spectrum


class Analysis(Section):
    """One TS and flux map, its regions and plots; written to `results/{name}/`."""

    instrument: Literal["compton"] = "compton"
    """Kind of instrument."""
    data: ComptonData
    """Counts, background, response, orientation."""
    energy: EnergySelection = EnergySelection()
    """Measured energies that enter the likelihood."""
    spectrum: Spectrum
    """Spectrum of the source; the fitted flux is a multiple of it."""
    map: MapGrid = MapGrid()
    """Pixels to fit."""
    fit: FitOptions = FitOptions()
    """How to fit them."""
    localise: LocaliseOptions = LocaliseOptions()
    """Containment levels, and the true position if it is known."""
    plots: PlotOptions = PlotOptions()
    """Look of the figures."""
