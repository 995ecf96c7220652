"""Formulas of the spectral models: the logarithm of dN/dE over the norm.

As logarithms, a large power times a small exponential stays finite. Each is analytic in its
parameters, which are numbers or arrays, so that a complex step gives their derivatives. Energies
are in keV.
"""

from collections.abc import Callable

import numpy as np


def power_law(energy: np.ndarray, pivot: np.ndarray, index: np.ndarray) -> np.ndarray:
    """``(E / pivot)^index``."""
    return index * np.log(energy / pivot)


def cutoff_power_law(
    energy: np.ndarray, pivot: np.ndarray, index: np.ndarray, cutoff: np.ndarray
) -> np.ndarray:
    """``(E / pivot)^index exp(-E / cutoff)``."""
    return index * np.log(energy / pivot) - energy / cutoff


def band(
    energy: np.ndarray, pivot: np.ndarray, alpha: np.ndarray, beta: np.ndarray, peak: np.ndarray
) -> np.ndarray:
    """Band et al. 1993, ApJ 413, 281, eq. 1, with the peak energy instead of the e-folding one."""
    fold = peak / (2 + alpha)
    log_energy = np.log(energy / pivot)
    step = alpha - beta
    log_break = np.log(band_break(alpha, beta, peak) / pivot)
    low = alpha * log_energy - energy / fold
    high = beta * log_energy + step * (log_break - 1)
    return np.where(energy < np.real(band_break(alpha, beta, peak)), low, high)


def band_break(alpha: np.ndarray, beta: np.ndarray, peak: np.ndarray) -> np.ndarray:
    """Energy above which a Band spectrum is a power law [keV]."""
    return (alpha - beta) * (peak / (2 + alpha))


def broken_power_law(
    energy: np.ndarray, break_energy: np.ndarray, index_low: np.ndarray, index_high: np.ndarray
) -> np.ndarray:
    """``(E / break_energy)^index_low`` below the break, with `index_high` above."""
    log_energy = np.log(energy / break_energy)
    return np.where(np.real(log_energy) < 0, index_low, index_high) * log_energy


def log_parabola(
    energy: np.ndarray, pivot: np.ndarray, index: np.ndarray, curvature: np.ndarray
) -> np.ndarray:
    """``(E / pivot)^(index - curvature ln(E / pivot))``."""
    log_energy = np.log(energy / pivot)
    return (index - curvature * log_energy) * log_energy


LOG_SHAPES: dict[str, Callable[..., np.ndarray]] = {
    "power_law": power_law,
    "cutoff_power_law": cutoff_power_law,
    "band": band,
    "broken_power_law": broken_power_law,
    "log_parabola": log_parabola,
}
"""Formulas by the name that a configuration gives them."""
