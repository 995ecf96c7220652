"""The result of an analysis in a few lines of text: what is needed at once."""

from collections.abc import Iterator, Mapping
from math import acos, degrees, pi, radians
from pathlib import Path
from typing import Any

from skyquilt.spectra.energies import flux_range, format_range


def describe_result(summary: Mapping[str, Any], folder: Path, confidence_level: float) -> str:
    """Significance, position, regions and flux, a line each.

    Parameters
    ----------
    summary : dict
        Content of `summary.json`.
    folder : Path
        Where it is, with the files that it names.
    confidence_level : float
        Of the upper limit.
    """
    name, best = summary["analysis"], summary["best"]
    if best is None:
        return f"{name}: no pixel prefers a source -> {folder / 'summary.json'}"
    energies = format_range(*summary["energy_range_keV"])
    lines = [
        f"{name}: TS {best['ts']:.1f}, sqrt(TS) {best['sqrt_ts']:.1f}, {energies}",
        f"  position  {_position(best)}",
        *(f"  region    {_region(region, folder)}" for region in summary["credible"]),
        f"  flux      {_flux(summary, confidence_level)}",
        *_offset(summary),
        f"  files     {folder / summary['files']['multiorder']}, {folder / 'summary.json'}",
    ]
    return "\n".join(lines)


def _position(best: Mapping[str, Any]) -> str:
    icrs, galactic = best["icrs"], best["galactic"]
    return (
        f"RA {icrs['lon']:.3f}, Dec {icrs['lat']:+.3f} (ICRS); "
        f"l {galactic['lon']:.3f}, b {galactic['lat']:+.3f} deg"
    )


def _region(region: Mapping[str, Any], folder: Path) -> str:
    area = region["area_deg2"]
    radius = degrees(acos(1 - radians(radians(area)) / (2 * pi)))
    notes = [f"as a circle of radius {radius:.3g} deg"]
    if not region["is_resolved"]:
        notes.append("not resolved by its cells (`refine.max_order`)")
    if region["n_parts"] > 1:
        notes.append(f"in {region['n_parts']} parts")
    if region["is_cut"]:
        notes.append("reaches the end of what was fitted")
    return (
        f"{100 * region['level']:g} % credible: {area:.4g} deg2, {', '.join(notes)} -> "
        f"{folder / region['files']['moc']}"
    )


def _flux(summary: Mapping[str, Any], confidence_level: float) -> str:
    """Photon flux with errors, upper limit and energies."""
    best, band = summary["best"], format_range(*flux_range(summary))
    template = f", spectrum `{best['template']}`" if "template" in best else ""
    scale = best["photon_flux"] / best["flux"]
    low, high = best.get("flux_err_lo"), best.get("flux_err_hi")
    if low is None or high is None:
        low = high = best["flux_err"]
    text = f"{scale * best['flux']:.3g} -{scale * low:.2g} +{scale * high:.2g} ph cm-2 s-1"
    limit = best.get("flux_ul")
    if limit is not None:
        level = f"{100 * confidence_level:g} %"
        text += f", {level} upper limit {scale * limit:.3g} ph cm-2 s-1"
    return f"{text}, {band}{template}"


def _offset(summary: Mapping[str, Any]) -> Iterator[str]:
    """Where the true position is, if one was given."""
    if summary["offset_deg"] is not None:
        inside = [
            f"{'in' if region['contains_true_position'] else 'not in'} {100 * region['level']:g} %"
            for region in summary["credible"]
        ]
        yield f"  truth     {summary['offset_deg']:.3g} deg off, {', '.join(inside)}"
