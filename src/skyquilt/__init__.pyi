"""Types of the public names, which are loaded when they are first used."""

from skyquilt.api.fit import fit_map as fit_map
from skyquilt.api.fit import localise as localise
from skyquilt.api.localisation import Localisation as Localisation
from skyquilt.api.maps import Maps as Maps
from skyquilt.api.result import Result as Result
from skyquilt.api.result import open as open
from skyquilt.api.spectra import to_spectrum as to_spectrum
from skyquilt.config.spectrum import Band as Band
from skyquilt.config.spectrum import BrokenPowerLaw as BrokenPowerLaw
from skyquilt.config.spectrum import CutoffPowerLaw as CutoffPowerLaw
from skyquilt.config.spectrum import GaussianLine as GaussianLine
from skyquilt.config.spectrum import LogParabola as LogParabola
from skyquilt.config.spectrum import PowerLaw as PowerLaw

__version__: str
RESULTS_VERSION: int
