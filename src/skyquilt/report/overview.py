"""The page of all analyses."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from skyquilt.report.flux import best_flux
from skyquilt.report.numbers import area, degrees, extrapolated, number, percent
from skyquilt.report.page import read_script, render
from skyquilt.spectra.energies import flux_range, format_range


class Entry(NamedTuple):
    """One analysis in the list.

    Attributes
    ----------
    path : str
        Its page, from that of the list.
    summary : dict or None
        Content of summary.json; None where there is no map.
    calibration : dict or None
        Content of calibration.json.
    picture : str
        Its map of TS, from the page of the list; "" if there is none.
    note : str
        What else to know of it.
    name : str
        Name of the analysis, where there is no map.
    """

    path: str
    summary: Mapping[str, Any] | None
    calibration: Mapping[str, Any] | None
    picture: str = ""
    note: str = ""
    name: str = ""


def overview_page(entries: Sequence[Entry], seal: str = "") -> str:
    """The page of all analyses as HTML, brightest first; `seal` is its provenance."""
    rows = [
        {
            "name": entry.name if entry.summary is None else entry.summary["analysis"],
            "path": entry.path,
            "picture": entry.picture,
            "note": entry.note,
            "cells": _cells(entry),
        }
        for entry in sorted(entries, key=_ts, reverse=True)
    ]
    return render("index.html", {"rows": rows, "scripts": [read_script("tables.js")]}, seal)


def _ts(entry: Entry) -> float:
    best = None if entry.summary is None else entry.summary["best"]
    return best["ts"] if best else 0.0


def _p_value(null: Mapping[str, Any]) -> str:
    if null["p_value_from"] == "skies":
        return number(null["p_value"], 2)
    if null["p_value_from"] == "limit":
        return f"below {number(null['p_value'], 2)}"
    return extrapolated(null["p_value"])


def _cells(entry: Entry) -> list[str]:
    if entry.summary is None:
        return ["\N{EN DASH}"] * 6
    best, region = entry.summary["best"], entry.summary["credible"][-1]
    p_value = _p_value(entry.calibration["null"]) if entry.calibration else "\N{EN DASH}"
    if best is None:
        return ["0", *["\N{EN DASH}"] * 4, p_value]
    return [
        number(best["ts"]),
        degrees(best["icrs"]["lon"]),
        degrees(best["icrs"]["lat"]),
        f"{area(region['area_deg2'])} ({percent(region['level'])})",
        f"{best_flux(entry.summary)} ({format_range(*flux_range(entry.summary))})",
        p_value,
    ]
