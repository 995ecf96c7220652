"""Fluxes of a page: photon and energy fluxes, with errors, band and limit."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from skyquilt.report.numbers import (
    ENERGY_FLUX_UNIT,
    FLUX_UNIT,
    number,
    percent,
    with_error,
    with_errors,
)
from skyquilt.spectra.energies import flux_range, format_range


def flux_rows(summary: Mapping[str, Any], confidence_level: float) -> list[list[str]]:
    """Rows of a table: the flux at the best position, and its upper limit where it has one.

    Parameters
    ----------
    summary : dict
        Content of summary.json.
    confidence_level : float
        Of the upper limit.
    """
    best, band = summary["best"], format_range(*flux_range(summary))
    rows = [[f"photon flux, {band}", f"{best_flux(summary)} {FLUX_UNIT}"]]
    if best.get("energy_flux") is not None:
        value = _with_errors(best, "energy_flux")
        rows.append([f"energy flux, {band}", f"{value} {ENERGY_FLUX_UNIT}"])
    if (limit := best.get("flux_ul")) is not None:
        text = f"{number(limit * best['photon_flux'] / best['flux'])} {FLUX_UNIT}"
        rows.append([f"{percent(confidence_level)} upper limit, {band}", text])
    return rows


def best_flux(summary: Mapping[str, Any]) -> str:
    """Photon flux at the best position with its errors, without unit."""
    return _with_errors(summary["best"], "photon_flux")


def source_flux(source: Mapping[str, Any]) -> str:
    """Photon flux of a source of the list with its error, without unit."""
    value, error = source["photon_flux"], source["photon_flux_err"]
    return with_error(value, error if isfinite(error) else None)


def _with_errors(best: Mapping[str, Any], name: str) -> str:
    """Photon or energy flux with its errors; fits tell these in multiples of the reference."""
    scale = best[name] / best["flux"]
    low, high, error = (best.get(f"flux_err{end}") for end in ("_lo", "_hi", ""))
    if low is not None and high is not None:
        return with_errors(best[name], scale * low, scale * high)
    return with_error(best[name], None if error is None else scale * error)
