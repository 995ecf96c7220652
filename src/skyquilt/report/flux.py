"""Fluxes of a page: photon fluxes in one unit, with their errors, band and limit."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from skyquilt.report.numbers import FLUX_UNIT, number, percent, with_error, with_errors
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
    if (limit := best.get("flux_ul")) is not None:
        text = f"{number(limit * _per_flux(best))} {FLUX_UNIT}"
        rows.append([f"{percent(confidence_level)} upper limit, {band}", text])
    return rows


def best_flux(summary: Mapping[str, Any]) -> str:
    """Photon flux at the best position with its errors, without unit."""
    best = summary["best"]
    scale = _per_flux(best)
    low, high, error = (best.get(f"flux_err{end}") for end in ("_lo", "_hi", ""))
    if low is not None and high is not None:
        return with_errors(best["photon_flux"], scale * low, scale * high)
    return with_error(best["photon_flux"], None if error is None else scale * error)


def source_flux(source: Mapping[str, Any]) -> str:
    """Photon flux of a source of the list with its error, without unit."""
    value, error = source["photon_flux"], source["photon_flux_err"]
    return with_error(value, error if isfinite(error) else None)


def _per_flux(best: Mapping[str, Any]) -> float:
    """Photon flux of a flux of one, which fits tell in multiples of the reference spectrum."""
    return best["photon_flux"] / best["flux"]
