"""Figures of the page of an analysis: text alternatives and captions."""

from collections.abc import Mapping, Sequence
from typing import Any

from skyquilt.report.content import Products
from skyquilt.report.numbers import area, degrees, number
from skyquilt.report.page import Picture, read_picture

MAPS = {
    "flux": "Best photon flux of a source in each direction; faded where its TS is below 4, for "
    "there it is an error and no flux.",
    "sensitivity": "Photon flux that a source in each direction needs for a TS of about 25: five "
    "times the error of the fitted flux.",
    "limit": "Upper limit of the photon flux in each direction.",
    "background-norm": "Best factor on the background in each direction.",
    "template": "Spectrum with the largest TS in each direction.",
}
"""Captions of maps beside that of TS, by name."""

_REGIONS = {
    "credible": "{level} credible region: the smallest that holds {level} of the probability of "
    "the position. This is the one to use.",
    "containment": "{level} containment region: where TS is at most {threshold} below its maximum; "
    "statistical error only, for comparison with other codes.",
}


def read_figures(products: Products, names: Sequence[str]) -> list[Picture]:
    """Those of some figures that there are, in this order."""
    by_name = {path.stem: path for path in products.plots}
    return [
        read_picture(by_name[name], *_describe(name, products.summary))
        for name in names
        if name in by_name
    ]


def _describe(name: str, summary: Mapping[str, Any]) -> tuple[str, str]:
    """Text alternative and caption of a figure."""
    best = summary["best"]
    peak = "no source is preferred anywhere"
    if best:
        position = best[summary["frame"]]
        peak = (
            f"the largest TS is {number(best['ts'])} at longitude {degrees(position['lon'])}, "
            f"latitude {degrees(position['lat'])}"
        )
    frame = {"galactic": "galactic coordinates", "icrs": "ICRS"}[summary["frame"]]
    if name == "ts":
        caption = "Test statistic (TS): how much better a source in each direction fits than none."
        return f"Map of the test statistic in {frame}; {peak}.", caption
    if name in MAPS:
        return f"Map in {frame}: {MAPS[name].lower()}", MAPS[name]
    if name == "zoom":
        return (
            f"Test statistic around its maximum, with the regions; {peak}.",
            "Test statistic around its maximum, with the credible regions.",
        )
    if name == "ts-histogram":
        return (
            "Number of pixels against TS, with the expectation of noise alone.",
            "Pixels per TS. Noise alone follows the line; a source stands above it.",
        )
    kind, _, level = name.partition("-")
    if kind in _REGIONS:
        region = next((r for r in summary[kind] if level == f"{100 * r['level']:g}"), None)
        extent = f" of {area(region['area_deg2'])}" if region else ""
        threshold = number(region["threshold"]) if region else "so much"
        caption = _REGIONS[kind].format(level=f"{level} %", threshold=threshold)
        return f"Outline of the {level} % {kind} region{extent} in {frame}.", caption
    caption = (
        "Counts per measured energy: data, background model, what the best source adds to it, and "
        "what is left of the data in standard deviations."
    )
    return "Counts per measured energy: data, background model and terms.", caption
