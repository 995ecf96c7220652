"""Source spectra: photon flux density, photon flux per energy bin, one line of description."""

from skyquilt.spectra.integrals import integrate
from skyquilt.spectra.models import describe, doubts, evaluate

__all__ = ["describe", "doubts", "evaluate", "integrate"]
