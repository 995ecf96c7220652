"""The result of an analysis for alerts: numbers for programs, and the text of a circular."""

from collections.abc import Mapping
from datetime import UTC, datetime
from math import acos, degrees, pi, radians
from pathlib import Path
from textwrap import fill
from typing import Any

from skyquilt.report.numbers import SIMULATED
from skyquilt.spectra.energies import flux_range, format_range

UNIT, ENERGY_UNIT = "ph cm-2 s-1", "erg cm-2 s-1"


def make_notice(
    summary: Mapping[str, Any],
    folder: Path,
    confidence_level: float,
    ellipse: Mapping[str, float] | None,
    p_value: float | None,
    p_value_from: str | None = None,
) -> dict[str, Any]:
    """Position, regions, flux, significance, times and files.

    Parameters
    ----------
    summary : dict
        Content of `summary.json`.
    folder : Path
        Where it is.
    confidence_level : float
        Of the upper limit.
    ellipse : dict or None
        Ellipse of the error of the position, see `ErrorEllipse`.
    p_value : float or None
        Probability of a TS as large anywhere on the sky without a source, from simulated skies.
    p_value_from : {"skies", "limit", "extrapolation"}, optional
        How the skies tell it: counted, as a limit, or beyond what was simulated.

    Returns
    -------
    dict
        Plain values; None where something is not known.
    """
    best = summary["best"]
    low, high = summary["energy_range_keV"]
    return {
        "analysis": summary["analysis"],
        "instrument": summary.get("instrument"),
        "time": _time(summary.get("time_span")),
        "energy_range_keV": [low, high],
        "ts": None if best is None else best["ts"],
        "sqrt_ts": None if best is None else best["sqrt_ts"],
        "p_value": p_value,
        "p_value_from": None if p_value is None else p_value_from,
        "position": None if best is None else _position(best),
        "error_ellipse": None if best is None or ellipse is None else dict(ellipse),
        "systematic_error_deg": summary.get("systematic_error_deg"),
        "regions": [_region(region, folder) for region in summary["credible"]],
        "flux": None if best is None else _flux(summary, "photon_flux", UNIT, confidence_level),
        "energy_flux": None
        if best is None or best.get("energy_flux") is None
        else _flux(summary, "energy_flux", ENERGY_UNIT, confidence_level),
        "spectrum": summary.get("spectrum"),
        "files": {
            "summary": str(folder / "summary.json"),
            "maps": str(folder / "maps.fits"),
            **{name: str(folder / path) for name, path in summary["files"].items()},
        },
    }


def _time(span: Any) -> dict[str, Any] | None:
    if span is None:
        return None
    start, stop = span
    return {
        "start_utc": format_time(start),
        "stop_utc": format_time(stop),
        "start_unix_s": start,
        "stop_unix_s": stop,
        "duration_s": stop - start,
    }


def format_time(unix: float) -> str:
    """Date and time in UTC.

    Examples
    --------
    >>> format_time(1835478010.25)
    '2028-02-29T23:00:10.250Z'
    """
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="milliseconds")[:23] + "Z"


def _position(best: Mapping[str, Any]) -> dict[str, float]:
    icrs, galactic = best["icrs"], best["galactic"]
    return {"ra": icrs["lon"], "dec": icrs["lat"], "l": galactic["lon"], "b": galactic["lat"]}


def _region(region: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    area = region["area_deg2"]
    return {
        "level": region["level"],
        "area_deg2": area,
        "radius_of_same_area_deg": degrees(acos(1 - radians(radians(area)) / (2 * pi))),
        "n_parts": region["n_parts"],
        "moc": str(folder / region["files"]["moc"]),
        "ds9": str(folder / region["files"]["ds9"]),
    }


def _flux(
    summary: Mapping[str, Any], name: str, unit: str, confidence_level: float
) -> dict[str, Any]:
    """Photon or energy flux at the best position."""
    best = summary["best"]
    scale = best[name] / best["flux"]
    low, high = best.get("flux_err_lo"), best.get("flux_err_hi")
    if low is None or high is None:
        low = high = best.get("flux_err")
    limit = best.get("flux_ul")
    return {
        "value": best[name],
        "err_lo": None if low is None else scale * low,
        "err_hi": None if high is None else scale * high,
        "upper_limit": None if limit is None else scale * limit,
        "confidence_level": None if limit is None else confidence_level,
        "unit": unit,
        "energy_range_keV": list(flux_range(summary)),
        "of_reference": best["flux"],
    }


def format_circular(notice: Mapping[str, Any]) -> str:
    """Text of a circular, as for GCN: to be read, completed and sent by a person.

    Parameters
    ----------
    notice : dict
        What `make_notice` gives.
    """
    position = notice["position"]
    if position is None:
        return f"{notice['analysis']}: no position prefers a source; there is nothing to report.\n"
    paragraphs = [
        f"SUBJECT: {notice['analysis']}: localisation with skyquilt",
        _detection(notice),
        _where(notice),
        *_how_sure(notice),
        _how_bright(notice),
        f"The sky map is {notice['files']['multiorder']}; numbers are those of "
        f"{notice['files']['summary']}.",
    ]
    lines = [_wrap(line) for text in paragraphs for line in (*text.splitlines(), "")]
    return "\n".join(lines).replace("\N{EN DASH}", "-")


def _wrap(line: str) -> str:
    """A line of prose in lines of at most 78 letters; paths stay whole."""
    if line.startswith(" "):
        return line
    return fill(line, 78, break_long_words=False, break_on_hyphens=False)


def _detection(notice: Mapping[str, Any]) -> str:
    time = notice["time"]
    when = ""
    if time is not None:
        when = f" from {time['start_utc']} to {time['stop_utc']} ({time['duration_s']:.6g} s)"
    chance = ""
    if notice["p_value"] is not None:
        chance = f"; a sky without a source has as much with a probability of {_chance(notice)}"
    return (
        f"In data of a {notice['instrument']} instrument{when}, in "
        f"{format_range(*notice['energy_range_keV'])}, a source is found with a test statistic of "
        f"{notice['ts']:.1f} (square root {notice['sqrt_ts']:.1f}){chance}."
    )


def _chance(notice: Mapping[str, Any]) -> str:
    """Probability as text; far beyond what was simulated only that it is small."""
    p_value, origin = notice["p_value"], notice["p_value_from"]
    if origin == "limit":
        return f"less than {p_value:.2g}"
    if origin == "extrapolation":
        shown = "less than 1e-6" if p_value < SIMULATED else f"{p_value:.2g}"
        return f"{shown} (extrapolated)"
    return f"{p_value:.2g}"


def _where(notice: Mapping[str, Any]) -> str:
    position = notice["position"]
    return (
        "The best position (J2000) is\n\n"
        f"  RA  = {position['ra']:.3f} deg ({sexagesimal(position['ra'] / 15, 'hms')})\n"
        f"  Dec = {position['dec']:+.3f} deg ({sexagesimal(position['dec'], 'dms')})\n"
        f"  l, b = {position['l']:.3f}, {position['b']:+.3f} deg"
    )


def _how_sure(notice: Mapping[str, Any]) -> list[str]:
    texts = [
        f"The {100 * region['level']:g} % credible region has {region['area_deg2']:.3g} deg2, as a "
        f"circle of radius {region['radius_of_same_area_deg']:.3g} deg"
        + (f", in {region['n_parts']} parts" if region["n_parts"] > 1 else "")
        + "."
        for region in notice["regions"]
    ]
    if ellipse := notice["error_ellipse"]:
        texts.append(
            f"The ellipse of {100 * ellipse['level']:g} % has semi-axes of "
            f"{ellipse['semi_major_deg']:.3g} and {ellipse['semi_minor_deg']:.3g} deg, the larger "
            f"at a position angle of {ellipse['position_angle_deg']:.0f} deg (north through east)."
        )
    if error := notice["systematic_error_deg"]:
        texts.append(f"Both allow for a systematic error of {error:.2g} deg along each axis.")
    return ["\n".join(texts)] if texts else []


def _how_bright(notice: Mapping[str, Any]) -> str:
    flux, energy_flux = notice["flux"], notice["energy_flux"]
    limit = ""
    if flux["upper_limit"] is not None:
        level = f"{100 * flux['confidence_level']:g} %"
        limit = f" (upper limit {flux['upper_limit']:.3g} at {level})"
    energy = "" if energy_flux is None else f", the energy flux {_value(energy_flux)}"
    return (
        f"The photon flux in {format_range(*flux['energy_range_keV'])} is {_value(flux)}{limit}"
        f"{energy}, for the spectrum {notice['spectrum']}."
    )


def _value(flux: Mapping[str, Any]) -> str:
    """Flux with its errors and its unit."""
    errors = ""
    if flux["err_lo"] is not None:
        errors = f" -{flux['err_lo']:.2g} +{flux['err_hi']:.2g}"
    return f"{flux['value']:.3g}{errors} {flux['unit']}"


def sexagesimal(value: float, units: str) -> str:
    """Hours or degrees, minutes and seconds.

    Examples
    --------
    >>> sexagesimal(23.721667, "hms"), sexagesimal(-0.5, "dms")
    ('23h43m18.0s', "-00d30'00''")
    """
    is_time = units == "hms"
    steps = round(abs(value) * (36000 if is_time else 3600))  # of a tenth of a second, of an arcsec
    if is_time:
        steps %= 864000
        hours, rest = divmod(steps, 36000)
        minutes, seconds = divmod(rest, 600)
        return f"{hours:02d}h{minutes:02d}m{seconds / 10:04.1f}s"
    degree, rest = divmod(steps, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{'-' if value < 0 else '+'}{degree:02d}d{minutes:02d}'{seconds:02d}''"
