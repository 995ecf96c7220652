"""Photon flux per energy bin: Gauss-Legendre quadrature in the logarithm of energy."""

from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from skyquilt.config.spectrum import Spectrum
from skyquilt.errors import ConfigError
from skyquilt.spectra.models import corners, describe, evaluate

_UNITS = ("ph cm-2 s-1", "keV cm-2 s-1")  # by the power of the energy

# Relative change from one order to the next at which a bin is done. The error of the higher
# order is far below the change, and 1e-6 is promised.
_TOLERANCE = 1e-8
_ORDERS = (16, 32, 64, 128, 256, 512)


def integrate(spectrum: Spectrum, edges: ArrayLike) -> np.ndarray:
    """Photon flux of a spectrum in each energy bin, to 1e-6 relative.

    The order of the quadrature doubles until the flux of every bin stays the same; bins are
    divided where the spectrum has a corner.

    Parameters
    ----------
    spectrum : Spectrum
        Section `spectrum` of an analysis.
    edges : array_like of float, shape (n + 1,)
        Bin edges [keV], above zero and ascending.

    Returns
    -------
    ndarray of float64, shape (n,)
        Photon flux [ph cm-2 s-1]. A bin far above a cut-off may hold 0, the nearest number.

    Raises
    ------
    ValueError
        If the edges are fewer than two, not above zero, not finite or not ascending.
    ConfigError
        If the flux of a bin overflows or does not converge, or if every bin holds 0.

    Examples
    --------
    >>> from skyquilt.config.spectrum import PowerLaw
    >>> spectrum = PowerLaw(
    ...     model="power_law", norm="1 cm-2 s-1 keV-1", pivot="1 keV", index=-2
    ... )
    >>> integrate(spectrum, [1, 2, 4]).round(12)
    array([0.5 , 0.25])
    """
    return _integrate(spectrum, edges, power=0)


def integrate_energy(spectrum: Spectrum, edges: ArrayLike) -> np.ndarray:
    """Energy flux of a spectrum in each energy bin, as `integrate` does the photon flux.

    Returns
    -------
    ndarray of float64, shape (n,)
        Energy flux [keV cm-2 s-1].

    Examples
    --------
    >>> from skyquilt.config.spectrum import PowerLaw
    >>> spectrum = PowerLaw(
    ...     model="power_law", norm="1 cm-2 s-1 keV-1", pivot="1 keV", index=-3
    ... )
    >>> integrate_energy(spectrum, [1, 2, 4]).round(12)
    array([0.5 , 0.25])
    """
    return _integrate(spectrum, edges, power=1)


def mean_energy(spectrum: Spectrum, low: float, high: float) -> float:
    """Mean energy of the photons of a spectrum between two energies [keV].

    It makes energy fluxes of photon fluxes in the same energies.

    Examples
    --------
    >>> from skyquilt.config.spectrum import PowerLaw
    >>> spectrum = PowerLaw(
    ...     model="power_law", norm="1 cm-2 s-1 keV-1", pivot="1 keV", index=-3
    ... )
    >>> round(mean_energy(spectrum, 1, 2), 12)
    1.333333333333
    """
    edges = [low, high]
    return float(integrate_energy(spectrum, edges)[0] / integrate(spectrum, edges)[0])


def _integrate(spectrum: Spectrum, edges: ArrayLike, power: int) -> np.ndarray:
    """Integral of a spectrum times a power of the energy."""
    edges = _checked_edges(edges)
    flux, is_converged = _converged_flux(spectrum, edges, power)
    is_over, unit = ~np.isfinite(flux), _UNITS[power]
    _refuse(spectrum, edges, flux, unit, is_over, "the flux overflows")
    _refuse(spectrum, edges, flux, unit, ~is_converged, "the integral does not converge")
    if not flux.any():
        _refuse(spectrum, edges, flux, unit, flux == 0, "the flux is zero in every bin")
    return flux


def _checked_edges(edges: ArrayLike) -> np.ndarray:
    edges = np.asarray(edges, dtype=float)
    is_good = edges.ndim == 1 and edges.size >= 2 and np.all(np.isfinite(edges)) and edges[0] > 0
    if not (is_good and np.all(np.diff(edges) > 0)):
        raise ValueError(f"energy edges must be two or more, above 0 keV, ascending: {edges}")
    return edges


def _converged_flux(
    spectrum: Spectrum, edges: np.ndarray, power: int
) -> tuple[np.ndarray, np.ndarray]:
    """Flux per bin, and whether the last two orders agree."""
    borders, first = _pieces(spectrum, edges)
    before = _quadrature(spectrum, borders, first, _ORDERS[0], power)
    for order in _ORDERS[1:]:
        flux = _quadrature(spectrum, borders, first, order, power)
        # Below the smallest normal number digits are lost, and any two orders agree.
        with np.errstate(invalid="ignore"):
            change = np.abs(flux - before)
        is_converged = change <= _TOLERANCE * np.abs(flux) + np.finfo(float).tiny
        # A zero may be a narrow line between the nodes: only the highest order decides.
        if np.all(is_converged & (flux > 0)):
            break
        before = flux
    return flux, is_converged


def _pieces(spectrum: Spectrum, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Borders of the pieces between edges and corners, and the first piece of each bin."""
    inside = [energy for energy in corners(spectrum) if edges[0] < energy < edges[-1]]
    borders = np.union1d(edges, inside)
    return borders, np.searchsorted(borders, edges[:-1])


def _quadrature(
    spectrum: Spectrum, borders: np.ndarray, first: np.ndarray, order: int, power: int
) -> np.ndarray:
    """Flux per bin by Gauss-Legendre quadrature of one order on each piece."""
    nodes, weights = _legendre(order)
    half_width = np.log(borders[1:] / borders[:-1])[:, None] / 2
    energy = borders[:-1, None] * np.exp(half_width * (1 + nodes))
    with np.errstate(over="ignore", invalid="ignore"):
        density = evaluate(spectrum, energy)
        if power:
            density = density * energy**power
        return np.add.reduceat(np.sum(weights * half_width * energy * density, axis=1), first)


@cache
def _legendre(order: int) -> tuple[np.ndarray, np.ndarray]:
    return np.polynomial.legendre.leggauss(order)


def _refuse(
    spectrum: Spectrum,
    edges: np.ndarray,
    flux: np.ndarray,
    unit: str,
    is_bad: np.ndarray,
    fault: str,
) -> None:
    if is_bad.any():
        index = int(np.argmax(is_bad))
        raise ConfigError(
            f"spectrum ({describe(spectrum)}): {fault}: {flux[index]:g} {unit} from "
            f"{edges[index]:g} to {edges[index + 1]:g} keV; a flux must be finite and above zero. "
            "Check norm, energies and indices, and their units."
        )
