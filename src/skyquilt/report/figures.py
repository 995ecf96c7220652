"""Figures of the page of an analysis: text alternatives and captions."""

from collections.abc import Mapping, Sequence
from typing import Any

from skyquilt.report.content import Products
from skyquilt.report.numbers import area, degrees, number
from skyquilt.report.page import Picture, read_picture

OTHER_MAPS = {
    "limit": "Upper limit of the flux in each direction.",
    "background-norm": "Best factor on the background in each direction.",
    "template": "Spectrum with the largest TS in each direction.",
}
"""Captions of maps that only some fits give, by name."""


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
        return f"Map of the test statistic in {frame}; {peak}.", "Test statistic."
    if name == "flux":
        return f"Map of the best flux in {frame}.", "Best flux of a source in each direction."
    if name in OTHER_MAPS:
        return f"Map in {frame}: {OTHER_MAPS[name].lower()}", OTHER_MAPS[name]
    if name == "zoom":
        return (
            f"Test statistic around its maximum, with the regions; {peak}.",
            "Around the maximum.",
        )
    if name.startswith("containment-"):
        region = next(
            (r for r in summary["containment"] if name == f"containment-{100 * r['level']:g}"), None
        )
        extent = f" of {area(region['area_deg2'])}" if region else ""
        level = f"{name.removeprefix('containment-')} %"
        return (
            f"Outline of the {level} containment region{extent} in {frame}.",
            f"{level} containment region, statistical error only.",
        )
    return "Counts per measured energy: data, background model and terms.", "Counts per energy."
