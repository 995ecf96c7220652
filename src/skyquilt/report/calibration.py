"""What simulated skies say, as a section of a page."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from skyquilt.report.numbers import degrees, extrapolated, number, percent, with_error
from skyquilt.report.page import PageSection, Table, read_picture

_PLOTS = {
    "maxima": (
        "Fraction of simulated skies without a source whose largest TS passes a value, with the "
        "extrapolation and the observed TS.",
        "Largest TS of skies without a source.",
    ),
    "coverage": (
        "Fraction of injected sources inside the containment region against its level; right "
        "regions follow the diagonal.",
        "Coverage of containment regions.",
    ),
    "detection": (
        "Against the injected flux: fraction of sources detected, mean and width of the pull of "
        "the flux, offsets of detected sources.",
        "Injected sources.",
    ),
}


def section(content: Mapping[str, Any], plots: Sequence[Path]) -> PageSection:
    """Section of the page.

    Parameters
    ----------
    content : dict
        Content of calibration.json.
    plots : sequence of Path
        PNG files of its figures.
    """
    null, injected = content["null"], content["injected"]
    by_name = {path.stem: path for path in plots}
    return PageSection(
        "calibration",
        "Calibration",
        texts=[_p_value(null)],
        tables=[_by_flux(injected), *_regions(injected)],
        figures=[
            read_picture(by_name[name], *texts) for name, texts in _PLOTS.items() if name in by_name
        ],
    )


def _p_value(null: Mapping[str, Any]) -> str:
    counted = f"{null['n_above']} of {null['n_skies']} simulated skies without a source reach it"
    if null["p_value_from"] == "skies":
        p_value = with_error(null["counted_p_value"], null["counted_p_value_err"])
        return (
            f"Global p-value of the largest TS, {number(null['observed_ts_max'])}: {p_value}; "
            f"{counted}."
        )
    if null["p_value_from"] == "limit":
        return (
            f"Global p-value of the largest TS, {number(null['observed_ts_max'])}: below "
            f"{number(null['p_value'], 2)} (95 %); {counted}, and half of them have no TS above 0."
        )
    return (
        f"Global p-value of the largest TS, {number(null['observed_ts_max'])}: "
        f"{extrapolated(null['p_value'])}; {counted}, which alone says below "
        f"{number(null['counted_p_value_95'][1], 2)} (95 %)."
    )


def _by_flux(injected: Mapping[str, Any]) -> Table:
    rows = [
        [
            number(part["flux"]),
            number(part["median_ts"]),
            with_error(part["efficiency"], part["efficiency_err"]),
            with_error(part["pull_mean"], part["pull_mean_err"]),
            with_error(part["pull_width"], part["pull_width_err"]),
            degrees(part["offset_deg"]["0.68"] if part["offset_deg"] else None),
        ]
        for part in injected["by_flux"]
    ]
    heads = [
        *("injected flux / reference", "median TS"),
        f"detected (TS > {injected['detection_ts']:g})",
        *("pull, mean", "pull, width", "68 % within"),
    ]
    return Table(heads, rows, frozenset(range(6)), "Injected sources")


def _regions(injected: Mapping[str, Any]) -> list[Table]:
    rows = [
        [
            percent(region["level"]),
            number(region["threshold"]),
            with_error(region["coverage"], region["coverage_err"]),
            f"{number(region['corrected_threshold'])} "
            f"({number(region['corrected_threshold_68'][0])} to "
            f"{number(region['corrected_threshold_68'][1])})",
        ]
        for region in injected["all"]["regions"]
    ]
    heads = ["region", "TS below maximum", "coverage", "TS below maximum that covers (68 % range)"]
    caption = "Containment regions of detected sources"
    return [Table(heads, rows, frozenset({1, 2, 3}), caption)] if rows else []
