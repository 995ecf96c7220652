"""The assumed spectrum of the source: `spectrum`, one section per model.

Indices carry their physical sign: a spectrum that falls with energy has a negative index.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, FiniteFloat, model_validator

from skyquilt.config.base import Quantity, Section
from skyquilt.config.units import to_value


def _above(limit: float, **indices: float) -> dict[str, float]:
    """Those of some indices that are above a limit."""
    return {key: index for key, index in indices.items() if index > limit}


PositiveEnergy = Annotated[str, Quantity("keV", is_positive=True)]
FluxDensity = Annotated[str, Quantity("cm-2 s-1 keV-1", is_positive=True)]
PhotonFlux = Annotated[str, Quantity("cm-2 s-1", is_positive=True)]

_LEAST_SIGMAS = 5  # from a line's centre to zero energy: 3e-7 of its photons are beyond


class _Indexed(Section):
    """A spectrum with indices, whose sign other programs leave out."""

    rises: bool = False
    """Whether the spectrum is meant to rise with energy; there is a warning else."""

    @property
    def rising(self) -> dict[str, float]:
        """Indices that are likely meant with the other sign, by their key.

        A power law that rises over all energies is none of nature; before a cut-off or a bend,
        spectra of black bodies rise with an index of 1, and few with more.
        """
        return {}

    @model_validator(mode="after")
    def _check_rises(self) -> Self:
        if self.rises and not self.rising:
            raise ValueError("`rises: true` has no effect, as the spectrum does not: remove it")
        return self


class PowerLaw(_Indexed):
    """``dN/dE = norm (E / pivot)^index``."""

    model: Literal["power_law"] = "power_law"
    norm: FluxDensity
    """Photon flux density at the pivot energy."""
    pivot: PositiveEnergy
    """Energy at which `norm` is given."""
    index: FiniteFloat
    """Spectral index, negative for a falling spectrum."""

    @property
    def rising(self) -> dict[str, float]:
        """Indices that are likely meant with the other sign, by their key."""
        return _above(0.0, index=self.index)


class CutoffPowerLaw(_Indexed):
    """``dN/dE = norm (E / pivot)^index exp(-E / cutoff)``."""

    model: Literal["cutoff_power_law"] = "cutoff_power_law"
    norm: FluxDensity
    """Photon flux density at the pivot energy, but for the factor exp(-pivot / cutoff)."""
    pivot: PositiveEnergy
    """Energy at which `norm` is given."""
    index: FiniteFloat
    """Spectral index far below the cut-off, negative for a falling spectrum."""
    cutoff: PositiveEnergy
    """E-folding energy of the cut-off."""

    @property
    def rising(self) -> dict[str, float]:
        """Indices that are likely meant with the other sign, by their key."""
        return _above(1.0, index=self.index)


class Band(Section):
    """Gamma-ray burst spectrum of Band et al. (1993).

    ``norm (E / pivot)^alpha exp(-(2 + alpha) E / peak)`` up to the break energy
    ``(alpha - beta) peak / (2 + alpha)``, and a power law of index `beta` above, smoothly joined.
    """

    model: Literal["band"] = "band"
    norm: FluxDensity
    """Normalisation of the low-energy power law at the pivot energy."""
    pivot: PositiveEnergy = "100 keV"
    """Energy at which `norm` is given."""
    alpha: Annotated[FiniteFloat, Field(gt=-2)]
    """Low-energy index, above -2 (there is no peak otherwise)."""
    beta: FiniteFloat
    """High-energy index, below `alpha`."""
    peak: PositiveEnergy
    """Energy of the maximum of E^2 dN/dE (if `beta` is below -2)."""

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.alpha <= self.beta:
            raise ValueError(
                f"alpha = {self.alpha:g} is not above beta = {self.beta:g}: the spectrum must be "
                "steeper above the break than below, as in alpha = -1, beta = -2.3"
            )
        return self


class BrokenPowerLaw(_Indexed):
    """``norm (E / break_energy)^index_low`` below the break, with `index_high` above."""

    model: Literal["broken_power_law"] = "broken_power_law"
    norm: FluxDensity
    """Photon flux density at the break energy."""
    break_energy: PositiveEnergy
    """Energy at which the index changes."""
    index_low: FiniteFloat
    """Spectral index below the break."""
    index_high: FiniteFloat
    """Spectral index above the break."""

    @property
    def rising(self) -> dict[str, float]:
        """Indices that are likely meant with the other sign, by their key."""
        return _above(1.0, index_low=self.index_low) | _above(0.0, index_high=self.index_high)


class LogParabola(_Indexed):
    """``dN/dE = norm (E / pivot)^(index - curvature ln(E / pivot))``, natural logarithm."""

    model: Literal["log_parabola"] = "log_parabola"
    norm: FluxDensity
    """Photon flux density at the pivot energy."""
    pivot: PositiveEnergy
    """Energy at which `norm` and `index` are given."""
    index: FiniteFloat
    """Spectral index at the pivot energy, negative for a falling spectrum."""
    curvature: FiniteFloat
    """Curvature for the natural logarithm; positive: steeper at higher energies."""

    @property
    def rising(self) -> dict[str, float]:
        """Indices that are likely meant with the other sign, by their key."""
        return _above(1.0, index=self.index)


class GaussianLine(Section):
    """``dN/dE = flux / (sqrt(2 pi) sigma) exp(-(E - energy)^2 / (2 sigma^2))``."""

    model: Literal["gaussian_line"] = "gaussian_line"
    flux: PhotonFlux
    """Photon flux of the whole line."""
    energy: PositiveEnergy
    """Centre of the line, as 511 keV or 1809 keV."""
    sigma: PositiveEnergy
    """Standard deviation, at most a fifth of the energy; the resolution of the instrument is not
    part of it."""

    @model_validator(mode="after")
    def _check_width(self) -> Self:
        energy, sigma = to_value(self.energy, "keV"), to_value(self.sigma, "keV")
        if sigma > energy / _LEAST_SIGMAS:
            raise ValueError(
                f"sigma = {self.sigma} is more than a fifth of the energy {self.energy}: photons "
                "of such a line would have energies below zero; give a narrower one, or a "
                "log_parabola"
            )
        return self


Spectrum = Annotated[
    PowerLaw | CutoffPowerLaw | Band | BrokenPowerLaw | LogParabola | GaussianLine,
    Field(discriminator="model"),
]
