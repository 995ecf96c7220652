"""Energies in the unit in which people write them."""

from collections.abc import Mapping
from typing import Any

ERG = 1.602176634e-9
"""A keV [erg]."""

_UNITS = {"TeV": 1e9, "GeV": 1e6, "MeV": 1e3, "keV": 1.0}  # [keV]


def energy_unit(low: float) -> tuple[str, float]:
    """Largest unit in which an energy is 1 or more.

    Parameters
    ----------
    low : float
        Lowest energy to be written [keV].

    Returns
    -------
    name : {"keV", "MeV", "GeV", "TeV"}
        The unit; keV for anything below 1 MeV.
    size : float
        The unit [keV].

    Examples
    --------
    >>> energy_unit(10e6)
    ('GeV', 1000000.0)
    """
    is_rounded = 1 - 1e-6  # an edge of 1 TeV, converted, may be a little less
    name = next((name for name, size in _UNITS.items() if low >= size * is_rounded), "keV")
    return name, _UNITS[name]


def flux_range(about: Mapping[str, Any]) -> tuple[float, float]:
    """Energies [keV] in which photon fluxes are told, from a description or a summary.

    Examples
    --------
    >>> flux_range({"energy_range_keV": (1.0, 2.0), "flux_range_keV": None})
    (1.0, 2.0)
    """
    low, high = about.get("flux_range_keV") or about["energy_range_keV"]
    return low, high


def format_range(low: float, high: float) -> str:
    """Range of energies.

    Parameters
    ----------
    low, high : float
        The energies [keV].

    Examples
    --------
    >>> format_range(251.189, 1584.89), format_range(1.778e9, 1.77e11)
    ('251–1585 keV', '1.78–177 TeV')
    """
    name, size = energy_unit(low)
    return f"{_number(low / size)}\N{EN DASH}{_number(high / size)} {name}"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
