"""Photon flux density of each spectral model.

The formulas are our own instead of taken from `astropy.modeling`, whose import takes 1 s, more than
all other work on a spectrum; the tests compare the two.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from skyquilt.config.spectrum import (
    Band,
    BrokenPowerLaw,
    GaussianLine,
    LogParabola,
    Spectrum,
)
from skyquilt.config.units import to_value
from skyquilt.spectra.formulas import LOG_SHAPES, band_break

_REACH = 8  # standard deviations of a line; 1e-15 of its photons are beyond


def evaluate(spectrum: Spectrum, energy: ArrayLike) -> np.ndarray:
    """Photon flux density of a spectrum.

    Parameters
    ----------
    spectrum : Spectrum
        Section `spectrum` of an analysis.
    energy : array_like of float
        Energies [keV], above zero.

    Returns
    -------
    ndarray of float64, shape of `energy`
        Photon flux density [ph cm-2 s-1 keV-1]; infinite where it overflows, 0 beyond 8 standard
        deviations of a line.

    Raises
    ------
    ValueError
        If an energy is not above zero.

    References
    ----------
    Band et al. 1993, ApJ 413, 281, eq. 1, with the peak energy instead of the e-folding one.

    Examples
    --------
    >>> from skyquilt.config.spectrum import PowerLaw
    >>> spectrum = PowerLaw(
    ...     model="power_law", norm="10 cm-2 s-1 keV-1", pivot="0.1 MeV", index=-2
    ... )
    >>> evaluate(spectrum, [100, 1000]).round(12)
    array([10. ,  0.1])
    """
    energy = np.asarray(energy, dtype=float)
    if not np.all(energy > 0):
        raise ValueError(f"energies must be above 0 keV: {energy[~(energy > 0)][0]} is not")
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        if isinstance(spectrum, GaussianLine):
            return _evaluate_line(spectrum, energy)
        norm = to_value(spectrum.norm, "cm-2 s-1 keV-1")
        shape = LOG_SHAPES[spectrum.model](energy, **_parameters(spectrum))
        return norm * np.exp(shape)


def corners(spectrum: Spectrum) -> list[float]:
    """Energies [keV] between which the spectrum is smooth on the scale of a decade.

    These are the break energy of a broken power law and of a Band spectrum, and the maximum of
    the photons per logarithmic energy of a log parabola, which a large curvature makes narrow; and
    the places at whole standard deviations from the centre of a line.
    """
    match spectrum:
        case BrokenPowerLaw():
            return [to_value(spectrum.break_energy, "keV")]
        case Band():
            peak = to_value(spectrum.peak, "keV")
            at = np.array([spectrum.alpha, spectrum.beta, peak])
            return [float(band_break(*at))]
        case LogParabola() if spectrum.curvature != 0:
            pivot = to_value(spectrum.pivot, "keV")
            with np.errstate(over="ignore", under="ignore"):
                return [float(pivot * np.exp((spectrum.index + 1) / (2 * spectrum.curvature)))]
        case GaussianLine():
            _, centre, sigma = _line(spectrum)
            around = centre + sigma * np.arange(-_REACH, _REACH + 1)
            return around[around > 0].tolist()
    return []


def describe(spectrum: Spectrum) -> str:
    """One line with the model and its parameters, for headers and messages.

    Examples
    --------
    >>> from skyquilt.config.spectrum import PowerLaw
    >>> describe(PowerLaw(model="power_law", norm="1 cm-2 s-1 keV-1", pivot="100 keV", index=-2))
    'power_law: norm 1 cm-2 s-1 keV-1, pivot 100 keV, index -2'
    """
    parameters = spectrum.model_dump(exclude={"model", "rises"})
    texts = [f"{k} {v if isinstance(v, str) else format(v, 'g')}" for k, v in parameters.items()]
    return f"{spectrum.model}: {', '.join(texts)}"


def doubts(spectrum: Spectrum) -> str | None:
    """What is likely wrong with a spectrum that is possible, in a sentence; None if nothing is.

    Examples
    --------
    >>> from skyquilt.config.spectrum import PowerLaw
    >>> hard = PowerLaw(model="power_law", norm="1 cm-2 s-1 keV-1", pivot="100 keV", index=2.2)
    >>> doubts(hard)[:69]
    'index 2.2 is that of a spectrum that rises with energy; programs that'
    """
    if isinstance(spectrum, Band | GaussianLine) or spectrum.rises or not spectrum.rising:
        return None
    key, index = next(iter(spectrum.rising.items()))
    return (
        f"{key} {index:g} is that of a spectrum that rises with energy; programs that leave the "
        f"sign out, as gammapy, mean {-index:g}. `rises: true` beside it says that it is meant."
    )


def _evaluate_line(spectrum: GaussianLine, energy: np.ndarray) -> np.ndarray:
    """Density of a line; beyond its reach it is 0, so that bins far away hold nothing."""
    flux, centre, sigma = _line(spectrum)
    steps = (energy - centre) / sigma
    density = flux / (math.sqrt(math.tau) * sigma) * np.exp(-0.5 * steps**2)
    return np.where(np.abs(steps) <= _REACH, density, 0.0)


def _line(spectrum: GaussianLine) -> tuple[float, float, float]:
    """Photon flux [ph cm-2 s-1], centre and standard deviation [keV] of a line."""
    energy, sigma = to_value(spectrum.energy, "keV"), to_value(spectrum.sigma, "keV")
    return to_value(spectrum.flux, "cm-2 s-1"), energy, sigma


def _parameters(spectrum: Spectrum) -> dict[str, float]:
    """Parameters of the formula, energies in keV."""
    given = spectrum.model_dump(exclude={"model", "rises", "norm"})
    return {
        name: to_value(value, "keV") if isinstance(value, str) else value
        for name, value in given.items()
    }
