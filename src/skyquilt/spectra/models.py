"""Photon flux density of each spectral model.

The formulas are written here instead of taken from `astropy.modeling`, whose import takes 1 s,
more than all other work on a spectrum; the tests compare the two. Each formula is the
logarithm of dN/dE over the norm, so that a large power times a small exponential stays finite.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skyquilt.config.spectrum import (
    Band,
    BrokenPowerLaw,
    CutoffPowerLaw,
    LogParabola,
    PowerLaw,
    Spectrum,
)
from skyquilt.config.units import to_value


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
        Photon flux density [ph cm-2 s-1 keV-1]; infinite where it overflows.

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
    norm = to_value(spectrum.norm, "cm-2 s-1 keV-1")
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return norm * np.exp(_LOG_SHAPE[spectrum.model](spectrum, energy))


def corners(spectrum: Spectrum) -> list[float]:
    """Energies [keV] between which the spectrum is smooth on the scale of a decade.

    These are the break energy of a broken power law and of a Band spectrum, and the maximum of
    the photons per logarithmic energy of a log parabola, which a large curvature makes narrow.
    """
    match spectrum:
        case BrokenPowerLaw():
            return [to_value(spectrum.break_energy, "keV")]
        case Band():
            return [_band_break(spectrum)]
        case LogParabola() if spectrum.curvature != 0:
            pivot = to_value(spectrum.pivot, "keV")
            with np.errstate(over="ignore", under="ignore"):
                return [float(pivot * np.exp((spectrum.index + 1) / (2 * spectrum.curvature)))]
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
    if isinstance(spectrum, Band) or spectrum.rises or not spectrum.rising:
        return None
    key, index = next(iter(spectrum.rising.items()))
    return (
        f"{key} {index:g} is that of a spectrum that rises with energy; programs that leave the "
        f"sign out, as gammapy, mean {-index:g}. `rises: true` beside it says that it is meant."
    )


def _power_law(spectrum: PowerLaw, energy: np.ndarray) -> np.ndarray:
    return spectrum.index * _log_ratio(energy, spectrum.pivot)


def _cutoff_power_law(spectrum: CutoffPowerLaw, energy: np.ndarray) -> np.ndarray:
    power = spectrum.index * _log_ratio(energy, spectrum.pivot)
    return power - energy / to_value(spectrum.cutoff, "keV")


def _band(spectrum: Band, energy: np.ndarray) -> np.ndarray:
    fold = to_value(spectrum.peak, "keV") / (2 + spectrum.alpha)
    log_energy = _log_ratio(energy, spectrum.pivot)
    step = spectrum.alpha - spectrum.beta
    log_break = np.log(_band_break(spectrum) / to_value(spectrum.pivot, "keV"))
    low = spectrum.alpha * log_energy - energy / fold
    high = spectrum.beta * log_energy + step * (log_break - 1)
    return np.where(energy < _band_break(spectrum), low, high)


def _band_break(spectrum: Band) -> float:
    fold = to_value(spectrum.peak, "keV") / (2 + spectrum.alpha)
    return (spectrum.alpha - spectrum.beta) * fold


def _broken_power_law(spectrum: BrokenPowerLaw, energy: np.ndarray) -> np.ndarray:
    log_energy = _log_ratio(energy, spectrum.break_energy)
    return np.where(log_energy < 0, spectrum.index_low, spectrum.index_high) * log_energy


def _log_parabola(spectrum: LogParabola, energy: np.ndarray) -> np.ndarray:
    log_energy = _log_ratio(energy, spectrum.pivot)
    return (spectrum.index - spectrum.curvature * log_energy) * log_energy


def _log_ratio(energy: np.ndarray, reference: str) -> np.ndarray:
    return np.log(energy / to_value(reference, "keV"))


_LOG_SHAPE: dict[str, Callable[[Any, np.ndarray], np.ndarray]] = {
    "power_law": _power_law,
    "cutoff_power_law": _cutoff_power_law,
    "band": _band,
    "broken_power_law": _broken_power_law,
    "log_parabola": _log_parabola,
}
