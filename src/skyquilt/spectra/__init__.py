"""Source spectra: flux density, photon and energy flux per bin, one line of description."""

from skyquilt.spectra.integrals import integrate, integrate_energy
from skyquilt.spectra.models import describe, doubts, evaluate

__all__ = ["describe", "doubts", "evaluate", "integrate", "integrate_energy"]
